import { z } from 'zod';
import {
  addCompanyDocument,
  type CompanyDocument,
  companyDocuments as documentsOf,
  recordCompanyDocumentView,
  removeCompanyDocument,
} from '../../db/company-documents.ts';
import type { ScanState } from '../../domain/documents.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type DocumentId } from '../../domain/ids.ts';
import { dispositionOf } from '../answer.ts';
import { onboardingSeenBy, ownOnboarding } from '../onboarding-json.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, noContent, type Route, seeElsewhere, stream } from '../route.ts';
import { companyIdSchema, documentIdSchema } from '../schemas/ids.ts';
import { companyDocument, companyDocuments, uploadedKind } from '../schemas/onboarding.ts';
import { timeJson } from '../wire.ts';
import { contentTypeOf, displayName, MAX_BYTES } from './documents.ts';

const tags = ['Onboarding'];
const params = z.object({ companyId: companyIdSchema });
const paramsOfOne = params.extend({ documentId: documentIdSchema });

const upload = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/documents',
  summary: 'Upload a document of the company: PDF, JPEG or PNG, at most 10 MB, at most 20',
  description: 'What a file is, its content says. The step `documents` hands in what was uploaded.',
  tags,
  permission: 'onboarding.use',
  params,
  body: uploadedKind,
  limit: 'upload',
  multipart: { file: 'file', maxBytes: MAX_BYTES },
  problems: ['not_found', 'onboarding_not_open', 'unsupported_media_type', 'file_too_large', 'too_many_files'],
  responses: { 201: { description: 'Stored', schema: companyDocument } },
  async handler({ params: { companyId }, body: { kind }, file, actor, origin, deps, requestKey }) {
    await ownOnboarding(deps, actor, companyId);
    const contentType = await contentTypeOf(file.content);
    await deps.documentChecks.check(file.content, contentType);
    const scanState: ScanState = deps.scansDocuments ? 'waiting' : 'not_scanned';
    const { sha256, bytes } = await deps.files.put(file.content);
    const id = asId<DocumentId>(idFromKey(requestKey, 'company-document'));
    const at = new Date();
    const document = { id, kind, sha256, bytes, contentType, filename: displayName(file.filename), scanState };
    await addCompanyDocument(deps.db, { ...document, companyId, by: actor.userId, origin, at: at.toISOString() }, () =>
      deps.files.put(file.content),
    );
    return json(201, toJson({ ...document, uploadedAt: at }));
  },
});

const list = defineRoute({
  method: 'get',
  path: '/onboarding/:companyId/documents',
  summary: 'What was uploaded, oldest first',
  tags,
  permission: 'onboarding.read',
  params,
  responses: { 200: { description: 'All of them', schema: companyDocuments } },
  async handler({ params: { companyId }, actor, deps }) {
    await onboardingSeenBy(deps, actor, companyId);
    return json(200, { items: (await documentsOf(deps.db, companyId)).map(toJson) });
  },
});

const download = defineRoute({
  method: 'get',
  path: '/onboarding/:companyId/documents/:documentId',
  summary: 'A document as it was uploaded',
  description:
    'The file, or a redirect to where it can be had for two minutes. When staff take it along, that is recorded.',
  tags,
  permission: 'onboarding.read',
  params: paramsOfOne,
  problems: ['not_found', 'document_not_clean'],
  responses: {
    200: { description: 'The file', contentType: 'application/octet-stream' },
    302: { description: 'To the file' },
  },
  async handler({ params: { companyId, documentId }, actor, origin, deps }) {
    const { isMember } = await onboardingSeenBy(deps, actor, companyId);
    const document = (await documentsOf(deps.db, companyId)).find(({ id }) => id === documentId);
    if (!document) throw noSuchDocument();
    if (document.scanState === 'waiting' && !isMember)
      throw new Failure(
        'document_not_clean',
        'The virus scanner has not looked at this document yet. Try again later.',
      );
    const { sha256, contentType, filename, kind } = document;
    const link = await deps.files.link(sha256, { contentType, disposition: dispositionOf('attachment', filename) });
    const file = link === null ? await deps.files.open(sha256) : null;
    if (link === null && !file) throw new Error(`the file of company document ${documentId} is missing from the store`);
    if (!isMember) {
      const view = { companyId, documentId, kind, by: actor.userId, origin, at: new Date().toISOString() };
      await recordCompanyDocumentView(deps.db, view);
    }
    if (link !== null || !file) return seeElsewhere(link ?? '');
    return stream(contentType, file.stream, {
      bytes: file.bytes,
      filename,
      disposition: 'attachment',
      headers: { 'Cache-Control': 'private, no-cache' },
    });
  },
});

const remove = defineRoute({
  method: 'delete',
  path: '/onboarding/:companyId/documents/:documentId',
  summary: 'Take a document off; where it was handed in, the documents are asked for again',
  tags,
  permission: 'onboarding.use',
  params: paramsOfOne,
  problems: ['not_found', 'onboarding_not_open'],
  responses: { 204: { description: 'It is off' } },
  async handler({ params: { companyId, documentId }, actor, origin, deps }) {
    await ownOnboarding(deps, actor, companyId);
    const removal = { companyId, documentId, by: actor.userId, origin, at: new Date().toISOString() };
    if (await removeCompanyDocument(deps.db, removal)) return noContent();
    throw noSuchDocument();
  },
});

const noSuchDocument = () => new Failure('not_found', 'This company has no such document, or it was taken off before.');

const toJson = ({ id, kind, filename, bytes, contentType, uploadedAt, scanState }: CompanyDocument) => ({
  id,
  kind,
  filename,
  bytes,
  contentType,
  uploadedAt: timeJson(uploadedAt),
  scanState,
});

export const onboardingDocumentRoutes: readonly Route[] = [upload, list, download, remove];
