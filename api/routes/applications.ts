import { z } from 'zod';
import { createDraft, isEditable, listApplications, replaceForm } from '../../db/applications.ts';
import type { Knex } from '../../db/connection.ts';
import { judgedFor, licenseTypeInForce } from '../../db/license-types.ts';
import { Failure } from '../../domain/failures.ts';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import { applicationReply, applicationSeenBy, ifVersion, ownApplication, summaryJson } from '../application-json.ts';
import { requireUsableCompany } from '../company-standing.ts';
import { takePlace } from '../entitlements.ts';
import { requireComplete } from '../form-check.ts';
import { requireOpenForm } from '../open-fields.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json } from '../route.ts';
import { applicationIdSchema, companyIdSchema, positionInTime } from '../schemas/ids.ts';
import {
  applicationSchema,
  applicationSummarySchema,
  formSchema,
  newApplicationSchema,
  stateSchema,
} from '../schemas/licenses.ts';
import { sendIn } from '../submission.ts';

const params = z.object({ id: applicationIdSchema });

const create = defineRoute({
  method: 'post',
  path: '/licenses/applications',
  summary: 'Begin an application',
  description: 'A draft, or submitted at once with `submit: true`; if it cannot be submitted, nothing is created.',
  tags: ['Applications'],
  permission: 'application.write',
  body: newApplicationSchema,
  problems: ['not_found', 'incomplete_application', 'plan_limit_reached'],
  responses: { 201: { description: 'The application', schema: applicationSchema } },
  async handler({ body, actor, origin, deps, locale, requestKey }) {
    const at = new Date();
    await requireUsableCompany(deps, actor, body.companyId, { toSubmit: body.submit === true });
    const offered = await licenseTypeInForce(deps.db, body.typeCode, at);
    if (!offered) throw unknownType();
    const type = await judgedFor(deps.db, offered, body, at);
    if (body.submit) requireComplete(type, body.form, new Set(), locale);
    const id = asId<ApplicationId>(idFromKey(requestKey, 'application'));
    const draft = { id, companyId: body.companyId, typeCode: type.code, policyId: type.policyId, form: body.form };
    const create = (tx: Knex) => createDraft(tx, { ...draft, applicantId: actor.userId, origin, at: at.toISOString() });
    await (body.submit ? takePlace(deps, { id, companyId: body.companyId, at }, create) : create(deps.db));
    if (body.submit) await sendIn(deps, type, { id, companyId: body.companyId, by: actor.userId, origin, at });
    const { body: created, etag } = await applicationReply(deps.db, await applicationSeenBy(deps.db, actor, id));
    return json(201, created, { etag, headers: { Location: `/api/v1/licenses/applications/${id}` } });
  },
});

const unknownType = () =>
  new Failure('invalid_request', 'There is no such licence type. Look at GET /api/v1/licenses/types.', {
    errors: [{ pointer: '/typeCode', code: 'unknown_type', detail: 'GET /api/v1/licenses/types' }],
  });

const list = defineRoute({
  method: 'get',
  path: '/licenses/applications',
  summary: 'Applications that the caller may see, newest first',
  description: "An owner's own; a reviewer's those held now or before; supervisors, finance, ops and admins see all.",
  tags: ['Applications'],
  permission: 'application.read',
  query: z.strictObject({
    ...pageQuery,
    state: stateSchema.optional(),
    typeCode: z.string().min(1).max(64).optional(),
    companyId: companyIdSchema.optional(),
  }),
  responses: { 200: { description: 'A page of applications', schema: pageOf(applicationSummarySchema) } },
  async handler({ query, actor, deps }) {
    const { limit, cursor, ...filter } = query;
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listApplications(deps.db, actor, { ...filter, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, summaryJson, ({ createdAt, id }) => ({ at: createdAt, id })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id',
  summary: 'An application with its form, documents and decisions',
  tags: ['Applications'],
  permission: 'application.read',
  params,
  responses: { 200: { description: 'The application', schema: applicationSchema } },
  async handler({ params: { id }, actor, deps }) {
    const { body, etag } = await applicationReply(deps.db, await applicationSeenBy(deps.db, actor, id));
    return json(200, body, { etag });
  },
});

const replace = defineRoute({
  method: 'put',
  path: '/licenses/applications/:id',
  summary: 'Replace the form of a draft, or of a case that awaits a correction',
  description:
    'With `If-Match`, only if nobody has changed the form since it was read. Where a correction was requested, only what its reasons ' +
    'point at can be changed (`openFields` of the application).',
  tags: ['Applications'],
  permission: 'application.write',
  params,
  body: z.strictObject({ form: formSchema }),
  problems: ['not_found', 'not_a_draft', 'field_not_open', 'precondition_failed'],
  responses: { 200: { description: 'The application', schema: applicationSchema } },
  async handler({ params: { id }, body, actor, deps, locale, req }) {
    const change = { form: body.form, ifVersion: ifVersion(req.headers['if-match']), at: new Date().toISOString() };
    const before = await ownApplication(deps.db, actor, id);
    await requireOpenForm(deps.db, before, body.form, locale);
    const version = isEditable(before.state) ? await replaceForm(deps.db, id, change) : null;
    const application = await applicationSeenBy(deps.db, actor, id);
    if (version === null && !isEditable(application.state)) throw notEditable(application.state);
    if (version === null) throw new Failure('precondition_failed', '');
    const { body: changed, etag } = await applicationReply(deps.db, application);
    return json(200, changed, { etag });
  },
});

const notEditable = (state: string) =>
  new Failure(
    'not_a_draft',
    `The case is ${state}: it can be changed as a draft, or when a correction was requested.`,
    { state },
  );

export const applicationRoutes = [create, list, read, replace];
