/** The next term of a licence: when it can be had, what it is judged by, and whom the calendar reminds of it. */
import { daytime, type OfficeZone } from './calendar.ts';
import type { ApplicationId } from './ids.ts';
import { hasEnded, type LicenseStatus } from './licenses.ts';
import type { ApplicationState, LicensePolicy, RenewalTerms } from './licensing.ts';

export const RENEWAL_KINDS = ['unchanged', 'changed'] as const;
/** `unchanged`: the office has seen all of it, so it goes straight to payment. */
export type RenewalKind = (typeof RENEWAL_KINDS)[number];

export const RENEWAL_TERMS: RenewalTerms = {
  opensDaysBefore: 90,
  remindDaysBefore: [90, 60, 30, 14, 7, 1],
  lateDays: 30,
  lateFeePercent: 25,
};

/** An empty object stands for a policy that says nothing of it. */
export const renewalTermsOf = (given: Partial<RenewalTerms> | undefined): RenewalTerms => ({
  ...RENEWAL_TERMS,
  ...given,
});

/** Of the fees without tax, in whole minor units, half of one rounded up. */
export function lateFeeMinor({ fee, renewal }: Pick<LicensePolicy, 'fee' | 'renewal'>): bigint {
  const percent = BigInt(renewalTermsOf(renewal).lateFeePercent);
  return ((BigInt(fee.statutoryMinor) + BigInt(fee.serviceMinor)) * percent + 50n) / 100n;
}

/**
 * What a renewal is judged by: the policy of any application of this company, but where nothing has changed nobody looks at it
 * again, and who comes late pays more.
 * @param policy of the type, in force when it is submitted, with the company's row of the risk table in it
 */
export function renewalPolicy(policy: LicensePolicy, kind: RenewalKind, isLate: boolean): LicensePolicy {
  const { lateMinor: _, ...fee } = policy.fee;
  const charged = { ...policy, fee: isLate ? { ...fee, lateMinor: lateFeeMinor(policy).toString() } : fee };
  if (kind === 'changed') return charged;
  const { automatic: _automatic, registries: _registries, intent: _intent, ...rest } = charged;
  return { ...rest, path: 'automatic', stages: [], checklist: [] };
}

/** A term in epoch milliseconds; the end exclusive, null = for life. */
export interface Term {
  readonly validFrom: number;
  readonly validUntil: number | null;
}

const DAY_MS = 86_400_000;

/** From its own beginning at the earliest: a term that has not begun is not renewed. null = there is nothing to renew. */
export function renewalWindow(
  { validFrom, validUntil }: Term,
  { opensDaysBefore, lateDays }: RenewalTerms,
): { opensAt: number; closesAt: number } | null {
  if (validUntil === null) return null;
  const opensAt = Math.max(validFrom, validUntil - opensDaysBefore * DAY_MS);
  return { opensAt, closesAt: validUntil + lateDays * DAY_MS };
}

export const RENEWAL_STATES = ['not_open', 'open', 'under_way', 'renewed', 'late', 'closed', 'not_possible'] as const;
export type RenewalState = (typeof RENEWAL_STATES)[number];

export interface Renewable extends Term {
  /** At the moment that is asked about: `statusAt` of licenses.ts. */
  readonly status: LicenseStatus;
  /** null = licences of its type are not issued any more. */
  readonly terms: RenewalTerms | null;
  readonly isRenewed: boolean;
  /** The application that renews it; one that came to nothing does not count. */
  readonly application: { readonly id: ApplicationId; readonly state: ApplicationState } | null;
}

export interface RenewalStanding {
  readonly state: RenewalState;
  /** Epoch milliseconds; null where there is nothing to renew. */
  readonly opensAt: number | null;
  readonly closesAt: number | null;
}

export function renewalStanding(license: Renewable, now: number): RenewalStanding {
  const window = license.terms && renewalWindow(license, license.terms);
  if (!window) return { state: license.isRenewed ? 'renewed' : 'not_possible', opensAt: null, closesAt: null };
  return { state: stateWithin(license, window, now), ...window };
}

function stateWithin(
  { status, validUntil, isRenewed, application }: Renewable,
  { opensAt, closesAt }: { opensAt: number; closesAt: number },
  now: number,
): RenewalState {
  if (isRenewed) return 'renewed';
  if (application) return 'under_way';
  if (status === 'suspended' || status === 'revoked' || status === 'superseded') return 'not_possible';
  if (now < opensAt) return 'not_open';
  if (validUntil !== null && now < validUntil) return 'open';
  return now < closesAt ? 'late' : 'closed';
}

// ---- what the calendar does with a licence --------------------------------------------------------------------------

/** Letters go out by day, in the office's zone; o'clock. */
export const LETTER_HOURS = { opens: 8, closes: 20 } as const;

/** The ledger's word for the opening; reminders are there by their days. */
export const OPENING_RUNG = 'open';

export interface FollowedLicense extends Term {
  /** As recorded. */
  readonly status: LicenseStatus;
  readonly zone: OfficeZone;
  readonly terms: RenewalTerms | null;
  /** `paid`: nobody needs to be reminded any more. */
  readonly renewal: 'none' | 'under_way' | 'paid';
  /** Rungs of the ledger, of this end of its validity. */
  readonly told: ReadonlySet<string>;
}

/** `open`, `remind`: a letter, of the rung so many days before the end. `look`: nothing, but something may have changed by then. */
export type Errand =
  | { readonly kind: 'open' | 'remind'; readonly days: number; readonly at: number }
  | { readonly kind: 'look' | 'end'; readonly at: number };

/**
 * What is to be done next with a licence, and when (epoch milliseconds; the past = now). Of rungs that were missed only the
 * last is made up for: nobody gets three letters at once.
 * @returns null when it is over, or holds for life
 */
export function nextErrand(license: FollowedLicense, now: number): Errand | null {
  const { status, validUntil, terms, renewal, zone } = license;
  if (hasEnded(status) || validUntil === null) return null;
  const end = { kind: 'end', at: validUntil } as const;
  if (validUntil <= now || terms === null || renewal === 'paid') return end;
  const rungs = rungsOf({ ...license, validUntil }, terms);
  const ahead = rungs.find(({ at }) => at > now);
  const later = { ...end, ...(ahead && { kind: 'look' as const, at: ahead.at }) };
  if (status === 'suspended') return later;
  const due = rungs.findLast(({ at }) => at <= now);
  const rung = due && !license.told.has(String(due.days)) ? due : ahead;
  if (!rung) return end;
  const at = daytime(Math.max(rung.at, now), zone, LETTER_HOURS);
  if (at >= validUntil) return end;
  return { kind: license.told.has(OPENING_RUNG) ? 'remind' : 'open', days: rung.days, at };
}

/** The opening and the reminders after it, in order; each by day. */
function rungsOf(
  { validFrom, validUntil, zone }: FollowedLicense & { readonly validUntil: number },
  terms: RenewalTerms,
): { days: number; at: number }[] {
  const { opensDaysBefore, remindDaysBefore } = terms;
  const opensAt = Math.max(validFrom, validUntil - opensDaysBefore * DAY_MS);
  const reminders = remindDaysBefore
    .filter((days) => days < opensDaysBefore)
    .map((days) => ({ days, at: validUntil - days * DAY_MS }))
    .filter(({ at }) => at > opensAt);
  return [{ days: opensDaysBefore, at: opensAt }, ...reminders.toSorted((a, b) => a.at - b.at)].map(({ days, at }) => ({
    days,
    at: daytime(at, zone, LETTER_HOURS),
  }));
}
