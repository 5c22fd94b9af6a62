/** Photos of a return: images by their content, looked at by the scanner as documents are. */
import { fileTypeFromBuffer } from 'file-type';
import { z } from 'zod';
import { addReturnPhoto, findReturnPhoto, MAX_PHOTOS } from '../../db/return-photos.ts';
import type { ScanState } from '../../domain/documents.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type DocumentId } from '../../domain/ids.ts';
import { dispositionOf } from '../answer.ts';
import { startScan } from '../document-scan-process.ts';
import { idFromKey } from '../request-key.ts';
import { photoJson, returnSide } from '../return-json.ts';
import { defineRoute, json, type Route, seeElsewhere, stream } from '../route.ts';
import { photoSchema, returnIdSchema } from '../schemas/returns.ts';
import { displayName, MAX_BYTES } from './documents.ts';

const tags = ['Returns'];
const params = z.object({ id: returnIdSchema });
const paramsOfOne = params.extend({ photoId: z.guid() });
const IMAGES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp'];

const upload = defineRoute({
  method: 'post',
  path: '/returns/:id/photos',
  summary: `Add a photo: JPEG, PNG or WebP, at most 10 MB, at most ${MAX_PHOTOS}`,
  description: "What a file is, its content says. The customer's is a claim, anybody else's of the inspection.",
  tags,
  permission: 'return.read',
  params,
  body: z.strictObject({}),
  limit: 'upload',
  multipart: { file: 'file', maxBytes: MAX_BYTES },
  problems: ['not_found', 'return_not_open', 'unsupported_media_type', 'file_too_large', 'too_many_files'],
  responses: { 201: { description: 'Stored', schema: photoSchema } },
  async handler({ params: { id: returnId }, file, actor, origin, deps, requestKey }) {
    const kind = (await returnSide(deps, actor, returnId)) === 'buyer' ? 'claim' : 'inspection';
    const contentType = await imageTypeOf(file.content);
    await deps.documentChecks.check(file.content, contentType);
    const scanState: ScanState = deps.scansDocuments ? 'waiting' : 'not_scanned';
    const { sha256, bytes } = await deps.files.put(file.content);
    const at = new Date();
    const photo = {
      id: asId<DocumentId>(idFromKey(requestKey, 'return-photo')),
      kind,
      bytes,
      contentType,
      scanState,
    } as const;
    const filename = displayName(file.filename);
    const added = { ...photo, filename, sha256, returnId, by: actor.userId, origin, at: at.toISOString() };
    await addReturnPhoto(deps.db, added, () => deps.files.put(file.content));
    if (scanState === 'waiting') void startScan(deps, photo.id);
    return json(201, photoJson(returnId, { ...photo, filename, uploadedAt: at.toISOString() }));
  },
});

export async function imageTypeOf(content: Buffer): Promise<string> {
  const found = await fileTypeFromBuffer(content);
  if (found && IMAGES.includes(found.mime)) return found.mime;
  throw new Failure('unsupported_media_type', 'Send a JPEG, PNG or WebP image.');
}

const download = defineRoute({
  method: 'get',
  path: '/returns/:id/photos/:photoId',
  summary: 'A photo as it was uploaded',
  tags,
  permission: 'return.read',
  params: paramsOfOne,
  problems: ['not_found', 'document_not_clean'],
  responses: {
    200: { description: 'The image', contentType: 'application/octet-stream' },
    302: { description: 'To the image' },
  },
  async handler({ params: { id, photoId }, actor, deps }) {
    const side = await returnSide(deps, actor, id);
    const photo = await findReturnPhoto(deps.db, id, photoId);
    if (!photo) throw new Failure('not_found', 'This return has no such photo.');
    const { sha256, contentType, filename, scanState, bytes } = photo;
    const isOwn = photo.kind === 'claim' && side === 'buyer';
    if (scanState === 'infected' || (scanState === 'waiting' && !isOwn))
      throw new Failure('document_not_clean', 'The virus scanner has not passed this photo. Try again later.');
    const link = await deps.files.link(sha256, { contentType, disposition: dispositionOf('attachment', filename) });
    if (link !== null) return seeElsewhere(link);
    const file = await deps.files.open(sha256);
    if (!file) throw new Error(`the file of return photo ${photoId} is missing from the store`);
    return stream(contentType, file.stream, {
      bytes,
      filename,
      disposition: 'attachment',
      headers: { 'Cache-Control': 'private, no-cache' },
    });
  },
});

export const returnPhotoRoutes: readonly Route[] = [upload, download];
