import { randomBytes, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { addMonths, addMonthsFrom, localDate, type OfficeZone } from '../domain/calendar.ts';
import { type ApplicationId, asId, type LicenseId, type Sha256 } from '../domain/ids.ts';
import { formatLicenseNumber } from '../domain/invoicing.ts';
import { announce, moveApplication } from './application-moves.ts';
import { nextNumber } from './counters.ts';
import { recordEvent } from './events.ts';
import { lockLicenses, takeUpRenewal } from './license-standing.ts';
import { officeOfType } from './offices.ts';

export interface IssuedLicense {
  readonly licenseId: LicenseId;
  readonly number: string;
  /** `licence/<id>` follows it to its end; one that holds for life needs nobody. */
  readonly isFollowed: boolean;
  /** The licence whose next term it is. */
  readonly renews: LicenseId | null;
}

export interface NewLicense {
  readonly applicationId: ApplicationId;
  readonly typeCode: string;
  readonly at: string;
  /** Absent = at once. */
  readonly validFrom?: string;
  /** null = valid for life. */
  readonly validUntil: string | null;
  /** The licence whose next term it is. */
  readonly renews?: LicenseId;
}

/**
 * The term of the licence that an application leads to. That of a renewal begins where the one before ends, also when it comes
 * late, and is counted from the beginning of the first.
 */
export async function termOf(
  tx: Knex,
  {
    applicationId,
    at,
    zone,
    months,
  }: { applicationId: ApplicationId; at: string; zone: OfficeZone; months: number | null },
): Promise<Pick<NewLicense, 'validFrom' | 'validUntil' | 'renews'>> {
  const { rows }: { rows: { id: LicenseId; validUntil: Date; anchor: Date }[] } = await tx.raw(BEFORE, [applicationId]);
  const [before] = rows;
  if (!before) return { validUntil: months === null ? null : addMonths(at, months, zone) };
  const [validFrom, anchor] = [before.validUntil.toISOString(), before.anchor.toISOString()];
  const validUntil = months === null ? null : addMonthsFrom(anchor, validFrom, months, zone);
  return { renews: before.id, validFrom, validUntil };
}

// The licence that is renewed, and when the first of them all began.
const BEFORE = `
  with recursive chain as (
    select l.id, l.renews_id, l.valid_from, 0 as back
      from applications a join licenses l on l.id = a.renews_id where a.id = ?
    union all
    select l.id, l.renews_id, l.valid_from, c.back + 1 from chain c join licenses l on l.id = c.renews_id
  )
  select l.id, l.valid_until as "validUntil", (select valid_from from chain order by back desc limit 1) as anchor
    from chain c join licenses l on l.id = c.id where c.back = 0 and l.valid_until is not null`;

/**
 * Issues the licence and makes the application active: number, validity, state and event in one transaction, once.
 * Repeated after any crash it returns the licence that is there and takes no second number.
 */
export async function issueLicense(db: Knex, license: NewLicense): Promise<IssuedLicense> {
  await db.transaction(async (tx) => {
    // What happens to the earlier one in this very moment is on record before, or finds this one.
    if (license.renews) await lockLicenses(tx, license.renews);
    const isNew = await recordEvent(tx, {
      key: `activation/${license.applicationId}/license/1`,
      type: 'license.issued',
      applicationId: license.applicationId,
      data: {
        typeCode: license.typeCode,
        validUntil: license.validUntil,
        ...(license.renews ? { renews: license.renews, validFrom: license.validFrom } : {}),
      },
      at: license.at,
    });
    if (isNew) await insertLicense(tx, license);
  });
  const issued: IssuedLicense | undefined = await db('licenses')
    .where({ application_id: license.applicationId })
    .first({
      licenseId: 'id',
      number: 'number',
      isFollowed: db.raw('followed_since is not null'),
      renews: 'renews_id',
    });
  if (!issued) throw new Error(`application ${license.applicationId} has an event of a licence and no licence`);
  return issued;
}

async function insertLicense(tx: Knex, license: NewLicense): Promise<void> {
  const { companyId } = await moveApplication(tx, { id: license.applicationId, to: 'active', at: license.at });
  const office = await officeOfType(tx, license.typeCode);
  const year = Number(localDate(Date.parse(license.at), office.zone).slice(0, 4));
  const counter = await nextNumber(tx, `license/${license.typeCode}/${year}`);
  const id = asId<LicenseId>(randomUUID());
  await tx('licenses').insert({
    id,
    number: formatLicenseNumber(license.typeCode, year, counter),
    application_id: license.applicationId,
    company_id: companyId,
    type_code: license.typeCode,
    status: 'active',
    valid_from: license.validFrom ?? license.at,
    valid_until: license.validUntil,
    renews_id: license.renews ?? null,
    followed_since: license.validUntil === null ? null : license.at,
    holder: tx('companies')
      .where({ id: companyId })
      .select(tx.raw("jsonb_build_object('name', name, 'address', address, 'kbli', kbli)")),
    // Guessing a code must not be a way to list licences: 120 bits.
    verify_code: randomBytes(15).toString('base64url'),
    issued_at: license.at,
  });
  if (license.renews) await takeUpRenewal(tx, { renewedId: license.renews, successorId: id, at: license.at });
}

/**
 * Remembers the stored certificate, once: it is byte-identical for ever after.
 * @returns the hash that counts, which another try of the same activity may have stored first
 */
export async function attachCertificate(
  db: Knex,
  license: { licenseId: LicenseId; applicationId: ApplicationId; sha256: Sha256; at: string },
): Promise<Sha256> {
  return db.transaction(async (tx) => {
    const isNew = await recordEvent(tx, {
      key: `activation/${license.applicationId}/certificate/1`,
      type: 'license.certificate_stored',
      applicationId: license.applicationId,
      data: { sha256: license.sha256 },
      at: license.at,
    });
    if (isNew) {
      await tx('licenses').where({ id: license.licenseId }).update({ certificate_sha256: license.sha256 });
      await announce(tx, license.applicationId);
    }
    const row: { sha256: string | null } | undefined = await tx('licenses')
      .where({ id: license.licenseId })
      .first({ sha256: 'certificate_sha256' });
    if (!row?.sha256) throw new Error(`licence ${license.licenseId} has no certificate`);
    return asId<Sha256>(row.sha256);
  });
}
