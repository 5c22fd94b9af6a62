/** Returns of goods: asked for by the customer, and everything that is said to one on its way. */
import { z } from 'zod';
import { companyOfOrder, listReturns } from '../../db/return-reads.ts';
import { openReturn } from '../../db/returns.ts';
import { recordShopMessage } from '../../db/shop-messages.ts';
import { returnPolicy } from '../../db/shop-policies.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type ReturnId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import type { InspectContent, InspectedUnits } from '../../domain/return-messages.ts';
import {
  type Condition,
  type Disposition,
  RETURN_REASONS,
  RETURN_STATES,
  type ReturnReason,
} from '../../domain/returns.ts';
import { isStaff } from '../../domain/roles.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { returnJson, returnSeenBy, returnSide, returnSummaryJson } from '../return-json.ts';
import { sayToReturn, startReturn } from '../return-process.ts';
import { type Context, defineRoute, json, type Route } from '../route.ts';
import { companyIdSchema, orderIdSchema, positionInTime } from '../schemas/ids.ts';
import {
  acceptDeductionSchema,
  approveSchema,
  cancelReturnSchema,
  continueSchema,
  decideDisputeSchema,
  disputeSchema,
  inspectSchema,
  newReturnSchema,
  provideInfoSchema,
  receiveSchema,
  rejectSchema,
  requestInfoSchema,
  resolveSchema,
  returnEventSchema,
  returnIdSchema,
  returnSchema,
  returnSummarySchema,
} from '../schemas/returns.ts';
import { storyOf } from '../story.ts';
import { onceChanged, WAITS, waitQuery } from '../wait-query.ts';

const tags = ['Returns'];
const params = z.object({ id: returnIdSchema });
const workflow = { gone: 'return_not_open' } as const;
const responses = { 200: { description: 'The return, as it is now', schema: returnSchema } } as const;

// ---- asking for one -------------------------------------------------------------------------------------------------

const create = defineRoute({
  method: 'post',
  path: '/returns',
  summary: 'Ask to send goods back',
  description:
    'Whole units of one order, that have arrived, within their window. The rules that are in force now count for all of it.',
  tags,
  permission: 'return.request',
  body: newReturnSchema,
  problems: ['not_found', 'not_returnable', 'unit_claimed', 'items_not_known', 'exchange_not_possible'],
  responses: { 201: { description: 'On record, and under way', schema: returnSchema } },
  async handler({ body, actor, origin, deps, locale, requestKey }) {
    const id = asId<ReturnId>(idFromKey(requestKey, 'return'));
    const { orderId, refundMethod: wanted, exchangeSku } = body;
    const companyId = await companyOfOrder(deps.db, actor, orderId);
    if (!companyId) throw new Failure('not_found', 'There is no such order, or it is not yours.');
    if ((wanted === 'exchange') !== (exchangeSku !== undefined))
      throw wrongField('/exchangeSku', 'exchange_sku', 'Say for which product, and only with an exchange.');
    const now = new Date();
    const asked = body.items.map(({ reason, ...item }) => ({ ...item, ...knownReason(reason) }));
    const words = [body.note, ...asked.map((item) => item.words)].filter((text) => text !== undefined);
    await deps.db.transaction(async (tx) => {
      await openReturn(tx, {
        ...{ returnId: id, orderId, companyId, by: actor.userId, wanted, origin, at: now.toISOString() },
        items: asked.map(({ words: _words, orderItemId, number, quantity, reason, condition }) => ({
          ...{ orderItemId, reason },
          ...(number === undefined ? {} : { number }),
          ...(quantity === undefined ? {} : { quantity }),
          ...(condition === undefined ? {} : { condition }),
        })),
        ...(exchangeSku === undefined ? {} : { exchangeSku }),
        policy: await returnPolicy(tx, now),
      });
      if (words.length === 0) return;
      const content = { note: words.join('\n') };
      const said = { subject: `rma/${id}` as const, kind: 'request', by: actor.userId, content, requestKey, at: now };
      await recordShopMessage(tx, said);
    });
    // Should this fail, the sweep starts it within minutes.
    await startReturn(deps, id);
    return json(201, await nowOf(deps, actor, id, locale), { headers: { Location: `/api/v1/returns/${id}` } });
  },
});

function knownReason(given: string): { readonly reason: ReturnReason; readonly words?: string } {
  const known = RETURN_REASONS.find((reason) => reason === given.toLowerCase().replaceAll(/[\s-]+/g, '_'));
  return known ? { reason: known } : { reason: 'other', words: given };
}

const wrongField = (pointer: string, code: string, detail: string): Failure =>
  new Failure('invalid_request', detail, { errors: [{ pointer, code, detail }] });

const nowOf = async (deps: ApiDeps, actor: Actor, id: ReturnId, locale: Locale) =>
  returnJson(await returnSeenBy(deps, actor, id), locale, { staff: isStaff(actor.roles) });

// ---- reading --------------------------------------------------------------------------------------------------------

const list = defineRoute({
  method: 'get',
  path: '/returns',
  summary: 'Returns that the caller may see, newest first',
  tags,
  permission: 'return.read',
  query: z.strictObject({
    ...pageQuery,
    state: z.enum(RETURN_STATES).optional(),
    orderId: orderIdSchema.optional(),
    companyId: companyIdSchema.optional(),
  }),
  responses: { 200: { description: 'A page of returns', schema: pageOf(returnSummarySchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listReturns(deps.db, actor, { ...filter, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, returnSummaryJson, ({ requestedAt, id }) => ({ at: requestedAt, id })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/returns/:id',
  summary: 'Where a return stands: its units, its money, what happens next and by when',
  description: WAITS,
  tags,
  permission: 'return.read',
  limit: 'status',
  params,
  query: waitQuery,
  problems: ['not_found'],
  responses,
  async handler({ params: { id }, query: { wait = 0 }, actor, deps, locale, req }) {
    const { body, etag } = await onceChanged(deps.returnChanges, { id, wait, req }, () =>
      nowOf(deps, actor, id, locale),
    );
    return json(200, body, { etag });
  },
});

const story = defineRoute({
  method: 'get',
  path: '/returns/:id/timeline',
  summary: 'What has happened to a return, oldest first',
  tags,
  permission: 'return.read',
  params,
  query: z.strictObject(pageQuery),
  problems: ['not_found'],
  responses: { 200: { description: 'A page of events', schema: pageOf(returnEventSchema) } },
  async handler({ params: { id }, query, actor, deps }) {
    await returnSeenBy(deps, actor, id);
    return storyOf(deps, { subject: `rma/${id}` }, { viewer: actor.userId, staff: isStaff(actor.roles) }, query);
  },
});

// ---- what is said to one --------------------------------------------------------------------------------------------

type Asked = Pick<
  Context<{ id: ReturnId }, undefined, unknown, undefined, Actor>,
  'params' | 'actor' | 'origin' | 'deps' | 'requestKey' | 'locale'
>;
const saidBy = ({ params: { id }, actor, origin, requestKey }: Asked) => ({ id, actor, origin, requestKey });
const answerTo = async ({ params: { id }, actor, deps, locale }: Asked) =>
  json(200, await nowOf(deps, actor, id, locale));

/** Only for the customer: nobody in the office agrees or answers for them. */
async function mustBuy({ params: { id }, actor, deps }: Asked): Promise<void> {
  if ((await returnSide(deps, actor, id)) === 'seller')
    throw new Failure('forbidden', 'Only the company that asked for the return says this.');
}

/** Nobody who acts for the customer decides on its return, whatever their office. */
async function mustNotBuy({ params: { id }, actor, deps }: Asked): Promise<void> {
  if ((await returnSide(deps, actor, id)) === 'buyer')
    throw new Failure('forbidden', 'This is a return of your own company: ask a colleague.');
}

const approve = defineRoute({
  method: 'post',
  path: '/returns/:id/approve',
  summary: 'Approve a return, or some of its units',
  tags,
  permission: 'return.review',
  params,
  body: approveSchema,
  problems: ['not_found', 'return_not_open', 'items_not_known', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustNotBuy(asked);
    const { items, units = items, note } = asked.body;
    await sayToReturn(asked.deps, saidBy(asked), 'approve', {
      ...(units && { items: units.map(choiceOf) }),
      ...(note && { note }),
    });
    return answerTo(asked);
  },
});

type Choice =
  | InspectedUnits
  | { orderItemId: InspectedUnits['orderItemId']; number?: number | undefined; quantity?: number | undefined };
const choiceOf = ({ orderItemId, number, quantity }: Choice) => ({
  orderItemId,
  ...(number === undefined ? {} : { number }),
  ...(quantity === undefined ? {} : { quantity }),
});

const reject = defineRoute({
  method: 'post',
  path: '/returns/:id/reject',
  summary: 'Refuse a return, with the reason that the customer reads',
  tags,
  permission: 'return.review',
  params,
  body: rejectSchema,
  problems: ['not_found', 'return_not_open', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustNotBuy(asked);
    await sayToReturn(asked.deps, saidBy(asked), 'reject', asked.body);
    return answerTo(asked);
  },
});

const requestInfo = defineRoute({
  method: 'post',
  path: '/returns/:id/request-info',
  summary: 'Ask the customer something before deciding',
  tags,
  permission: 'return.review',
  params,
  body: requestInfoSchema,
  problems: ['not_found', 'return_not_open', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustNotBuy(asked);
    const { question, message = question, note = message } = asked.body;
    if (note === undefined) throw wrongField('/question', 'required', 'Say what you need to know.');
    await sayToReturn(asked.deps, saidBy(asked), 'request_info', { question: note });
    return answerTo(asked);
  },
});

const provideInfo = defineRoute({
  method: 'post',
  path: '/returns/:id/provide-info',
  summary: 'Answer what the seller asked',
  description: 'Photos are uploaded beside it.',
  tags,
  permission: 'return.request',
  params,
  body: provideInfoSchema,
  problems: ['not_found', 'return_not_open', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustBuy(asked);
    const { answer, message = answer, note = message } = asked.body;
    if (note === undefined) throw wrongField('/answer', 'required', 'Say what was asked.');
    await sayToReturn(asked.deps, saidBy(asked), 'provide_info', { answer: note });
    return answerTo(asked);
  },
});

const cancel = defineRoute({
  method: 'post',
  path: '/returns/:id/cancel',
  summary: 'Call a return off before it is sent',
  tags,
  permission: 'return.request',
  params,
  body: cancelReturnSchema.optional(),
  problems: ['not_found', 'return_not_open', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustBuy(asked);
    const note = asked.body?.note ?? asked.body?.reason;
    await sayToReturn(asked.deps, saidBy(asked), 'cancel', note === undefined ? {} : { note });
    return answerTo(asked);
  },
});

const receive = defineRoute({
  method: 'post',
  path: '/returns/:id/receive',
  summary: 'Units of a return are here; a part of them is fine',
  description: 'Also of a return that has expired or was called off: it is taken up again.',
  tags,
  permission: 'return.receive',
  params,
  body: receiveSchema.optional(),
  problems: ['not_found', 'return_not_open', 'items_not_known', 'serial_not_valid', 'unit_claimed', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustNotBuy(asked);
    const { items, units = items, complete } = asked.body ?? {};
    await sayToReturn(asked.deps, saidBy(asked), 'receive', {
      ...(units && {
        units: units.map((unit) => ({ ...choiceOf(unit), ...(unit.serial && { serial: unit.serial }) })),
      }),
      ...(complete === undefined ? {} : { complete }),
    });
    return answerTo(asked);
  },
});

const inspect = defineRoute({
  method: 'post',
  path: '/returns/:id/inspect',
  summary: 'What units that were received are found in, and where they go',
  tags,
  permission: 'return.receive',
  params,
  body: inspectSchema,
  problems: ['not_found', 'return_not_open', 'items_not_known', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustNotBuy(asked);
    await sayToReturn(asked.deps, saidBy(asked), 'inspect', await inspectionOf(asked, asked.body));
    return answerTo(asked);
  },
});

interface Found {
  readonly condition?: Condition | undefined;
  readonly disposition?: Disposition | undefined;
  readonly restock?: boolean | undefined;
  readonly accepted?: boolean | undefined;
}

async function inspectionOf(
  { params: { id }, actor, deps }: Asked,
  body: z.output<typeof inspectSchema>,
): Promise<InspectContent> {
  const { items, units: named = items, ...whole } = body;
  const received = async () => {
    const it = await returnSeenBy(deps, actor, id);
    return it.units
      .filter(({ state }) => state === 'received')
      .map(({ orderItemId, number }) => ({ orderItemId, number }));
  };
  if (!named && whole.condition === undefined)
    throw wrongField('/condition', 'required', 'Say what it was found in, as a whole or unit by unit.');
  const units: readonly (Choice & Found & { readonly note?: string | undefined })[] = named ?? (await received());
  return {
    units: units.map((unit) => {
      const note = unit.note ?? whole.note;
      return { ...choiceOf(unit), ...foundIn({ ...whole, ...defined(unit) }), ...(note === undefined ? {} : { note }) };
    }),
  };
}

/** What of a unit is said counts before what is said of all. */
const defined = ({ condition, disposition, restock, accepted }: Found): Found => ({
  ...(condition === undefined ? {} : { condition }),
  ...(disposition === undefined ? {} : { disposition }),
  ...(restock === undefined ? {} : { restock }),
  ...(accepted === undefined ? {} : { accepted }),
});

function foundIn({
  condition = 'as_new',
  disposition,
  restock,
  accepted,
}: Found): Pick<InspectedUnits, 'condition' | 'disposition'> {
  if (accepted === false) return { condition, disposition: 'send_back' };
  if (disposition !== undefined) return { condition, disposition };
  const isSaleable = condition === 'unopened' || condition === 'as_new';
  return { condition, disposition: (restock ?? isSaleable) ? 'restock' : 'scrap' };
}

const resolve = defineRoute({
  method: 'post',
  path: '/returns/:id/resolve',
  summary: 'Choose how to be made whole: refund, store credit, replacement or exchange',
  tags,
  permission: 'return.request',
  params,
  body: resolveSchema,
  problems: ['not_found', 'return_not_open', 'exchange_not_possible', 'out_of_stock', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustBuy(asked);
    const { refundMethod, method = refundMethod, resolution = method, exchangeSku } = asked.body;
    if (resolution === undefined)
      throw wrongField('/resolution', 'required', 'Say which: refund, store_credit, replacement or exchange.');
    await sayToReturn(asked.deps, saidBy(asked), 'resolve', {
      resolution,
      ...(exchangeSku === undefined ? {} : { exchangeSku }),
    });
    return answerTo(asked);
  },
});

const acceptDeduction = defineRoute({
  method: 'post',
  path: '/returns/:id/accept-deduction',
  summary: 'Accept what the statement deducts',
  description: 'Without `version` the newest statement is accepted.',
  tags,
  permission: 'return.request',
  params,
  body: acceptDeductionSchema.optional(),
  problems: ['not_found', 'return_not_open', 'statement_changed', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustBuy(asked);
    const version = asked.body?.version;
    await sayToReturn(asked.deps, saidBy(asked), 'accept_deduction', version === undefined ? {} : { version });
    return answerTo(asked);
  },
});

const dispute = defineRoute({
  method: 'post',
  path: '/returns/:id/dispute',
  summary: 'Object to what the statement deducts; somebody who did not inspect it decides',
  tags,
  permission: 'return.request',
  params,
  body: disputeSchema,
  problems: ['not_found', 'return_not_open', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustBuy(asked);
    await sayToReturn(asked.deps, saidBy(asked), 'dispute', asked.body);
    return answerTo(asked);
  },
});

const decideDispute = defineRoute({
  method: 'post',
  path: '/returns/:id/decide-dispute',
  summary: 'Decide on what the customer objects to',
  tags,
  permission: 'return.review',
  params,
  body: decideDisputeSchema,
  problems: ['not_found', 'return_not_open', 'not_your_return', 'forbidden'],
  workflow,
  responses,
  async handler(asked) {
    await mustNotBuy(asked);
    await sayToReturn(asked.deps, saidBy(asked), 'decide_dispute', asked.body);
    return answerTo(asked);
  },
});

const goOn = defineRoute({
  method: 'post',
  path: '/returns/:id/continue',
  summary: 'Say how a return goes on that a person had to look at',
  tags,
  permission: 'return.continue',
  params,
  body: continueSchema,
  problems: ['not_found', 'return_not_open', 'forbidden', 'out_of_stock', 'exchange_not_possible'],
  workflow,
  responses,
  async handler(asked) {
    await mustNotBuy(asked);
    await sayToReturn(asked.deps, saidBy(asked), 'continue', asked.body);
    return answerTo(asked);
  },
});

export const returnRoutes: readonly Route[] = [
  create,
  list,
  read,
  story,
  approve,
  reject,
  requestInfo,
  provideInfo,
  cancel,
  receive,
  inspect,
  resolve,
  acceptDeduction,
  dispute,
  decideDispute,
  goOn,
];
