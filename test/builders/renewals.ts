/** Licences near their end, as the processes would have left them: for tests of their renewal. */
import { createHash, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, LicenseId, UserId } from '../../domain/ids.ts';
import { aLicense, anApplication, aSubmission, GOOD_FORM, type LicenseTypeRow } from './licensing.ts';

const DAY = 86_400_000;

export const daysFromNow = (days: number): string => new Date(Date.now() + days * DAY).toISOString();

export interface EndingLicense {
  readonly id: LicenseId;
  readonly number: string;
  readonly verifyCode: string;
  readonly applicationId: ApplicationId;
  /** ISO 8601. */
  readonly validFrom: string;
  readonly validUntil: string;
  readonly documentId: string;
}

/** Of a term of a year, with one document, held by the company as it is now. @param given.endsInDays negative = it is over */
export async function anEndingLicense(
  db: Knex,
  given: {
    readonly companyId: CompanyId;
    readonly applicantId: UserId;
    readonly type: LicenseTypeRow;
    readonly endsInDays: number;
    readonly status?: string;
    readonly followedSince?: string;
  },
): Promise<EndingLicense> {
  const { companyId, applicantId, type, endsInDays, status, followedSince } = given;
  const [validFrom, validUntil] = [daysFromNow(endsInDays - 365), daysFromNow(endsInDays)];
  const applicationId = await anApplication(db, { companyId, type, applicantId, state: 'active', at: validFrom });
  const documentId = await aStoredDocument(db, applicationId, applicantId);
  await aSubmission(db, { applicationId, by: applicantId, form: GOOD_FORM });
  const made = await aLicense(db, {
    ...{ applicationId, companyId, type, validUntil, at: validFrom },
    ...(status ? { status } : {}),
    ...(followedSince ? { followedSince } : {}),
  });
  await db('licenses')
    .where({ id: made.id })
    .update({
      holder: db('companies')
        .where({ id: companyId })
        .select(db.raw("jsonb_build_object('name', name, 'address', address, 'kbli', kbli)")),
    });
  return { ...made, applicationId, validFrom, validUntil, documentId };
}

/** Looked into, and clean. */
export async function aStoredDocument(
  db: Knex,
  applicationId: ApplicationId,
  by: UserId,
  kind = 'ktp',
): Promise<string> {
  const id = randomUUID();
  await db('documents').insert({
    id,
    application_id: applicationId,
    kind,
    filename: `${kind}.pdf`,
    sha256: createHash('sha256').update(id).digest('hex'),
    bytes: 1_000,
    content_type: 'application/pdf',
    uploaded_by: by,
    uploaded_at: daysFromNow(-400),
    scan_state: 'clean',
  });
  return id;
}
