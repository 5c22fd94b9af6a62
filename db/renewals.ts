/** The application for the next term of a licence: what it is made of, and that there is one at a time. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId, CompanyId, DocumentId, LicenseId, PolicyId, Sha256, UserId } from '../domain/ids.ts';
import type { LicenseStatus } from '../domain/licenses.ts';
import type { RenewalKind } from '../domain/renewal.ts';
import type { Form } from './applications.ts';
import { lockFile } from './documents.ts';
import { recordEvent } from './events.ts';
import { RENEWS_IT } from './license-reads.ts';
import { lockLicenses } from './license-standing.ts';

export interface SeenDocument {
  readonly id: DocumentId;
  readonly kind: string;
  readonly sha256: Sha256;
}

/** What a licence was given on. */
export interface RenewalSource {
  /** As it was submitted last. */
  readonly form: Form;
  /** Whose files are still there. */
  readonly documents: readonly SeenDocument[];
  /** Whether the company is called, is, or does something else than its certificate says. */
  readonly isHolderChanged: boolean;
}

const SOURCE = `
  select coalesce((select s.form from submissions s where s.application_id = a.id order by s.round desc limit 1), a.form) as form,
    coalesce((select json_agg(json_build_object('id', d.id, 'kind', d.kind, 'sha256', d.sha256) order by d.uploaded_at, d.id)
      from documents d where d.application_id = a.id and d.removed_at is null and d.purged_at is null and d.scan_state <> 'infected'),
      '[]') as documents,
    coalesce(l.holder <> jsonb_build_object('name', c.name, 'address', c.address, 'kbli', c.kbli), false) as "isHolderChanged"
  from licenses l
  join applications a on a.id = l.application_id
  join companies c on c.id = l.company_id
  where l.id = ?`;

export async function renewalSource(db: Knex, licenseId: LicenseId): Promise<RenewalSource> {
  const { rows }: { rows: RenewalSource[] } = await db.raw(SOURCE, [licenseId]);
  if (!rows[0]) throw new Error(`licence ${licenseId} does not exist`);
  return rows[0];
}

export interface NewRenewal {
  readonly id: ApplicationId;
  readonly licenseId: LicenseId;
  readonly companyId: CompanyId;
  readonly typeCode: string;
  readonly policyId: PolicyId;
  readonly applicantId: UserId;
  readonly form: Form;
  readonly kind: RenewalKind;
  /** Copies to make, each under its new ID. */
  readonly documents: readonly { readonly id: DocumentId; readonly of: SeenDocument }[];
  readonly origin?: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Creates the draft of a renewal with copies of the documents; the same ID again changes nothing.
 * @throws Failure `renewal_under_way` naming the other one; `renewal_not_possible` when the licence has lost its standing since
 */
export async function createRenewal(db: Knex, given: NewRenewal): Promise<void> {
  await db.transaction(async (tx) => {
    // Who suspends or revokes it in this moment is through before, or finds the renewal.
    await lockLicenses(tx, given.licenseId);
    if (await tx('applications').where({ id: given.id }).first('id')) return;
    await requireRenewable(tx, given.licenseId);
    await insertDraft(tx, given);
    await recordEvent(tx, {
      key: `application/${given.id}/created`,
      type: 'application.created',
      applicationId: given.id,
      companyId: given.companyId,
      by: given.applicantId,
      data: { typeCode: given.typeCode, renews: given.licenseId, renewal: given.kind },
      origin: given.origin,
      at: given.at,
    });
    for (const copy of given.documents) await copyDocument(tx, given, copy);
  });
}

async function requireRenewable(tx: Knex, id: LicenseId): Promise<void> {
  const found: { status: LicenseStatus } | undefined = await tx('licenses').where({ id }).first('status');
  if (found?.status === 'active' || found?.status === 'expired') return;
  throw new Failure('renewal_not_possible', '');
}

async function insertDraft(tx: Knex, given: NewRenewal): Promise<void> {
  const inserted = await tx('applications')
    .insert({
      id: given.id,
      company_id: given.companyId,
      type_code: given.typeCode,
      policy_id: given.policyId,
      applicant_id: given.applicantId,
      form: JSON.stringify(given.form),
      state: 'draft',
      renews_id: given.licenseId,
      renewal: given.kind,
      created_at: given.at,
      updated_at: given.at,
    })
    .onConflict()
    .ignore()
    .returning('id');
  if (inserted.length === 0) throw underWay(await renewalOf(tx, given.licenseId));
}

export const underWay = (applicationId: ApplicationId | null): Failure =>
  new Failure(
    'renewal_under_way',
    `This licence is being renewed, or has been, by application ${applicationId}: open that one.`,
    applicationId === null ? {} : { applicationId },
  );

async function renewalOf(db: Knex, licenseId: LicenseId): Promise<ApplicationId | null> {
  const { rows }: { rows: { id: ApplicationId }[] } = await db.raw(
    `select r.id from licenses l join applications r on ${RENEWS_IT} where l.id = ?`,
    [licenseId],
  );
  return rows[0]?.id ?? null;
}

// Scanned once is scanned: the copy is of the same bytes. Its file cannot be deleted while this lock is held.
const COPY = `
  insert into documents (id, application_id, kind, filename, sha256, bytes, content_type, uploaded_by, uploaded_at, scan_state,
    scanned_at, sanity)
  select :id, :applicationId, kind, filename, sha256, bytes, content_type, :by, :at, scan_state, scanned_at, sanity
    from documents where id = :of and purged_at is null
  on conflict (id) do nothing returning id`;

async function copyDocument(
  tx: Knex,
  { id: applicationId, companyId, applicantId: by, origin, at }: NewRenewal,
  { id, of }: NewRenewal['documents'][number],
): Promise<void> {
  await lockFile(tx, of.sha256, 'shared');
  const { rows }: { rows: unknown[] } = await tx.raw(COPY, { id, applicationId, by, at, of: of.id });
  if (rows.length === 0) return;
  const data = { documentId: id, kind: of.kind, sha256: of.sha256, copyOf: of.id };
  const about = { applicationId, companyId, by, origin, at };
  await recordEvent(tx, { key: `document/${id}/added`, type: 'document.added', data, ...about });
}

/** What a draft turns out to be when it is submitted. */
export async function noteRenewalKind(db: Knex, id: ApplicationId, renewal: RenewalKind): Promise<void> {
  await db('applications').where({ id, state: 'draft' }).update({ renewal });
}
