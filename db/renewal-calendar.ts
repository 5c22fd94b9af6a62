/** What the calendar does with a licence until it ends: each step a transaction, by the record of the moment. */
import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { ApplicationId, CompanyId, LicenseId } from '../domain/ids.ts';
import type { LicenseStatus } from '../domain/licenses.ts';
import type { ApplicationState, RenewalTerms } from '../domain/licensing.ts';
import { type Errand, type FollowedLicense, nextErrand, OPENING_RUNG, renewalTermsOf } from '../domain/renewal.ts';
import { recordEvent } from './events.ts';
import { tellOfRenewal } from './license-letters.ts';
import { RENEWAL_TERMS_NOW, RENEWS_IT } from './license-reads.ts';
import { expireLicense } from './license-standing.ts';

/**
 * Does what is due at `at`, if anything is.
 * @returns what is next; null when the licence is over, by this or before, or holds for life
 */
export async function carryOut(
  db: Knex,
  { licenseId, at }: { licenseId: LicenseId; at: string },
): Promise<Errand | null> {
  const now = Date.parse(at);
  const errand = await db.transaction(async (tx) => {
    const license = await lockFollowed(tx, licenseId);
    const due = license && nextErrand(license, now);
    if (!due || due.at > now || (due.kind !== 'open' && due.kind !== 'remind')) return due ?? null;
    await writeTo(tx, license, due, at);
    return nextErrand({ ...license, told: await toldOf(tx, license) }, now);
  });
  if (errand?.kind !== 'end' || errand.at > now) return errand;
  await expireLicense(db, { id: licenseId, at });
  return null;
}

interface Followed extends FollowedLicense {
  readonly id: LicenseId;
  readonly number: string;
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly validUntilAt: Date;
}

interface FollowedRow extends Pick<Followed, 'id' | 'number' | 'applicationId' | 'companyId'> {
  readonly status: LicenseStatus;
  readonly validFrom: Date;
  readonly validUntil: Date | null;
  readonly zone: OfficeZone;
  readonly terms: Partial<RenewalTerms> | null;
  readonly renewal: ApplicationState | null;
  readonly isRenewed: boolean;
}

// Locked: who suspends or revokes it in this moment is through before, or comes after the letter.
const FOLLOWED = `
  select l.id, l.number, l.application_id as "applicationId", l.company_id as "companyId", l.status,
    l.valid_from as "validFrom", l.valid_until as "validUntil", o.zone, ${RENEWAL_TERMS_NOW} as terms,
    (select r.state from applications r where ${RENEWS_IT}) as renewal,
    exists (select from licenses x where x.renews_id = l.id) as "isRenewed"
  from licenses l
  join license_types t on t.code = l.type_code
  join offices o on o.id = t.office_id
  where l.id = ? for no key update of l`;

async function lockFollowed(tx: Knex, id: LicenseId): Promise<Followed | null> {
  const { rows }: { rows: FollowedRow[] } = await tx.raw(FOLLOWED, [id]);
  const [row] = rows;
  if (!row?.validUntil) return null;
  const license = {
    ...row,
    validFrom: row.validFrom.getTime(),
    validUntil: row.validUntil.getTime(),
    validUntilAt: row.validUntil,
    terms: row.terms && renewalTermsOf(row.terms),
    renewal: progressOf(row),
  };
  return { ...license, told: await toldOf(tx, license) };
}

function progressOf({ renewal, isRenewed }: FollowedRow): FollowedLicense['renewal'] {
  if (isRenewed || renewal === 'activating' || renewal === 'active') return 'paid';
  return renewal === null ? 'none' : 'under_way';
}

async function toldOf(tx: Knex, { id, validUntilAt }: Pick<Followed, 'id' | 'validUntilAt'>): Promise<Set<string>> {
  const rungs = await tx('license_reminders').where({ license_id: id, expiry: validUntilAt }).pluck<string[]>('rung');
  return new Set(rungs);
}

/** The opening counts for the reminder of its rung, too: one letter, not two at once. */
async function writeTo(
  tx: Knex,
  license: Followed,
  { kind, days }: Extract<Errand, { days: number }>,
  at: string,
): Promise<void> {
  const { id, applicationId, companyId, validUntilAt, terms } = license;
  const expiry = validUntilAt.toISOString();
  const about = { applicationId, companyId, subject: `license/${id}` as const, at };
  const rungs = kind === 'open' ? [OPENING_RUNG, String(days)] : [String(days)];
  const isNew = await recordEvent(tx, {
    key: `license/${id}/renewal/${expiry}/${kind === 'open' ? OPENING_RUNG : days}`,
    type: kind === 'open' ? 'license.renewal_opened' : 'license.renewal_reminded',
    ...about,
    data: { days, validUntil: expiry },
  });
  await tx('license_reminders')
    .insert(rungs.map((rung) => ({ license_id: id, expiry: validUntilAt, rung, at })))
    .onConflict()
    .ignore();
  if (!isNew || !terms) return;
  const template = kind === 'open' ? 'license_renewal_open' : 'license_renewal_reminder';
  const isUnderWay = license.renewal === 'under_way';
  await tellOfRenewal(tx, license, {
    template,
    letter: `license/${id}/renewal/${expiry}/${days}`,
    terms,
    isUnderWay,
    at,
  });
}
