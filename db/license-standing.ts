/** The life of an issued licence: the one way in which its status changes, by whomever and for whichever reason. */
import type { Knex } from 'knex';
import type { EventType, Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId, CompanyId, LicenseId, UserId } from '../domain/ids.ts';
import {
  hasEnded,
  isOfficeCause,
  type LicenseStatus,
  mayTurn,
  OFFICE_CAUSES,
  type OfficeCause,
  type SuspensionCause,
  statusAt,
} from '../domain/licenses.ts';
import { announce } from './application-moves.ts';
import { actsForCase } from './company-members.ts';
import { recordEvent } from './events.ts';
import { tellOfMoney, tellOwner } from './license-letters.ts';

export type SuspensionReason = Exclude<SuspensionCause, OfficeCause>;

export interface Standing {
  readonly applicationId: ApplicationId;
  readonly reason: SuspensionReason;
  /** Of the event: the same change is made once. */
  readonly key: string;
  readonly at: string;
}

/** Somebody of the office changes a licence. `reason` in their own words, for its owner. */
export interface ByOffice {
  readonly licenseId: LicenseId;
  readonly reason: string;
  readonly by: UserId;
  /** Of the event: the same change is made once. */
  readonly key: string;
  readonly at: string;
  readonly origin?: Origin | undefined;
}

// ---- the money ------------------------------------------------------------------------------------------------------

/**
 * Suspends the licence of an application because its money is gone, in the transaction of what led to it: from its commit on
 * the public page says so. Where it is suspended for another reason already, this one is added.
 * @returns false when there is none to suspend, it is so already for this reason, or it was done before
 */
export async function suspendLicenseOf(tx: Knex, change: Standing): Promise<boolean> {
  const license = await lockLicense(tx, { application_id: change.applicationId });
  if (!license || hasEnded(statusAt(license, new Date(change.at)))) return false;
  if ((await openCauses(tx, license.id)).includes(change.reason)) return false;
  return suspend(tx, license, { ...change, cause: change.reason, note: null });
}

/**
 * Ends a suspension whose money is back; the licence is in force again when no other reason is left.
 * @returns false when there is nothing to end, or it was done before
 */
export async function reinstateLicenseOf(tx: Knex, change: Standing): Promise<boolean> {
  const license = await lockLicense(tx, { application_id: change.applicationId });
  if (license?.status !== 'suspended') return false;
  if (!(await openCauses(tx, license.id)).includes(change.reason)) return false;
  return lift(tx, license, { ...change, causes: [change.reason], note: null });
}

// ---- the office -----------------------------------------------------------------------------------------------------

/**
 * What the office does to a licence it does to its next term as well, where that is issued already.
 * @param change.cause `audit_failed` on the proposal of a failed audit
 * @throws Failure `license_ended`; `license_not_active` when the office has suspended it for this cause already
 */
export async function suspendLicense(tx: Knex, change: ByOffice & { readonly cause: OfficeCause }): Promise<void> {
  const license = await changeable(tx, change);
  if (!license) return;
  if ((await openCauses(tx, license.id)).includes(change.cause))
    throw new Failure('license_not_active', 'The office has suspended this licence already. Read it again.');
  await suspend(tx, license, { ...change, note: change.reason });
  const next = await nextTermOf(tx, license.id);
  if (next && !hasEnded(next.status) && !(await openCauses(tx, next.id)).includes(change.cause))
    await suspend(tx, next, { ...ofNextTerm(change), cause: change.cause, note: change.reason });
}

/**
 * Takes back what the office has suspended it for. For as long as its money is missing it stays suspended all the same.
 * @throws Failure `license_ended`; `license_not_suspended` when the office has not suspended it
 */
export async function reinstateLicense(tx: Knex, change: ByOffice): Promise<void> {
  const license = await changeable(tx, change);
  if (!license) return;
  const causes = (await openCauses(tx, license.id)).filter(isOfficeCause);
  if (causes.length === 0) {
    const why =
      license.status === 'suspended' ? 'It is suspended because its money is missing, and comes back with it.' : '';
    throw new Failure('license_not_suspended', `The office has not suspended this licence. ${why}`.trim());
  }
  await lift(tx, license, { ...change, causes, note: change.reason });
  const next = await nextTermOf(tx, license.id);
  if (next?.status !== 'suspended') return;
  const same = (await openCauses(tx, next.id)).filter((cause) => causes.some((one) => one === cause));
  if (same.length > 0) await lift(tx, next, { ...ofNextTerm(change), causes: same, note: change.reason });
}

/** The licence and its next term alone; `revokeLicense` of license-revocation.ts ends the renewal as well. */
export async function endAsRevoked(tx: Knex, change: ByOffice): Promise<void> {
  const license = await changeable(tx, change);
  if (!license) return;
  await end(tx, license, { ...change, to: 'revoked', note: change.reason });
  const next = await nextTermOf(tx, license.id);
  if (next && !hasEnded(next.status))
    await end(tx, next, { ...ofNextTerm(change), to: 'revoked', note: change.reason });
}

const ofNextTerm = ({ key, by, at, origin }: ByOffice) => ({ key: `${key}/next-term`, by, at, origin });

/**
 * Another licence takes its place.
 * @throws Failure `license_ended` for either; `invalid_request` for a successor of another company or type, or itself
 */
export async function supersedeLicense(
  tx: Knex,
  change: ByOffice & { readonly successorId: LicenseId },
): Promise<void> {
  // In one order, or two that name each other would wait for each other.
  await tx('licenses')
    .whereIn('id', [change.licenseId, change.successorId])
    .orderBy('id')
    .forNoKeyUpdate()
    .select('id');
  const successor = await lockLicense(tx, { id: change.successorId });
  const license = await changeable(tx, change);
  if (!license) return;
  if (!successor || successor.id === license.id || !isOfTheSame(license, successor))
    throw notASuccessor('another licence of the same company and type');
  if (hasEnded(statusAt(successor, new Date(change.at)))) throw notASuccessor('one that has not ended itself');
  await end(tx, license, { ...change, to: 'superseded', note: change.reason, successor });
}

const isOfTheSame = (one: LockedLicense, other: LockedLicense): boolean =>
  one.companyId === other.companyId && one.typeCode === other.typeCode;

const notASuccessor = (detail: string) =>
  new Failure('invalid_request', `Name ${detail}.`, {
    errors: [{ pointer: '/byLicenseId', code: 'not_a_successor', detail }],
  });

/** The licence, locked; null when this very change was made before. @throws Failure `license_ended`, `not_found`, `own_application` */
async function changeable(tx: Knex, { licenseId, by, key, at }: ByOffice): Promise<LockedLicense | null> {
  await lockLicenses(tx, licenseId);
  const license = await lockLicense(tx, { id: licenseId });
  if (!license) throw new Failure('not_found', 'There is no such licence.');
  if (await tx('events').where({ key }).first('id')) return null;
  if (await actsForCase(tx, by, license.applicationId)) throw new Failure('own_application', '');
  if (hasEnded(statusAt(license, new Date(at)))) throw new Failure('license_ended', '');
  return license;
}

// ---- the calendar ---------------------------------------------------------------------------------------------------

/** The last of the page before. */
export interface ExpiredBefore {
  /** ISO 8601. */
  readonly validUntil: string;
  readonly id: LicenseId;
}

/** Licences whose validity is over and whose record does not say so yet, the longest first. */
export async function licensesToExpire(
  db: Knex,
  { at, after, limit }: { at: string; after: ExpiredBefore | null; limit: number },
): Promise<ExpiredBefore[]> {
  const rows: { id: LicenseId; validUntil: Date }[] = await db('licenses')
    .whereIn('status', ['active', 'suspended'])
    .where('valid_until', '<=', at)
    .modify((query) => {
      if (after) query.whereRaw('(valid_until, id) > (?, ?)', [after.validUntil, after.id]);
    })
    .orderBy(['valid_until', 'id'])
    .limit(limit)
    .select({ id: 'id', validUntil: 'valid_until' });
  return rows.map(({ id, validUntil }) => ({ id, validUntil: validUntil.toISOString() }));
}

/** Ends one licence whose validity is over at `at`; a repeat, or one that has ended otherwise, changes nothing. */
export async function expireLicense(db: Knex, { id, at }: { id: LicenseId; at: string }): Promise<void> {
  await db.transaction((tx) => expire(tx, id, at));
}

async function expire(tx: Knex, id: LicenseId, at: string): Promise<void> {
  await lockLicenses(tx, id);
  const license = await lockLicense(tx, { id });
  if (!license?.validUntil || statusAt(license, new Date(at)) === license.status) return;
  // To the minute in the record, to the instant on paper: it was over when its validity ended, whenever this runs.
  const over = license.validUntil.toISOString();
  const successor = await nextTermOf(tx, id);
  if (successor) await end(tx, license, supersededBy(license, successor, over));
  else await end(tx, license, { to: 'expired', key: `license/${id}/expired`, at: over, note: null });
}

// ---- its next term --------------------------------------------------------------------------------------------------

/**
 * The licence and its next term, in the one order that nobody waits in for somebody who waits for them. Not `for update`: whoever
 * writes to an application that renews it only needs it to be there, and must not wait for this either.
 */
export async function lockLicenses(tx: Knex, id: LicenseId): Promise<void> {
  await tx('licenses').where({ id }).orWhere({ renews_id: id }).orderBy('id').forNoKeyUpdate().select('id');
}

async function nextTermOf(tx: Knex, id: LicenseId): Promise<LockedLicense | undefined> {
  return lockLicense(tx, { renews_id: id });
}

const supersededBy = (license: LockedLicense, successor: LockedLicense, at: string) =>
  ({ to: 'superseded', key: `license/${license.id}/superseded/renewal`, at, note: null, successor }) as const;

/**
 * The next term of a licence was issued, in the transaction that issued it. While the earlier one holds, it stays as it is and is
 * superseded when it ends; one that is over is superseded at once. What the office has taken away, no renewal brings back:
 * revoked means revoked, and what was suspended to its end stays suspended.
 */
export async function takeUpRenewal(
  tx: Knex,
  { renewedId, successorId, at }: { renewedId: LicenseId; successorId: LicenseId; at: string },
): Promise<void> {
  const [license, successor] = [await lockLicense(tx, { id: renewedId }), await lockLicense(tx, { id: successorId })];
  if (!license || !successor) throw new Error(`licence ${renewedId} is not there to be renewed by ${successorId}`);
  // What is recorded as expired is so, also by a clock that is a moment behind.
  const isOver = license.status === 'expired' || (license.validUntil !== null && license.validUntil <= new Date(at));
  if (isOver && mayTurn(license.status, 'superseded')) await end(tx, license, supersededBy(license, successor, at));
  const key = `license/${successorId}/as-before`;
  if (license.status === 'revoked') return end(tx, successor, { to: 'revoked', key, at, note: license.statusReason });
  let standing = successor;
  for (const { cause, note, id } of await officeSuspensions(tx, renewedId)) {
    await suspend(tx, standing, { key: `${key}/${id}`, at, cause, note });
    standing = { ...standing, status: 'suspended' };
  }
}

/** What the office has suspended it for and never taken back; one that ended with the licence is among them. */
async function officeSuspensions(
  tx: Knex,
  id: LicenseId,
): Promise<{ id: bigint; cause: OfficeCause; note: string | null }[]> {
  return tx('license_suspensions')
    .where({ license_id: id, ended_by: null })
    .whereIn('cause', OFFICE_CAUSES)
    .orderBy('id')
    .select('id', 'cause', 'note');
}

// ---- what they share ------------------------------------------------------------------------------------------------

interface LockedLicense {
  readonly id: LicenseId;
  readonly number: string;
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly typeCode: string;
  readonly status: LicenseStatus;
  readonly statusReason: string | null;
  readonly validUntil: Date | null;
}

async function lockLicense(tx: Knex, where: Record<string, string>): Promise<LockedLicense | undefined> {
  return tx('licenses').where(where).forNoKeyUpdate().first({
    id: 'id',
    number: 'number',
    applicationId: 'application_id',
    companyId: 'company_id',
    typeCode: 'type_code',
    status: 'status',
    statusReason: 'status_reason',
    validUntil: 'valid_until',
  });
}

const openCauses = (tx: Knex, id: LicenseId): Promise<SuspensionCause[]> =>
  tx('license_suspensions').where({ license_id: id, to_at: null }).orderBy('id').pluck<SuspensionCause[]>('cause');

interface Change {
  readonly key: string;
  readonly at: string;
  readonly by?: UserId;
  readonly origin?: Origin | undefined;
  /** In the office's words. */
  readonly note: string | null;
}

async function suspend(
  tx: Knex,
  license: LockedLicense,
  change: Change & { readonly cause: SuspensionCause },
): Promise<boolean> {
  const { cause, note, by, at } = change;
  const told = { ...change, data: { reason: cause }, statusReason: note ?? cause };
  if (!(await turn(tx, license, 'suspended', 'license.suspended', told))) return false;
  await tx('license_suspensions').insert({
    license_id: license.id,
    cause,
    note,
    from_at: at,
    suspended_by: by ?? null,
  });
  if (isOfficeCause(cause))
    await tellOwner(tx, license, 'license_suspended_by_office', { at, note, audited: cause === 'audit_failed' });
  else await tellOfMoney(tx, license, { reason: cause, at });
  return true;
}

async function lift(
  tx: Knex,
  license: LockedLicense,
  change: Change & { readonly causes: readonly SuspensionCause[] },
): Promise<boolean> {
  const { causes, note, at } = change;
  const left = await reasonsLeft(tx, license.id, causes);
  const to = left.length > 0 ? 'suspended' : 'active';
  const told = { ...change, data: { reason: causes[0] }, statusReason: left.at(-1) ?? note };
  if (!(await turn(tx, license, to, 'license.reinstated', told))) return false;
  await closeSuspensions(tx, license.id, { ...change, causes });
  if (to === 'suspended') return true;
  if (causes.some(isOfficeCause)) await tellOwner(tx, license, 'license_reinstated_by_office', { at, note });
  else await tellOfMoney(tx, license, { reason: null, at });
  return true;
}

/** What it stays suspended for when these causes are gone. */
async function reasonsLeft(tx: Knex, id: LicenseId, gone: readonly SuspensionCause[]): Promise<string[]> {
  const rows: { cause: SuspensionCause; note: string | null }[] = await tx('license_suspensions')
    .where({ license_id: id, to_at: null })
    .orderBy('id')
    .select('cause', 'note');
  return rows.filter(({ cause }) => !gone.includes(cause)).map(({ cause, note }) => note ?? cause);
}

async function closeSuspensions(
  tx: Knex,
  id: LicenseId,
  { causes, by, at, note }: Pick<Change, 'by' | 'at' | 'note'> & { readonly causes: readonly SuspensionCause[] | null },
): Promise<void> {
  await tx('license_suspensions')
    .where({ license_id: id, to_at: null })
    .modify((query) => {
      if (causes) query.whereIn('cause', [...causes]);
    })
    // A clock behind that of the suspension must not keep its end from being written.
    .update({ to_at: tx.raw('greatest(from_at, ?::timestamptz)', [at]), ended_by: by ?? null, ended_note: note });
}

const ENDS = {
  revoked: { type: 'license.revoked', letter: 'license_revoked' },
  expired: { type: 'license.expired', letter: 'license_expired' },
  superseded: { type: 'license.superseded', letter: 'license_superseded' },
} as const;

async function end(
  tx: Knex,
  license: LockedLicense,
  change: Change & { readonly to: keyof typeof ENDS; readonly successor?: LockedLicense },
): Promise<void> {
  const { to, at, note, successor } = change;
  const data = successor ? { successorId: successor.id, successor: successor.number } : {};
  const told = { ...change, data, statusReason: note, successorId: successor?.id ?? null };
  if (!(await turn(tx, license, to, ENDS[to].type, told))) return;
  await closeSuspensions(tx, license.id, { ...change, causes: null });
  await tellOwner(tx, license, ENDS[to].letter, { at, note, successorNumber: successor?.number ?? null });
}

/**
 * The one place that writes a status. `to` may be what it is already for a suspension that gets another reason or loses one.
 * @returns false when this very change was made before
 * @throws Error for an edge that the table of domain/licenses.ts does not have: a bug, to be seen by ops
 */
async function turn(
  tx: Knex,
  license: LockedLicense,
  to: LicenseStatus,
  type: EventType,
  told: Omit<Change, 'note'> & {
    readonly data: Readonly<Record<string, unknown>>;
    readonly statusReason: string | null;
    readonly successorId?: LicenseId | null;
  },
): Promise<boolean> {
  const stays = to === 'suspended' && license.status === 'suspended';
  if (!stays && !mayTurn(license.status, to))
    throw new Error(`licence ${license.id} cannot turn from ${license.status} to ${to}`);
  const { key, by, origin, data, at, statusReason, successorId = null } = told;
  const isNew = await recordEvent(tx, {
    key,
    type,
    applicationId: license.applicationId,
    companyId: license.companyId,
    subject: `license/${license.id}`,
    ...(by ? { by } : {}),
    origin,
    data,
    before: { status: license.status },
    after: { status: to },
    at,
  });
  if (!isNew) return false;
  await tx('licenses')
    .where({ id: license.id })
    .update({
      status: to,
      status_reason: statusReason,
      superseded_by: successorId,
      ...(stays ? {} : { status_changed_at: at }),
    });
  await announce(tx, license.applicationId);
  return true;
}
