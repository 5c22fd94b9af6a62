import { z } from 'zod';
import { type Application, withdrawDraft } from '../../db/applications.ts';
import { documentsOf } from '../../db/documents.ts';
import {
  type JudgedType,
  judgedFor,
  type LicenseType,
  licenseTypeInForce,
  licenseTypeOfCase,
} from '../../db/license-types.ts';
import { wasWithdrawnUnpaid } from '../../db/renewal-withdrawal.ts';
import { Failure } from '../../domain/failures.ts';
import { isClosed, refuseResubmission, refuseWithdrawal } from '../../domain/licensing.ts';
import { ownApplication } from '../application-json.ts';
import { requireUsableCompany } from '../company-standing.ts';
import type { ApiDeps } from '../deps.ts';
import { takePlace } from '../entitlements.ts';
import { requireComplete } from '../form-check.ts';
import { judgeRenewalDraft } from '../renewals.ts';
import type { Locale } from '../request.ts';
import { resubmit, unlessDone, withdraw, withdrawUnpaid } from '../review-process.ts';
import { defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { statusSchema, withdrawalSchema } from '../schemas/licenses.ts';
import { statusAfter } from '../status-reply.ts';
import { sendIn } from '../submission.ts';

const params = z.object({ id: applicationIdSchema });
const responses = { 200: { description: 'Where the case stands now', schema: statusSchema } } as const;

const submitRoute = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/submit',
  summary: 'Hand a draft over to the office',
  description: 'The rules in force now are the ones that the case is judged by to its end.',
  tags: ['Applications'],
  permission: 'application.write',
  params,
  problems: [
    'not_found',
    'already_submitted',
    'incomplete_application',
    'renewal_not_open',
    'renewal_not_possible',
    'plan_limit_reached',
  ],
  responses,
  async handler({ params: { id }, actor, origin, deps, locale }) {
    const application = await ownApplication(deps.db, actor, id);
    if (application.state !== 'draft') throw alreadySubmitted(application);
    await requireUsableCompany(deps, actor, application.companyId, { toSubmit: true });
    const at = new Date();
    const { renewsId } = application;
    const type = renewsId
      ? await judgeRenewalDraft(deps, actor, { ...application, renewsId }, at)
      : await judgedNow(deps, application, at);
    await requireAllOf(deps, application, type, locale);
    // What is in force may go on, whatever the plan of the moment allows.
    if (!renewsId) await takePlace(deps, { id, companyId: application.companyId, at });
    await sendIn(deps, type, { id, companyId: application.companyId, by: actor.userId, origin, at });
    return json(200, await statusAfter(deps, actor, id));
  },
});

async function judgedNow({ db }: ApiDeps, application: Application, at: Date): Promise<JudgedType> {
  const offered = await licenseTypeInForce(db, application.typeCode, at);
  if (offered) return judgedFor(db, offered, application, at);
  throw new Failure('incomplete_application', 'This type of licence is no longer offered. Begin another application.');
}

const alreadySubmitted = ({ state }: Application) =>
  new Failure('already_submitted', `The case is ${state}: it was submitted before. Follow its status.`, { state });

const resubmitRoute = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/resubmit',
  summary: 'Hand a corrected application over to the office again',
  tags: ['Applications'],
  permission: 'application.write',
  params,
  problems: ['not_found', 'not_awaiting_correction', 'incomplete_application'],
  workflow: { gone: 'not_awaiting_correction' },
  responses,
  async handler({ params: { id }, actor, origin, deps, locale, requestKey }) {
    const application = await ownApplication(deps.db, actor, id);
    const refusal = refuseResubmission(application.state);
    if (!refusal) await requireAllOf(deps, application, await licenseTypeOfCase(deps.db, id), locale);
    const isPast = application.round > 1 && !isClosed(application.state);
    await unlessDone(refusal, isPast, () => resubmit(deps, { applicationId: id, requestKey, origin }, actor));
    return json(200, await statusAfter(deps, actor, id));
  },
});

const withdrawRoute = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/withdraw',
  summary: 'Withdraw an application that the office has not decided',
  description:
    'Or the renewal of a licence that is not paid yet: its invoice is closed, and the licence can be renewed anew while its time is open.',
  tags: ['Applications'],
  permission: 'application.write',
  params,
  body: withdrawalSchema,
  problems: ['not_found', 'already_decided', 'already_closed'],
  workflow: { gone: 'already_closed' },
  responses,
  async handler({ params: { id }, body: { reason }, actor, origin, deps, requestKey }) {
    const application = await ownApplication(deps.db, actor, id);
    const isUnpaidRenewal = application.state === 'pending_payment' && application.renewsId !== null;
    const refusal = isUnpaidRenewal ? null : refuseWithdrawal(application.state);
    // Nobody works on a draft, so there is nobody to ask; should it be submitted at this moment, the process is asked.
    const done =
      application.state === 'draft' &&
      (await withdrawDraft(deps.db, id, { by: actor.userId, reason, origin, at: new Date().toISOString() }));
    const isUnpaid = isUnpaidRenewal || (await wasWithdrawnUnpaid(deps.db, id));
    const ask = () =>
      (isUnpaid ? withdrawUnpaid : withdraw)(deps, { applicationId: id, requestKey, origin }, { by: actor, reason });
    if (!done) await unlessDone(refusal, application.state === 'withdrawn', ask);
    return json(200, await statusAfter(deps, actor, id));
  },
});

export const submissionRoutes = [submitRoute, resubmitRoute, withdrawRoute];

async function requireAllOf(deps: ApiDeps, application: Application, type: LicenseType, locale: Locale): Promise<void> {
  const documents = await documentsOf(deps.db, application.id);
  requireComplete(type, application.form, new Set(documents.map(({ kind }) => kind)), locale);
}
