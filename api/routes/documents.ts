import { fileTypeFromBuffer } from 'file-type';
import { z } from 'zod';
import { type Application, isEditable } from '../../db/applications.ts';
import {
  addDocument,
  documentsOf,
  findDocument,
  recordDocumentView,
  removeDocument,
  type VisibleDocument,
} from '../../db/documents.ts';
import { licenseTypeFor } from '../../db/license-types.ts';
import { isShowable, type ScanState } from '../../domain/documents.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type DocumentId } from '../../domain/ids.ts';
import { dispositionOf } from '../answer.ts';
import { ownApplication } from '../application-json.ts';
import type { ApiDeps } from '../deps.ts';
import { startScan } from '../document-scan-process.ts';
import { requireOpenDocument } from '../open-fields.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, noContent, seeElsewhere, stream } from '../route.ts';
import { shownAsSchema, uploadedSchema, uploadSchema } from '../schemas/documents.ts';
import { applicationIdSchema, documentIdSchema } from '../schemas/ids.ts';

export const MAX_BYTES = 10 * 1024 * 1024;
const ACCEPTED: readonly string[] = ['application/pdf', 'image/jpeg', 'image/png'];

const upload = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/documents',
  summary: 'Attach a document: PDF, JPEG or PNG, at most 10 MB, at most 20 a case',
  description:
    'What a file is, its content says; name and header are not believed. `flags` warn of what a reviewer will see of it: damaged, locked with a password, scripts, a picture too small to read. Where the office scans for viruses, its people see the file once it is clean.',
  tags: ['Documents'],
  permission: 'application.write',
  params: z.object({ id: applicationIdSchema }),
  body: uploadSchema,
  limit: 'upload',
  multipart: { file: 'file', maxBytes: MAX_BYTES },
  problems: [
    'not_found',
    'not_a_draft',
    'field_not_open',
    'unsupported_media_type',
    'file_too_large',
    'too_many_files',
  ],
  responses: { 201: { description: 'Stored', schema: uploadedSchema } },
  async handler({ params: { id }, body: { kind }, file, actor, origin, deps, locale, requestKey }) {
    const application = await ownApplication(deps.db, actor, id);
    if (!isEditable(application.state)) throw notEditable(application);
    await requireKnownKind(deps, application, kind, locale);
    await requireOpenDocument(deps.db, application, kind, locale);
    const contentType = await contentTypeOf(file.content);
    const sanity = await deps.documentChecks.check(file.content, contentType);
    const scanState: ScanState = deps.scansDocuments ? 'waiting' : 'not_scanned';
    // Before the case is locked: it may take seconds. Under the lock this is only a look whether it is still there.
    const { sha256, bytes } = await deps.files.put(file.content);
    const document = { id: asId<DocumentId>(idFromKey(requestKey, 'document')), kind, sha256, bytes, contentType };
    const rest = {
      filename: displayName(file.filename),
      scanState,
      sanity,
      applicationId: id,
      by: actor.userId,
      origin,
      at: new Date().toISOString(),
    };
    await addDocument(deps.db, { ...document, ...rest }, () => deps.files.put(file.content));
    if (deps.scansDocuments) void startScan(deps, document.id);
    return json(
      201,
      { ...document, flags: [...sanity.flags] },
      { headers: { Location: `/api/v1/documents/${document.id}` } },
    );
  },
});

const notEditable = ({ state }: Application) =>
  new Failure('not_a_draft', `The case is ${state}: its documents can no longer be changed.`, { state });

async function requireKnownKind(deps: ApiDeps, application: Application, kind: string, locale: Locale): Promise<void> {
  const { policy } = await licenseTypeFor(deps.db, application, new Date());
  const kinds = [...policy.checklist.map((item) => item.kind), 'other'];
  if (kinds.includes(kind)) return;
  const detail = { id: `salah satu dari: ${kinds.join(', ')}`, en: `one of: ${kinds.join(', ')}` }[locale];
  throw new Failure('invalid_request', '', { errors: [{ pointer: '/kind', code: 'not_allowed', detail }] });
}

export async function contentTypeOf(content: Buffer): Promise<string> {
  const found = await fileTypeFromBuffer(content);
  if (found && ACCEPTED.includes(found.mime)) return found.mime;
  throw new Failure(
    'unsupported_media_type',
    'Send a PDF, JPEG or PNG file; the content of this one is something else.',
  );
}

/** For people to recognise it by: no folders, no control characters, of a length that fits a header. */
export const displayName = (filename: string): string =>
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
  problems: ['not_found', 'not_a_draft', 'field_not_open'],
  responses: { 204: { description: 'It is off' } },
  async handler({ params: { id, documentId }, actor, origin, deps, locale }) {
    const application = await ownApplication(deps.db, actor, id);
    const attached = (await documentsOf(deps.db, id)).find((document) => document.id === documentId);
    if (attached) await requireOpenDocument(deps.db, application, attached.kind, locale);
    const removal = { applicationId: id, documentId, by: actor.userId, origin, at: new Date().toISOString() };
    if (await removeDocument(deps.db, removal)) return noContent();
    throw new Failure('not_found', 'This application has no such document, or it was taken off before.');
  },
});

const download = defineRoute({
  method: 'get',
  path: '/documents/:id',
  summary: 'A document as it was uploaded',
  description:
    'The file, or a redirect to where it can be had for two minutes. When staff look at it (`as=view`) or take it along, that is recorded. A file that carries scripts or attachments is never shown on the spot.',
  tags: ['Documents'],
  permission: 'application.read',
  params: z.object({ id: documentIdSchema }),
  query: z.object({ as: shownAsSchema }),
  problems: ['not_found', 'document_not_clean'],
  responses: {
    200: { description: 'The file', contentType: 'application/octet-stream' },
    302: { description: 'To the file' },
  },
  async handler({ params: { id }, query, actor, origin, deps }) {
    const document = await findDocument(deps.db, actor, id);
    if (!document) throw new Failure('not_found', 'There is no such document, or none that you may see.');
    refuseUnfit(document);
    const shown = query.as === 'view' && isShowable(document.sanity);
    const reply = await replyWith(deps, document, shown ? 'inline' : 'attachment');
    if (!document.own) {
      const type = shown ? 'document.viewed' : 'document.downloaded';
      await recordDocumentView(deps.db, document, { type, by: actor.userId, origin, at: new Date().toISOString() });
    }
    return reply;
  },
});

/** @throws Failure not_found when the file was deleted, document_not_clean when it is not for this reader's eyes (yet) */
function refuseUnfit({ purgedAt, scanState, own }: VisibleDocument): void {
  if (purgedAt) {
    const at = purgedAt.toISOString();
    throw new Failure(
      'not_found',
      `The file was deleted at ${at}, when it had been kept as long as the office keeps them.`,
    );
  }
  if (scanState === 'infected') {
    throw new Failure('document_not_clean', 'The virus scanner found malware in this document. Nobody can open it.');
  }
  if (scanState === 'waiting' && !own) {
    throw new Failure('document_not_clean', 'The virus scanner has not looked at this document yet. Try again later.');
  }
}

async function replyWith(deps: ApiDeps, document: VisibleDocument, disposition: 'inline' | 'attachment') {
  const { sha256, contentType, filename } = document;
  const link = await deps.files.link(sha256, { contentType, disposition: dispositionOf(disposition, filename) });
  if (link !== null) return seeElsewhere(link);
  const file = await deps.files.open(sha256);
  if (!file) throw new Error(`the file of document ${document.id} is missing from the store`);
  return stream(contentType, file.stream, {
    bytes: file.bytes,
    filename,
    disposition,
    etag: `"${sha256}"`,
    headers: { 'Cache-Control': 'private, no-cache' },
  });
}

export const documentRoutes = [upload, remove, download];
