import { randomBytes, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { localDate } from '../domain/calendar.ts';
import { type ApplicationId, asId, type LicenseId, type Sha256 } from '../domain/ids.ts';
import { formatLicenseNumber } from '../domain/invoicing.ts';
import { announce, moveApplication } from './application-moves.ts';
import { nextNumber } from './counters.ts';
import { recordEvent } from './events.ts';
import { officeOfType } from './offices.ts';

export interface IssuedLicense {
  readonly licenseId: LicenseId;
  readonly number: string;
}

export interface NewLicense {
  readonly applicationId: ApplicationId;
  readonly typeCode: string;
  readonly at: string;
  /** null = valid for life. */
  readonly validUntil: string | null;
}

/**
 * Issues the licence and makes the application active: number, validity, state and event in one transaction, once.
 * Repeated after any crash it returns the licence that is there and takes no second number.
 */
export async function issueLicense(db: Knex, license: NewLicense): Promise<IssuedLicense> {
  await db.transaction(async (tx) => {
    const isNew = await recordEvent(tx, {
      key: `activation/${license.applicationId}/license/1`,
      type: 'license.issued',
      applicationId: license.applicationId,
      data: { typeCode: license.typeCode, validUntil: license.validUntil },
      at: license.at,
    });
    if (isNew) await insertLicense(tx, license);
  });
  const issued: IssuedLicense | undefined = await db('licenses')
    .where({ application_id: license.applicationId })
    .first({ licenseId: 'id', number: 'number' });
  if (!issued) throw new Error(`application ${license.applicationId} has an event of a licence and no licence`);
  return issued;
}

async function insertLicense(tx: Knex, license: NewLicense): Promise<void> {
  const { companyId } = await moveApplication(tx, { id: license.applicationId, to: 'active', at: license.at });
  const office = await officeOfType(tx, license.typeCode);
  const year = Number(localDate(Date.parse(license.at), office.zone).slice(0, 4));
  const counter = await nextNumber(tx, `license/${license.typeCode}/${year}`);
  await tx('licenses').insert({
    id: randomUUID(),
    number: formatLicenseNumber(license.typeCode, year, counter),
    application_id: license.applicationId,
    company_id: companyId,
    type_code: license.typeCode,
    status: 'active',
    valid_from: license.at,
    valid_until: license.validUntil,
    // Guessing a code must not be a way to list licences: 120 bits.
    verify_code: randomBytes(15).toString('base64url'),
    issued_at: license.at,
  });
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
