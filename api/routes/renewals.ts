import { z } from 'zod';
import { findOwnCompany } from '../../db/companies.ts';
import { createRenewal, renewalSource } from '../../db/renewals.ts';
import { Failure } from '../../domain/failures.ts';
import { type ApplicationId, asId, type CompanyId, type DocumentId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { applicationReply, applicationSeenBy } from '../application-json.ts';
import type { ApiDeps } from '../deps.ts';
import { requireComplete } from '../form-check.ts';
import { licenseSeenBy } from '../license-json.ts';
import { judgeRenewal, requireOpen } from '../renewals.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json } from '../route.ts';
import { licenseIdSchema } from '../schemas/ids.ts';
import { applicationSchema, renewalRequestSchema } from '../schemas/licenses.ts';
import { sendIn } from '../submission.ts';

const renew = defineRoute({
  method: 'post',
  path: '/licenses/:id/renew',
  summary: 'Renew a licence: apply for its next term',
  description:
    'While `renewal.state` of the licence is `open` or `late`. With nothing changed it goes straight to payment, with the form and the' +
    ' documents of this licence; what has changed is reviewed. The next term begins when this one ends. It is an application like any' +
    ' other: follow its status.',
  tags: ['Licences'],
  permission: 'application.write',
  params: z.object({ id: licenseIdSchema }),
  body: renewalRequestSchema,
  problems: [
    'not_found',
    'incomplete_application',
    'renewal_not_open',
    'renewal_not_possible',
    'renewal_under_way',
    'already_submitted',
  ],
  responses: { 201: { description: 'The application', schema: applicationSchema } },
  async handler({ params, body, actor, origin, deps, locale, requestKey }) {
    const at = new Date();
    const license = await licenseSeenBy(deps, actor, params.id);
    const { companyId } = license;
    await requireActiveCompany(deps, actor, companyId);
    const id = asId<ApplicationId>(idFromKey(requestKey, 'application'));
    // A repeat of the request that made it goes on where that one stopped.
    if (license.renewal?.id !== id) requireOpen(license, at);
    const source = await renewalSource(deps.db, license.id);
    const { form = source.form, companyProfileChanged: isDeclaredChanged = false, submit = true } = body ?? {};
    const { documents } = source;
    const { kind, type } = await judgeRenewal(deps, license, source, { form, documents, isDeclaredChanged }, at);
    if (submit) requireComplete(type, form, new Set(documents.map((document) => document.kind)), locale);
    await createRenewal(deps.db, {
      ...{ id, licenseId: license.id, companyId, typeCode: type.code, policyId: type.policyId, form, kind, origin },
      applicantId: actor.userId,
      documents: documents.map((of) => ({ id: asId<DocumentId>(idFromKey(requestKey, `document/${of.id}`)), of })),
      at: at.toISOString(),
    });
    if (submit) await sendIn(deps, type, { id, companyId, by: actor.userId, origin, at });
    const { body: created, etag } = await applicationReply(deps.db, await applicationSeenBy(deps.db, actor, id));
    return json(201, created, { etag, headers: { Location: `/api/v1/licenses/applications/${id}` } });
  },
});

export const renewalRoutes = [renew];

async function requireActiveCompany({ db }: ApiDeps, actor: Actor, companyId: CompanyId): Promise<void> {
  const company = await findOwnCompany(db, companyId, actor.userId);
  if (!company) throw new Failure('forbidden', 'Only the people of the company may do this.');
  if (company.status === 'active') return;
  throw new Failure('forbidden', `The company is ${company.status}: it cannot renew. Ask the licensing office.`);
}
