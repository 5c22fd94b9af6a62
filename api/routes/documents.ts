import { fileTypeFromBuffer } from 'file-type';
import { z } from 'zod';
import { type Application, isEditable } from '../../db/applications.ts';
import {
  addDocument,
  findDocument,
  recordDocumentView,
  removeDocument,
  type VisibleDocument,
} from '../../db/documents.ts';
import { licenseTypeUnder } from '../../db/license-types.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type DocumentId } from '../../domain/ids.ts';
import { ownApplication } from '../application-json.ts';
import type { ApiDeps } from '../deps.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, noContent, stream } from '../route.ts';
import { uploadedSchema, uploadSchema } from '../schemas/documents.ts';
import { applicationIdSchema, documentIdSchema } from '../schemas/ids.ts';

const MAX_BYTES = 10 * 1024 * 1024;
const ACCEPTED: readonly string[] = ['application/pdf', 'image/jpeg', 'image/png'];

const upload = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/documents',
  summary: 'Attach a document: PDF, JPEG or PNG, at most 10 MB, at most 20 a case',
  description: 'What a file is, its content says; name and header are not believed.',
  tags: ['Documents'],
  permission: 'application.write',
  params: z.object({ id: applicationIdSchema }),
  body: uploadSchema,
  limit: 'upload',
  multipart: { file: 'file', maxBytes: MAX_BYTES },
  problems: ['not_found', 'not_a_draft', 'unsupported_media_type', 'file_too_large', 'too_many_files'],
  responses: { 201: { description: 'Stored', schema: uploadedSchema } },
  async handler({ params: { id }, body: { kind }, file, actor, origin, deps, locale, requestKey }) {
    const application = await ownApplication(deps.db, actor, id);
    if (!isEditable(application.state)) throw notEditable(application);
    await requireKnownKind(deps, application, kind, locale);
    const contentType = await contentTypeOf(file.content);
    const { sha256, bytes } = await deps.files.put(file.content);
    const document = { id: asId<DocumentId>(idFromKey(requestKey, 'document')), kind, sha256, bytes, contentType };
    const name = {
      filename: displayName(file.filename),
      applicationId: id,
      by: actor.userId,
      origin,
      at: new Date().toISOString(),
    };
    await addDocument(deps.db, { ...document, ...name });
    return json(201, document, { headers: { Location: `/api/v1/documents/${document.id}` } });
  },
});

const notEditable = ({ state }: Application) =>
  new Failure('not_a_draft', `The case is ${state}: its documents can no longer be changed.`, { state });

async function requireKnownKind(deps: ApiDeps, application: Application, kind: string, locale: Locale): Promise<void> {
  const type = await licenseTypeUnder(deps.db, application.policyId);
  const kinds = [...(type?.policy.checklist ?? []).map((item) => item.kind), 'other'];
  if (kinds.includes(kind)) return;
  const detail = { id: `salah satu dari: ${kinds.join(', ')}`, en: `one of: ${kinds.join(', ')}` }[locale];
  throw new Failure('invalid_request', '', { errors: [{ pointer: '/kind', code: 'not_allowed', detail }] });
}

async function contentTypeOf(content: Buffer): Promise<string> {
  const found = await fileTypeFromBuffer(content);
  if (found && ACCEPTED.includes(found.mime)) return found.mime;
  throw new Failure(
    'unsupported_media_type',
    'Send a PDF, JPEG or PNG file; the content of this one is something else.',
  );
}

/** For people to recognise it by: no folders, no control characters, of a length that fits a header. */
const displayName = (filename: string): string =>
  filename
    .replaceAll(/^.*[/\\]/gs, '')
    .replaceAll(/\p{C}/gu, '')
    .trim()
    .slice(0, 200) || 'document';

const remove = defineRoute({
  method: 'delete',
  path: '/licenses/applications/:id/documents/:documentId',
  summary: 'Take a document off',
  tags: ['Documents'],
  permission: 'application.write',
  params: z.object({ id: applicationIdSchema, documentId: documentIdSchema }),
  problems: ['not_found', 'not_a_draft'],
  responses: { 204: { description: 'It is off' } },
  async handler({ params: { id, documentId }, actor, origin, deps }) {
    await ownApplication(deps.db, actor, id);
    const removal = { applicationId: id, documentId, by: actor.userId, origin, at: new Date().toISOString() };
    if (await removeDocument(deps.db, removal)) return noContent();
    throw new Failure('not_found', 'This application has no such document, or it was taken off before.');
  },
});

const download = defineRoute({
  method: 'get',
  path: '/documents/:id',
  summary: 'A document as it was uploaded',
  description: 'When staff look at it, that is recorded.',
  tags: ['Documents'],
  permission: 'application.read',
  params: z.object({ id: documentIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'The file', contentType: 'application/octet-stream' } },
  async handler({ params: { id }, actor, origin, deps }) {
    const document = await findDocument(deps.db, actor, id);
    if (!document) throw new Failure('not_found', 'There is no such document, or none that you may see.');
    const { bytes, stream: content } = await opened(deps, document);
    if (!document.own) {
      await recordDocumentView(deps.db, document, { by: actor.userId, origin, at: new Date().toISOString() });
    }
    return stream(document.contentType, content, {
      bytes,
      filename: document.filename,
      disposition: 'attachment',
      etag: `"${document.sha256}"`,
      headers: { 'Cache-Control': 'private, no-cache' },
    });
  },
});

async function opened(deps: ApiDeps, document: VisibleDocument) {
  const file = await deps.files.open(document.sha256);
  if (!file) throw new Error(`the file of document ${document.id} is missing from the store`);
  return file;
}

export const documentRoutes = [upload, remove, download];
