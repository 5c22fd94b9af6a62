/** Which documents, and infected photos of returns, have been kept long enough, and the only place that deletes a stored file. */
import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, DocumentId, ReturnId, Sha256 } from '../domain/ids.ts';
import { APPLICATION_STATES, isClosed } from '../domain/licensing.ts';
import { lockFile } from './documents.ts';
import { recordEvent } from './events.ts';
import type { FileStore } from './files.ts';

const CLOSED_STATES = APPLICATION_STATES.filter(isClosed)
  .map((state) => `'${state}'`)
  .join(', ');

/** Instants, ISO 8601. */
export interface KeptUntil {
  /** Documents that were taken off before. */
  readonly removedBefore: string;
  /** Cases that were closed before. */
  readonly closedBefore: string;
}

// A submission is what the office decided on: what it names is kept like the case itself, though it was taken off later.
// What is infected nobody reads again.
const LONG_OFF = `(d.removed_at < :removedBefore and (d.scan_state = 'infected' or not exists (
  select 1 from submissions s
   where s.application_id = d.application_id and s.documents @> jsonb_build_array(jsonb_build_object('id', d.id)))))`;
// What a licence in force was given on stays as long as it is in force.
// A case that was taken up again keeps the date on which it had been closed.
const LONG_CLOSED = `(a.closed_at < :closedBefore and a.state in (${CLOSED_STATES}) and not exists (
  select 1 from licenses l where l.application_id = a.id and l.status in ('active', 'suspended')))`;

/** By ID, for `after`: one whose file cannot be deleted now must not keep the others waiting. */
export async function documentsToPurge(
  db: Knex,
  until: KeptUntil,
  { after, limit }: { after: DocumentId | null; limit: number },
): Promise<DocumentId[]> {
  const due = (condition: string) =>
    `select d.id from documents d join applications a on a.id = d.application_id
      where d.purged_at is null and (cast(:after as uuid) is null or d.id > :after) and ${condition}`;
  const { rows }: { rows: { id: DocumentId }[] } = await db.raw(
    `${due(LONG_OFF)} union ${due(LONG_CLOSED)} order by id limit :limit`,
    { ...until, after, limit },
  );
  return rows.map(({ id }) => id);
}

/**
 * The file goes before the record is committed: a crash between the two leaves a record that the next run takes again; the
 * other way round it would leave somebody's papers that nobody knows of.
 * @returns false when it is not due (any more)
 */
export async function purgeDocument(
  db: Knex,
  files: Pick<FileStore, 'remove'>,
  { documentId, at, ...until }: KeptUntil & { documentId: DocumentId; at: string },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const document = await lockDue(tx, documentId, until);
    if (!document) return false;
    const { applicationId, companyId, sha256, kind } = document;
    const isNew = await recordEvent(tx, {
      key: `document/${documentId}/purged`,
      type: 'document.purged',
      applicationId,
      companyId,
      data: { documentId, kind },
      at,
    });
    if (!isNew) return false;
    await tx('documents').where({ id: documentId }).update({ purged_at: at });
    if (!(await isNamed(tx, sha256))) await files.remove(sha256);
    return true;
  });
}

interface Due {
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly sha256: Sha256;
  readonly kind: string;
}

/** The case, then the file, as an upload locks them; what is due is asked once nobody can change the answer any more. */
async function lockDue(tx: Knex, id: DocumentId, until: KeptUntil): Promise<Due | null> {
  const found: { applicationId: ApplicationId; sha256: Sha256 } | undefined = await tx('documents')
    .where({ id })
    .first({ applicationId: 'application_id', sha256: 'sha256' });
  if (!found) return null;
  await tx('applications').where({ id: found.applicationId }).forShare().first('id');
  await lockFile(tx, found.sha256, 'alone');
  const { rows }: { rows: Due[] } = await tx.raw(
    `select a.id as "applicationId", a.company_id as "companyId", d.sha256, d.kind
       from documents d join applications a on a.id = d.application_id
      where d.id = :id and d.purged_at is null and (${LONG_OFF} or ${LONG_CLOSED}) for update of d`,
    { ...until, id },
  );
  return rows[0] ?? null;
}

// ---- photos of returns ----------------------------------------------------------------------------------------------

// What is infected nobody reads again; it is kept as long as a document that was taken off. Its row stays and says why it is
// not shown.
const LONG_INFECTED = `p.purged_at is null and p.scan_state = 'infected' and exists (
  select 1 from events e where e.key = 'return-photo/' || p.id || '/scanned' and e.occurred_at < :removedBefore)`;

/** By ID, for `after`, as `documentsToPurge`. */
export async function photosToPurge(
  db: Knex,
  { removedBefore }: Pick<KeptUntil, 'removedBefore'>,
  { after, limit }: { after: DocumentId | null; limit: number },
): Promise<DocumentId[]> {
  const { rows }: { rows: { id: DocumentId }[] } = await db.raw(
    `select p.id from return_photos p
      where (cast(:after as uuid) is null or p.id > :after) and ${LONG_INFECTED} order by p.id limit :limit`,
    { removedBefore, after, limit },
  );
  return rows.map(({ id }) => id);
}

/** As `purgeDocument`. @returns false when it is not due (any more) */
export async function purgePhoto(
  db: Knex,
  files: Pick<FileStore, 'remove'>,
  { documentId: id, at, removedBefore }: Pick<KeptUntil, 'removedBefore'> & { documentId: DocumentId; at: string },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const found: { sha256: Sha256; returnId: ReturnId } | undefined = await tx('return_photos')
      .where({ id })
      .first({ sha256: 'sha256', returnId: 'return_id' });
    if (!found) return false;
    const { sha256, returnId } = found;
    // The return, then the file, as an upload locks them.
    const it: { companyId: CompanyId } = await tx('returns')
      .where({ id: returnId })
      .forShare()
      .first({ companyId: 'company_id' });
    await lockFile(tx, sha256, 'alone');
    const { rows }: { rows: { kind: string }[] } = await tx.raw(
      `select p.kind from return_photos p where p.id = :id and ${LONG_INFECTED} for update of p`,
      { id, removedBefore },
    );
    const [due] = rows;
    if (!due) return false;
    const isNew = await recordEvent(tx, {
      key: `return-photo/${id}/purged`,
      type: 'document.purged',
      companyId: it.companyId,
      subject: `rma/${returnId}`,
      data: { documentId: id, kind: due.kind },
      at,
    });
    if (!isNew) return false;
    await tx('return_photos').where({ id }).update({ purged_at: at });
    if (!(await isNamed(tx, sha256))) await files.remove(sha256);
    return true;
  });
}

/** Every column that names a stored file. A new one belongs here: test/db/document-retention.test.ts compares with the schema. */
export const NAMES_A_FILE = [
  'documents.sha256',
  'licenses.certificate_sha256',
  'invoices.pdf_sha256',
  'receipts.pdf_sha256',
  'credit_notes.pdf_sha256',
  'evidence_packs.pdf_sha256',
  'company_documents.sha256',
  'shipments.label_sha256',
  'shipments.packing_slip_sha256',
  'shipments.photo_sha256',
  'return_photos.sha256',
] as const;

/** Rows that stay when their file has gone. */
const PURGED: readonly (typeof NAMES_A_FILE)[number][] = ['documents.sha256', 'return_photos.sha256'];

/** Whether a record names the file. The caller holds its lock (`lockFile`), alone. */
export async function isNamed(tx: Knex, sha256: Sha256): Promise<boolean> {
  const naming = NAMES_A_FILE.map((name) => {
    const [table, column] = name.split('.');
    return `select 1 from ${table} where ${column} = :sha256${PURGED.includes(name) ? ' and purged_at is null' : ''}`;
  });
  const { rows }: { rows: unknown[] } = await tx.raw(`${naming.join(' union all ')} limit 1`, { sha256 });
  return rows.length > 0;
}
