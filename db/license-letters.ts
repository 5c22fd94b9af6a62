/** Letters about the standing of a licence, written into the outbox with the change that they tell of. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { ApplicationId, OfficeId, UserId } from '../domain/ids.ts';
import type { RenewalTerms } from '../domain/licensing.ts';
import type { LicenseLetter } from '../domain/mail.ts';
import { writeLetter } from './account-letters.ts';
import { usersWithRole } from './staff.ts';
import { namedUuid } from './uuids.ts';

export interface LicenseToTellOf {
  readonly applicationId: ApplicationId;
  /** null = not issued yet. */
  readonly number: string | null;
}

export interface News {
  readonly at: string;
  readonly note?: string | null;
  readonly successorNumber?: string | null;
  readonly audited?: boolean;
}

interface AboutRow {
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

async function ownerOf(tx: Knex, applicationId: ApplicationId): Promise<AboutRow> {
  const { rows }: { rows: AboutRow[] } = await tx.raw(OWNER, {
    applicationId,
    programmes: `%@${INTEGRATOR_MAIL_DOMAIN}`,
  });
  if (!rows[0]) throw new Error(`application ${applicationId} does not exist`);
  return rows[0];
}

const aboutOf = ({ companyName, licenseName }: AboutRow, { number }: LicenseToTellOf, at: string) => ({
  licenseNumber: number ?? '–',
  licenseName,
  companyName,
  at,
});

/** That the money is gone, or there again. */
export async function tellOfMoney(
  tx: Knex,
  license: LicenseToTellOf,
  { reason, at }: { reason: 'payment_reversed' | 'refunded' | null; at: string },
): Promise<void> {
  const owner = await ownerOf(tx, license.applicationId);
  const data = aboutOf(owner, license, at);
  const letter = { id: randomUUID(), userId: owner.userId, at: new Date(at) };
  if (reason) await writeLetter(tx, { ...letter, template: 'license_suspended', data: { ...data, reason } });
  else await writeLetter(tx, { ...letter, template: 'license_reinstated', data });
}

/** What the office, the calendar or a newer licence has made of it. */
export async function tellOwner(tx: Knex, license: LicenseToTellOf, template: LicenseLetter, news: News) {
  const owner = await ownerOf(tx, license.applicationId);
  await write(tx, owner.userId, template, aboutOf(owner, license, news.at), news);
}

export interface RenewalNews {
  readonly template: 'license_renewal_open' | 'license_renewal_reminder';
  /** Names the letter: the same one is written once. */
  readonly letter: string;
  readonly terms: RenewalTerms;
  readonly isUnderWay: boolean;
  readonly at: string;
}

/** That it can be renewed, or has not been yet. */
export async function tellOfRenewal(
  tx: Knex,
  license: LicenseToTellOf & { readonly validUntilAt: Date },
  { template, letter, terms, isUnderWay, at }: RenewalNews,
): Promise<void> {
  const owner = await ownerOf(tx, license.applicationId);
  const { validUntilAt } = license;
  const { at: _, ...about } = aboutOf(owner, license, at);
  const data = {
    ...about,
    validUntil: validUntilAt.toISOString(),
    days: Math.max(1, Math.round((validUntilAt.getTime() - Date.parse(at)) / 86_400_000)),
    isUnderWay,
    lateDays: terms.lateDays,
    lateFeePercent: terms.lateFeePercent,
  };
  const written = { id: namedUuid(letter), userId: owner.userId, at: new Date(at), data };
  if (template === 'license_renewal_open') await writeLetter(tx, { ...written, template });
  else await writeLetter(tx, { ...written, template });
}

/** To all supervisors and heads of the office: whoever of them may, decides. */
export async function proposeSuspension(
  tx: Knex,
  license: LicenseToTellOf,
  { officeId, at }: { officeId: OfficeId; at: string },
): Promise<void> {
  const about = aboutOf(await ownerOf(tx, license.applicationId), license, at);
  const people = new Set([
    ...(await usersWithRole(tx, 'supervisor', officeId)),
    ...(await usersWithRole(tx, 'head', officeId)),
  ]);
  for (const person of people) await write(tx, person, 'license_suspension_proposed', about, { at });
}

async function write(
  tx: Knex,
  userId: UserId,
  template: LicenseLetter,
  about: ReturnType<typeof aboutOf>,
  { at, note = null, successorNumber = null, audited = false }: News,
): Promise<void> {
  const data = { ...about, note, successorNumber, audited };
  await writeLetter(tx, { id: randomUUID(), userId, at: new Date(at), template, data });
}
