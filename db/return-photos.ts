/** Photos of a return: the customer's of what is wrong, the warehouse's of what was found. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { CompanyId, ReturnId, UserId } from '../domain/ids.ts';
import { isReturnOver, type ReturnState } from '../domain/returns.ts';
import { FILE_COLUMNS, lockFile, type StoredFile } from './documents.ts';
import { recordEvent } from './events.ts';

export const MAX_PHOTOS = 30;
export type PhotoKind = 'claim' | 'inspection';

export interface ReturnPhoto extends StoredFile {
  readonly kind: PhotoKind;
}

export interface NewPhoto extends Omit<ReturnPhoto, 'uploadedAt'> {
  readonly returnId: ReturnId;
  readonly by: UserId;
  readonly origin: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Adds a stored file; the same ID again changes nothing.
 * @param keepFile as of db/documents.ts addDocument
 * @throws Failure `return_not_open`, `too_many_files`
 */
export async function addReturnPhoto(db: Knex, photo: NewPhoto, keepFile: () => Promise<unknown>): Promise<void> {
  const { id, returnId, kind, sha256, by, origin, at } = photo;
  await db.transaction(async (tx) => {
    const it: { state: ReturnState; companyId: CompanyId } | undefined = await tx('returns')
      .where({ id: returnId })
      .forUpdate()
      .first({ state: 'state', companyId: 'company_id' });
    if (!it) throw new Error(`return ${returnId} does not exist`);
    const isNew = await recordEvent(tx, {
      key: `return-photo/${id}/added`,
      type: 'document.added',
      companyId: it.companyId,
      subject: `rma/${returnId}`,
      by,
      data: { documentId: id, kind, sha256 },
      origin,
      at,
    });
    if (!isNew) return;
    // Of one that has expired the parcel may still be looked at.
    if (isReturnOver(it.state) && kind === 'claim')
      throw new Failure('return_not_open', `The return is ${it.state}: it takes no more photos.`, { state: it.state });
    const count: { n: number } | undefined = await tx('return_photos')
      .where({ return_id: returnId })
      .whereNull('removed_at')
      .whereNot('scan_state', 'infected')
      .first(tx.raw('count(*)::int as n'));
    if ((count?.n ?? 0) >= MAX_PHOTOS) throw new Failure('too_many_files', `A return takes ${MAX_PHOTOS} photos.`);
    await lockFile(tx, sha256, 'shared');
    await keepFile();
    await tx('return_photos').insert({
      id,
      return_id: returnId,
      kind,
      filename: photo.filename,
      sha256,
      bytes: photo.bytes,
      content_type: photo.contentType,
      uploaded_by: by,
      uploaded_at: at,
      scan_state: photo.scanState,
    });
    await tx('returns').where({ id: returnId }).update({ updated_at: at });
  });
}

/** Of a return that the caller has seen. */
export async function findReturnPhoto(db: Knex, returnId: ReturnId, id: string): Promise<ReturnPhoto | null> {
  const row: ReturnPhoto | undefined = await db('return_photos')
    .where({ id, return_id: returnId })
    .whereNull('removed_at')
    .first(FILE_COLUMNS);
  return row ?? null;
}
