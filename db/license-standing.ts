/** Suspending and reinstating a licence whose money was taken back: the one way in which it happens. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { ApplicationId, LicenseId, UserId } from '../domain/ids.ts';
import { writeLetter } from './account-letters.ts';
import { announce } from './application-moves.ts';
import { recordEvent } from './events.ts';

export type SuspensionReason = 'payment_reversed' | 'refunded';

export interface Standing {
  readonly applicationId: ApplicationId;
  readonly reason: SuspensionReason;
  /** Of the event: the same change is made once. */
  readonly key: string;
  readonly at: string;
}

/**
 * Suspends the active licence of an application, in the transaction of what led to it: from its commit on the public page
 * says so. Event, state and letter in one.
 * @returns false when there is none to suspend, or it was done before
 */
export async function suspendLicenseOf(tx: Knex, change: Standing): Promise<boolean> {
  const license = await lockLicense(tx, change.applicationId, 'active');
  if (!license) return false;
  return turn(tx, license, change, 'suspended');
}

/**
 * Undoes a suspension for the same reason; one for another reason stays.
 * @returns false when there is nothing to undo, or it was done before
 */
export async function reinstateLicenseOf(tx: Knex, change: Standing): Promise<boolean> {
  const license = await lockLicense(tx, change.applicationId, 'suspended');
  if (!license || (await suspendedFor(tx, change.applicationId)) !== change.reason) return false;
  return turn(tx, license, change, 'active');
}

interface LockedLicense {
  readonly id: LicenseId;
  readonly number: string;
}

async function lockLicense(tx: Knex, applicationId: ApplicationId, status: string): Promise<LockedLicense | undefined> {
  return tx('licenses').where({ application_id: applicationId, status }).forUpdate().first('id', 'number');
}

async function suspendedFor(tx: Knex, applicationId: ApplicationId): Promise<unknown> {
  const last: { data: { reason?: unknown } } | undefined = await tx('events')
    .where({ application_id: applicationId, type: 'license.suspended' })
    .orderBy('id', 'desc')
    .first('data');
  return last?.data.reason;
}

async function turn(
  tx: Knex,
  license: LockedLicense,
  { applicationId, reason, key, at }: Standing,
  to: 'suspended' | 'active',
): Promise<boolean> {
  const isNew = await recordEvent(tx, {
    key,
    type: to === 'suspended' ? 'license.suspended' : 'license.reinstated',
    applicationId,
    data: { reason },
    at,
  });
  if (!isNew) return false;
  await tx('licenses').where({ id: license.id }).update({ status: to });
  await tellOwner(tx, license, { applicationId, reason, at }, to);
  await announce(tx, applicationId);
  return true;
}

interface OwnerRow {
  readonly userId: UserId;
  readonly companyName: string;
  readonly licenseName: { readonly id: string; readonly en: string };
}

// The applicant while they act for the company and have a mailbox, else the member of longest standing.
const OWNER = `
  select coalesce(m.user_id, a.applicant_id) as "userId", c.name as "companyName", t.name as "licenseName"
  from applications a
  join companies c on c.id = a.company_id
  join license_types t on t.code = a.type_code
  left join lateral (
    select s.user_id from company_members s join users u on u.id = s.user_id
    where s.company_id = a.company_id and u.email not like :programmes
    order by s.user_id = a.applicant_id desc, u.status, s.created_at, s.user_id limit 1) m on true
  where a.id = :applicationId`;

async function tellOwner(
  tx: Knex,
  { number }: LockedLicense,
  { applicationId, reason, at }: Omit<Standing, 'key'>,
  to: 'suspended' | 'active',
): Promise<void> {
  const result: { rows: OwnerRow[] } = await tx.raw(OWNER, {
    applicationId,
    programmes: `%@${INTEGRATOR_MAIL_DOMAIN}`,
  });
  const [owner] = result.rows;
  if (!owner) throw new Error(`application ${applicationId} does not exist`);
  const { userId, companyName, licenseName } = owner;
  const about = { licenseNumber: number, licenseName, companyName, at };
  const letter = { id: randomUUID(), userId, at: new Date(at) };
  if (to === 'suspended')
    await writeLetter(tx, { ...letter, template: 'license_suspended', data: { ...about, reason } });
  else await writeLetter(tx, { ...letter, template: 'license_reinstated', data: about });
}
