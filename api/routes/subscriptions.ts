/** A company's subscription: started, read, and everything that can be asked of it. */
import { z } from 'zod';
import type { Knex } from '../../db/connection.ts';
import { issuerOfSubscriptions } from '../../db/offices.ts';
import { planInForce } from '../../db/plans.ts';
import {
  findSubscription,
  hadSubscription,
  hasCard,
  listSubscriptions,
  openSubscriptionOf,
  type SubscriptionRead,
  termsOf,
} from '../../db/subscription-reads.ts';
import { openSubscription } from '../../db/subscriptions.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type SubscriptionId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { isStaff } from '../../domain/roles.ts';
import { hasEnded } from '../../domain/subscription-changes.ts';
import { type Plan, SUBSCRIPTION_STATES } from '../../domain/subscriptions.ts';
import { requireUsableCompany } from '../company-standing.ts';
import type { ApiDeps } from '../deps.ts';
import { etagOf, isFresh } from '../etag.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { hangUpSignal, type Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { type Context, defineRoute, json } from '../route.ts';
import { companyIdSchema, positionInTime, subscriptionIdSchema } from '../schemas/ids.ts';
import {
  cancelSubscriptionSchema,
  changePlanSchema,
  extendSchema,
  methodSchema,
  newSubscriptionSchema,
  subscriptionEventSchema,
  subscriptionSchema,
  termSchema,
} from '../schemas/subscriptions.ts';
import { sealOrigin } from '../sealed-origin.ts';
import { storyOf } from '../story.ts';
import { subscriptionJson, subscriptionSeenBy } from '../subscription-json.ts';
import {
  cancelSubscription,
  changeMethod,
  changePlan,
  extendSubscription,
  pauseSubscription,
  resumeSubscription,
  startSubscription,
} from '../subscription-process.ts';
import { afterChange } from '../waiting.ts';
import { moneyJson, timeJson } from '../wire.ts';

const tags = ['Subscriptions'];
const params = z.object({ id: subscriptionIdSchema });
const workflow = { gone: 'subscription_not_open' } as const;
const permission = 'subscription.manage';
const responses = { 200: { description: 'The subscription, as it is now', schema: subscriptionSchema } } as const;

const create = defineRoute({
  method: 'post',
  path: '/subscriptions',
  summary: 'Subscribe a company to a plan',
  description:
    'With a trial where the plan has one and the company has had no subscription before. A company has one subscription at a time.',
  tags,
  permission,
  body: newSubscriptionSchema,
  problems: ['not_found', 'plan_not_offered', 'already_subscribed', 'company_not_active'],
  responses: { 201: { description: 'Started', schema: subscriptionSchema } },
  async handler({ body: { companyId, planCode }, actor, origin, deps, locale, requestKey }) {
    const id = asId<SubscriptionId>(idFromKey(requestKey, 'subscription'));
    // A repeat after a crash meets its own.
    if (!(await findSubscription(deps.db, actor, id))) {
      await requireUsableCompany(deps, actor, companyId, { toSubmit: true });
      if (await openSubscriptionOf(deps.db, companyId)) throw new Failure('already_subscribed', '');
      const at = new Date();
      const offered = await offeredPlan(deps.db, planCode, at);
      const plan = (await hadSubscription(deps.db, companyId)) ? { ...offered, trialDays: 0 } : offered;
      const { zone } = await issuerOfSubscriptions(deps.db);
      const started = { subscriptionId: id, companyId, by: actor.userId, plan, zone, startedAt: at.toISOString() };
      await startSubscription(deps, { ...started, origin: sealOrigin(deps, origin) });
      // Should this not come to pass, the process makes the same record as its first step.
      await deps.db.transaction((tx) => openSubscription(tx, { ...started, origin }));
    }
    const headers = { Location: `/api/v1/subscriptions/${id}` };
    return json(201, await nowOf(deps, actor, id, locale), { headers });
  },
});

async function offeredPlan(db: Knex, code: string, at: Date): Promise<Plan> {
  const plan = await planInForce(db, code, at);
  if (plan) return plan;
  throw new Failure('plan_not_offered', 'There is no such plan on offer. Look at GET /api/v1/plans.', {
    errors: [{ pointer: '/planCode', code: 'not_offered', detail: 'GET /api/v1/plans' }],
  });
}

const nowOf = async (deps: ApiDeps, actor: Actor, id: SubscriptionId, locale: Locale) =>
  subscriptionJson(await subscriptionSeenBy(deps, actor, id), deps.publicUrl, locale);

const list = defineRoute({
  method: 'get',
  path: '/subscriptions',
  summary: 'Subscriptions that the caller may see, newest first',
  description: "An owner's and an integrator's own; finance, supervisors, ops and admins see all.",
  tags,
  permission: 'subscription.read',
  query: z.strictObject({
    ...pageQuery,
    state: z.enum(SUBSCRIPTION_STATES).optional(),
    companyId: companyIdSchema.optional(),
  }),
  responses: { 200: { description: 'A page of subscriptions', schema: pageOf(subscriptionSchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps, locale }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listSubscriptions(deps.db, actor, { ...filter, after, limit: limit + 1 });
    const toItem = (row: SubscriptionRead) => subscriptionJson(row, deps.publicUrl, locale);
    return json(
      200,
      page(rows, limit, toItem, ({ startedAt, id }) => ({ at: startedAt, id })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/subscriptions/:id',
  summary: 'Where a subscription stands: what owners poll',
  description:
    '`?wait=` holds the answer until something changes, at most so many seconds. With `If-None-Match` it waits only while ' +
    'that is still the current state; without, for the next change, unless the subscription is over.',
  tags,
  permission: 'subscription.read',
  limit: 'status',
  params,
  query: z.strictObject({ wait: z.coerce.number().int().min(0).max(30).optional().describe('Seconds.') }),
  problems: ['not_found'],
  responses,
  async handler({ params: { id }, query: { wait = 0 }, actor, deps, locale, req }) {
    const now = async () => {
      const it = await subscriptionSeenBy(deps, actor, id);
      const body = subscriptionJson(it, deps.publicUrl, locale);
      return { it, body, etag: etagOf(JSON.stringify(body)) };
    };
    const first = await now();
    const seen = req.headers['if-none-match'];
    const howLong = {
      id: first.it.companyId,
      waitMs: wait * 1000,
      seen: seen ?? first.etag,
      signal: hangUpSignal(req),
    };
    const over = ({ it }: Awaited<ReturnType<typeof now>>) => hasEnded(it.state);
    const { body, etag } =
      wait === 0 ? first : await afterChange(deps.companyChanges, howLong, now, { over, fresh: isFresh });
    return json(200, body, { etag });
  },
});

const terms = defineRoute({
  method: 'get',
  path: '/subscriptions/:id/terms',
  summary: 'What was paid for, the latest first',
  tags,
  permission: 'subscription.read',
  params,
  query: z.strictObject(pageQuery),
  problems: ['not_found'],
  responses: { 200: { description: 'A page of terms', schema: pageOf(termSchema) } },
  async handler({ params: { id }, query: { limit, cursor }, actor, deps }) {
    await subscriptionSeenBy(deps, actor, id);
    const before = readCursor(cursor, z.object({ number: z.int().positive() }))?.number ?? null;
    const rows = await termsOf(deps.db, id, { before, limit: limit + 1 });
    return json(
      200,
      page(
        rows,
        limit,
        (row) => ({ ...row, from: timeJson(row.from), to: timeJson(row.to), amount: moneyJson(row.amount) }),
        ({ number }) => ({ number }),
      ),
    );
  },
});

const story = defineRoute({
  method: 'get',
  path: '/subscriptions/:id/events',
  summary: 'What has happened to a subscription, oldest first',
  tags,
  permission: 'subscription.read',
  params,
  query: z.strictObject(pageQuery),
  problems: ['not_found'],
  responses: { 200: { description: 'A page of events', schema: pageOf(subscriptionEventSchema) } },
  async handler({ params: { id }, query, actor, deps }) {
    await subscriptionSeenBy(deps, actor, id);
    return storyOf(
      deps,
      { subject: `subscription/${id}` },
      { viewer: actor.userId, staff: isStaff(actor.roles) },
      query,
    );
  },
});

type Asked = Pick<
  Context<{ id: SubscriptionId }, undefined, unknown, undefined, Actor>,
  'params' | 'actor' | 'origin' | 'deps' | 'requestKey' | 'locale'
>;
const messageOf = ({ params: { id }, actor, origin, requestKey }: Asked) => ({ id, actor, origin, requestKey });
const answerTo = async ({ params: { id }, actor, deps, locale }: Asked) =>
  json(200, await nowOf(deps, actor, id, locale));

const cancel = defineRoute({
  method: 'post',
  path: '/subscriptions/:id/cancel',
  summary: 'End a subscription, now or with the period that is paid',
  tags,
  permission,
  params,
  body: cancelSubscriptionSchema,
  problems: ['not_found', 'subscription_not_open'],
  workflow,
  responses,
  async handler(asked) {
    await subscriptionSeenBy(asked.deps, asked.actor, asked.params.id);
    await cancelSubscription(asked.deps, messageOf(asked), asked.body.at);
    return answerTo(asked);
  },
});

const pause = defineRoute({
  method: 'post',
  path: '/subscriptions/:id/pause',
  summary: 'Pause a subscription; the days that are paid are kept',
  tags,
  permission,
  params,
  problems: ['not_found', 'subscription_not_open'],
  workflow,
  responses,
  async handler(asked) {
    await subscriptionSeenBy(asked.deps, asked.actor, asked.params.id);
    await pauseSubscription(asked.deps, messageOf(asked));
    return answerTo(asked);
  },
});

const resume = defineRoute({
  method: 'post',
  path: '/subscriptions/:id/resume',
  summary: "End a pause, or take back a cancellation at the period's end",
  tags,
  permission,
  params,
  problems: ['not_found', 'subscription_not_open'],
  workflow,
  responses,
  async handler(asked) {
    await subscriptionSeenBy(asked.deps, asked.actor, asked.params.id);
    await resumeSubscription(asked.deps, messageOf(asked));
    return answerTo(asked);
  },
});

const change = defineRoute({
  method: 'post',
  path: '/subscriptions/:id/change-plan',
  summary: 'Change to another plan',
  description:
    'A dearer one of the same interval counts as soon as the invoice of the difference is paid, any other one from the next ' +
    'period on.',
  tags,
  permission,
  params,
  body: changePlanSchema,
  problems: ['not_found', 'subscription_not_open', 'plan_not_offered'],
  workflow,
  responses,
  async handler(asked) {
    const { deps, actor, params, body } = asked;
    const it = await subscriptionSeenBy(deps, actor, params.id);
    const plan = await offeredPlan(deps.db, body.planCode, new Date());
    if (plan.currency !== it.price.currency)
      throw new Failure('plan_not_offered', `This subscription is paid in ${it.price.currency}. Choose another plan.`);
    await changePlan(deps, messageOf(asked), plan);
    return answerTo(asked);
  },
});

const extend = defineRoute({
  method: 'post',
  path: '/subscriptions/:id/extend',
  summary: 'Give a subscription more days, for nothing',
  description: 'By the office, with a reason, which is recorded.',
  tags,
  permission: 'subscription.extend',
  stepUp: 'where_there_is_a_factor',
  params,
  body: extendSchema,
  problems: ['not_found', 'subscription_not_open'],
  workflow,
  responses,
  async handler(asked) {
    await subscriptionSeenBy(asked.deps, asked.actor, asked.params.id);
    await extendSubscription(asked.deps, messageOf(asked), asked.body);
    return answerTo(asked);
  },
});

const method = defineRoute({
  method: 'post',
  path: '/subscriptions/:id/method',
  summary: 'Pay by a card on file from now on, or by a link each time',
  tags,
  permission,
  params,
  body: methodSchema,
  problems: ['not_found', 'subscription_not_open'],
  workflow,
  responses,
  async handler(asked) {
    const { deps, actor, params, body } = asked;
    const it = await subscriptionSeenBy(deps, actor, params.id);
    if (body.cardId !== null && !(await hasCard(deps.db, it.companyId, body.cardId)))
      throw new Failure('not_found', 'The company has no such card on file. Add it first.');
    await changeMethod(deps, messageOf(asked), body.cardId);
    return answerTo(asked);
  },
});

export const subscriptionRoutes = [create, list, read, terms, story, cancel, pause, resume, change, extend, method];
