import type { Request } from 'express';
import { z } from 'zod';
import {
  type DocumentsEntry,
  enterStep,
  writeDocuments,
  writeNothing,
  writeNumbers,
  writeProfile,
} from '../../db/onboarding-entries.ts';
import { listOnboardings } from '../../db/onboarding-reads.ts';
import { isEmailVerified } from '../../db/users.ts';
import { Failure } from '../../domain/failures.ts';
import type { CompanyId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { isOnboardingOpen, ONBOARDING_STATES, ONBOARDING_STEPS, type OwnerStep } from '../../domain/onboarding.ts';
import { confirmEmail } from '../accounts.ts';
import type { ApiDeps } from '../deps.ts';
import { etagOf, isFresh } from '../etag.ts';
import { entryProblem, onboardingJson, onboardingSeenBy, ownOnboarding } from '../onboarding-json.ts';
import { cancelCompany, decideOnboarding, onboardingOf, reopenOnboarding, sayStepDone } from '../onboarding-process.ts';
import { page, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { companyIdSchema, positionInTime } from '../schemas/ids.ts';
import {
  accountStep,
  documentsStep,
  identityStep,
  onboarding,
  onboardingReview,
  onboardings,
  profileStep,
} from '../schemas/onboarding.ts';
import { afterChange } from '../waiting.ts';
import { timeJson } from '../wire.ts';

const tags = ['Onboarding'];
const params = z.object({ companyId: companyIdSchema });
const responses = { 200: { description: 'Where it stands now.', schema: onboarding } } as const;

const read = defineRoute({
  method: 'get',
  path: '/onboarding/:companyId',
  summary: 'How far the onboarding of a company is: what phones poll',
  description:
    '`?wait=` holds the answer until it changes, at most so many seconds. With `If-None-Match` it waits only while that is still ' +
    'the current state; without, for the next change, unless it is over. A company that was registered before is `completed`.',
  tags,
  permission: 'onboarding.read',
  limit: 'status',
  params,
  query: z.strictObject({ wait: z.coerce.number().int().min(0).max(30).optional().describe('Seconds.') }),
  responses,
  async handler({ params: { companyId }, query: { wait = 0 }, actor, deps, req }) {
    if (wait === 0) return json(200, await statusOf(deps, actor, companyId));
    const { body, etag } = await whenChanged(deps, actor, companyId, wait * 1000, req);
    return json(200, body, { etag });
  },
});

async function statusOf(deps: ApiDeps, actor: Actor, id: CompanyId) {
  return onboardingJson(await onboardingSeenBy(deps, actor, id), actor);
}

/** With the tag that the answer will carry: those who wait compare it with what they have. */
async function taggedStatusOf(deps: ApiDeps, actor: Actor, id: CompanyId) {
  const body = await statusOf(deps, actor, id);
  return { body, etag: etagOf(JSON.stringify(body)) };
}

async function whenChanged(deps: ApiDeps, actor: Actor, id: CompanyId, waitMs: number, req: Request) {
  const gone = new AbortController();
  req.res?.once('close', () => gone.abort());
  try {
    return await afterChange(
      deps.companyChanges,
      { id, waitMs, seen: req.headers['if-none-match'], signal: gone.signal },
      () => taggedStatusOf(deps, actor, id),
      { over: ({ body }) => !isOnboardingOpen(body.state), fresh: isFresh },
    );
  } finally {
    gone.abort();
  }
}

const list = defineRoute({
  method: 'get',
  path: '/onboarding',
  summary: 'Onboardings of one state, whoever waits longest first: what the office has to look at',
  tags,
  permission: 'onboarding.review',
  query: z.strictObject({ ...pageQuery, state: z.enum(ONBOARDING_STATES).default('in_review') }),
  responses: { 200: { description: 'A page of onboardings.', schema: onboardings } },
  async handler({ query: { limit, cursor, state }, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const found = await listOnboardings(deps.db, state, { limit: limit + 1, after });
    return json(
      200,
      page(
        found,
        limit,
        ({ reviewReasons, since, startedAt, ...rest }) => ({
          ...rest,
          reasons: reviewReasons,
          since: timeJson(since),
          startedAt: timeJson(startedAt),
        }),
        ({ since, companyId }) => ({ at: since, id: companyId }),
      ),
    );
  },
});

// ---- steps ----------------------------------------------------------------------------------------------------------

interface Step {
  readonly deps: ApiDeps;
  readonly actor: Actor;
  readonly companyId: CompanyId;
  readonly requestKey: string;
  readonly origin: Parameters<typeof sayStepDone>[1]['origin'];
}

/** On record first, then told to the process; what is done already, and the same, is told to nobody. */
async function doStep(
  { deps, actor, companyId, requestKey, origin }: Step,
  step: OwnerStep,
  write: Parameters<typeof enterStep>[2],
) {
  const at = new Date().toISOString();
  const entered = await enterStep(deps.db, { companyId, step, at }, write);
  if (entered === 'entered') {
    const found = await onboardingOf(deps, companyId);
    await sayStepDone(deps, { onboarding: found, by: actor, requestKey, origin }, step);
  }
  return json(200, await statusOf(deps, actor, companyId));
}

const problems = ['not_found', 'onboarding_not_open', 'step_not_open'] as const;
const description =
  'Steps are done in their order. One that is done may be done again until the end; those that depend on it are then asked again. ' +
  'The same once more, from this device or another, changes nothing and is answered alike.';
const workflow = { gone: 'onboarding_not_open' } as const;

const accountVerified = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/steps/account_verified',
  summary: "The owner's e-mail address is verified",
  description,
  tags,
  permission: 'onboarding.use',
  params,
  body: accountStep,
  problems: [...problems, 'address_not_verified', 'link_not_valid'],
  workflow,
  responses,
  async handler({ params: { companyId }, body: { code }, actor, deps, requestKey, origin }) {
    await ownOnboarding(deps, actor, companyId);
    const { owner } = await onboardingOf(deps, companyId);
    if (code !== undefined && !(await isEmailVerified(deps.db, owner))) await confirmEmail(deps, code, origin);
    if (!(await isEmailVerified(deps.db, owner))) throw new Failure('address_not_verified', '');
    return doStep({ deps, actor, companyId, requestKey, origin }, 'account_verified', writeNothing);
  },
});

const businessProfile = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/steps/business_profile',
  summary: 'What the business is; an empty body confirms what was entered with the company',
  description,
  tags,
  permission: 'onboarding.use',
  params,
  body: profileStep,
  problems,
  workflow,
  responses,
  async handler({ params: { companyId }, body, actor, deps, locale, requestKey, origin }) {
    await ownOnboarding(deps, actor, companyId);
    const write = writeProfile(body, new Date().toISOString(), entryProblem(locale));
    return doStep({ deps, actor, companyId, requestKey, origin }, 'business_profile', write);
  },
});

const identity = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/steps/identity',
  summary: 'The numbers by which the state knows the business; an empty body confirms those that are known',
  description: `${description} Where the office has a way to the registries, they are asked afterwards; nobody waits for them.`,
  tags,
  permission: 'onboarding.use',
  params,
  body: identityStep,
  problems: [...problems, 'company_onboarded'],
  workflow,
  responses,
  async handler({ params: { companyId }, body, actor, deps, locale, requestKey, origin }) {
    await ownOnboarding(deps, actor, companyId);
    const { nib, npwp, nik } = body;
    const numbers = { ...(nib ? { nib } : {}), ...(npwp ? { npwp } : {}), ...(nik ? { nik } : {}) };
    const write = writeNumbers(numbers, deps.personalData, new Date().toISOString(), entryProblem(locale));
    return doStep({ deps, actor, companyId, requestKey, origin }, 'identity', write);
  },
});

const documents = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/steps/documents',
  summary: 'Hand in the documents that were uploaded',
  description: `${description} Which kinds are required, the legal form says (\`requiredDocuments\`).`,
  tags,
  permission: 'onboarding.use',
  params,
  body: documentsStep,
  problems,
  workflow,
  responses,
  async handler({ params: { companyId }, body: { documentIds }, actor, deps, locale, requestKey, origin }) {
    await ownOnboarding(deps, actor, companyId);
    const entry: DocumentsEntry = documentIds === undefined ? { confirm: true } : { documentIds };
    return doStep(
      { deps, actor, companyId, requestKey, origin },
      'documents',
      writeDocuments(entry, entryProblem(locale)),
    );
  },
});

const otherStep = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/steps/:step',
  summary: 'Steps that nobody does by a request: review, completed',
  tags,
  permission: 'onboarding.use',
  params: params.extend({ step: z.string().max(64) }),
  body: z.strictObject({}),
  problems: ['not_found', 'step_not_possible'],
  responses,
  async handler({ params: { companyId, step }, actor, deps }) {
    await ownOnboarding(deps, actor, companyId);
    if (step === 'review' || step === 'completed') throw new Failure('step_not_possible', '');
    throw new Failure('not_found', `There is no such step; there are ${ONBOARDING_STEPS.join(', ')}.`);
  },
});

// ---- its end, and its beginning once more ---------------------------------------------------------------------------

const cancel = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/cancel',
  summary: 'Give the onboarding up; what was entered is erased after its retention',
  tags,
  permission: 'onboarding.use',
  params,
  body: z.strictObject({}),
  problems: ['not_found', 'onboarding_not_open'],
  workflow,
  responses,
  async handler({ params: { companyId }, actor, deps, requestKey, origin }) {
    await ownOnboarding(deps, actor, companyId);
    const found = await onboardingOf(deps, companyId);
    if (found.state === 'completed' || found.state === 'cancelled')
      throw new Failure('onboarding_not_open', '', { state: found.state });
    await cancelCompany(deps, { onboarding: found, by: actor, requestKey, origin });
    return json(200, await statusOf(deps, actor, companyId));
  },
});

const reopen = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/reopen',
  summary: 'Take up an onboarding that expired or was cancelled, where it was left',
  tags,
  permission: 'onboarding.use',
  params,
  body: z.strictObject({}),
  problems: ['not_found', 'onboarding_not_open', 'not_reopenable'],
  responses,
  async handler({ params: { companyId }, actor, deps, requestKey, origin }) {
    await ownOnboarding(deps, actor, companyId);
    const found = await onboardingOf(deps, companyId);
    await reopenOnboarding(deps, { onboarding: found, by: actor, requestKey, origin });
    return json(200, await statusOf(deps, actor, companyId));
  },
});

const review = defineRoute({
  method: 'post',
  path: '/onboarding/:companyId/review',
  summary: 'Decide on an onboarding that the risk rules gave to a person',
  tags,
  permission: 'onboarding.review',
  params,
  body: onboardingReview,
  problems: ['not_found', 'onboarding_not_open', 'step_not_open', 'own_application'],
  workflow,
  responses,
  async handler({ params: { companyId }, body: { decision, step, reason }, actor, deps, requestKey, origin }) {
    const { isMember } = await onboardingSeenBy(deps, actor, companyId);
    if (isMember) throw new Failure('own_application', 'Nobody reviews a company that they act for.');
    const found = await onboardingOf(deps, companyId);
    if (!isOnboardingOpen(found.state)) throw new Failure('onboarding_not_open', '', { state: found.state });
    const message = { onboarding: found, by: actor, requestKey, origin };
    await decideOnboarding(deps, message, { decision, reason, ...(step ? { step } : {}) });
    return json(200, await statusOf(deps, actor, companyId));
  },
});

export const onboardingRoutes: readonly Route[] = [
  list,
  read,
  accountVerified,
  businessProfile,
  identity,
  documents,
  otherStep,
  cancel,
  reopen,
  review,
];
