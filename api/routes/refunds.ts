/** Giving money back: asked for by the payer or the office, agreed to by a second person, and where it shall go. */
import { z } from 'zod';
import { paymentSeenBy } from '../../db/payment-reads.ts';
import {
  listRefunds,
  recordAccountRead,
  refundSeenBy,
  sealedDestination,
  stepsOfRefund,
} from '../../db/refund-reads.ts';
import { requestRefund } from '../../db/refund-requests.ts';
import type { Refund } from '../../db/refunds.ts';
import { creditEntries, creditOf } from '../../db/store-credit.ts';
import { BANKS, findBank } from '../../domain/bank-accounts.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type PaymentId, type RefundId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { nextStep, REFUND_STATES, readReason, refuseDestination } from '../../domain/refunds.ts';
import { isStaff, may, seesEveryCase } from '../../domain/roles.ts';
import { ownCompany } from '../company-members.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import {
  decideRefund,
  giveDestination,
  type RefundMessage,
  recordDestination,
  reportTransfer,
  sealAccount,
  startRefund,
  throwIf,
} from '../refund-process.ts';
import type { Caller, Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { type Context, defineRoute, json, type Route } from '../route.ts';
import { companyIdSchema, paymentIdSchema, positionInTime, refundIdSchema } from '../schemas/ids.ts';
import {
  approval,
  banks,
  destination,
  destinationInClear,
  newRefund,
  refundSchema,
  refundSummarySchema,
  rejection,
  storeCreditSchema,
  transferFailed,
  transferred,
} from '../schemas/refunds.ts';
import { moneyJson, timeJson, timeOrNull } from '../wire.ts';

const tags = ['Refunds'];
const params = z.object({ id: refundIdSchema });
const workflow = { gone: 'refund_not_open' } as const;
const responses = { 200: { description: 'The refund, as it is now.', schema: refundSchema } };
const NO_STORE = { headers: { 'Cache-Control': 'no-store' } };

type Asked = Pick<Context<unknown, undefined, unknown, undefined, Caller>, 'actor' | 'origin' | 'deps' | 'requestKey'>;

const request = defineRoute({
  method: 'post',
  path: '/refunds',
  summary: 'Ask for money back',
  description:
    'Of one payment; no more than is left of it. A payer asks for its own and somebody in the office agrees; finance asks ' +
    'for any, and above a threshold a second person agrees. It goes back the way it came where that is possible.',
  tags,
  permission: 'refund.request',
  body: newRefund,
  problems: ['not_found', 'payment_not_refundable', 'refund_exceeds_payment', 'bank_account_not_valid', 'forbidden'],
  responses: { 201: { description: 'On record, and under way.', schema: refundSchema } },
  async handler({ body, actor, origin, deps, requestKey, locale }) {
    const { paymentId, amountMinor, destination: given } = body;
    await mustSeePayment(deps, actor, paymentId);
    const id = asId<RefundId>(idFromKey(requestKey, 'refund'));
    const { reason, words } = readReason(body.reason);
    const notes = [words, body.note].filter((text) => text != null);
    await deps.db.transaction(async (tx) => {
      const refund = await requestRefund(tx, {
        id,
        paymentId,
        amountMinor: amountMinor === undefined ? null : BigInt(amountMinor),
        reason,
        requestedBy: actor.userId,
        note: notes.length > 0 ? notes.join('\n') : null,
        at: new Date().toISOString(),
        policy: deps.money,
        requestedByPayer: !isStaff(actor.roles),
        origin,
      });
      if (!given) return;
      const message = { refund, by: actor.userId, requestKey, origin };
      await recordDestination(tx, message, await sealed({ ...deps, db: tx }, actor, refund, given, locale));
    });
    await startRefund(deps, id);
    return json(201, await detailed(deps, actor, id));
  },
});

async function mustSeePayment({ db }: ApiDeps, actor: Actor, id: PaymentId): Promise<void> {
  if (await paymentSeenBy(db, actor, id)) return;
  throw new Failure('not_found', 'There is no such payment, or none that you may see.');
}

async function sealed(
  deps: Pick<ApiDeps, 'db' | 'personalData'>,
  actor: Actor,
  refund: Refund,
  given: z.output<typeof destination>,
  locale: Locale,
) {
  if (given.channel === 'bank_transfer') return sealAccount(deps, refund, given, locale);
  if (isStaff(actor.roles)) throw new Failure('forbidden', 'Only the payer can choose to keep it as credit. Ask them.');
  return given.channel;
}

const list = defineRoute({
  method: 'get',
  path: '/refunds',
  summary: 'Refunds, newest first',
  tags,
  permission: 'refund.read',
  query: z.strictObject({
    ...pageQuery,
    state: z.enum(REFUND_STATES).optional(),
    paymentId: paymentIdSchema.optional(),
    companyId: companyIdSchema.optional(),
  }),
  responses: { 200: { description: 'A page of refunds', schema: pageOf(refundSummarySchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listRefunds(deps.db, actor, { ...filter, after, limit: limit + 1 });
    return json(
      200,
      page(
        rows,
        limit,
        (refund) => toJson(refund, actor),
        ({ requestedAt, id }) => ({ at: requestedAt, id }),
      ),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/refunds/:id',
  summary: 'A refund: where it is, who has the next step and by when',
  tags,
  permission: 'refund.read',
  params,
  problems: ['not_found'],
  responses,
  handler: async ({ params: { id }, actor, deps }) => json(200, await detailed(deps, actor, id)),
});

// ---- decisions ------------------------------------------------------------------------------------------------------

const decisionProblems = ['not_found', 'own_refund', 'refund_not_open'] as const;

const approve = defineRoute({
  method: 'post',
  path: '/refunds/:id/approve',
  summary: 'Agree to a refund',
  description: 'By somebody else than who asked for it, who does not act for the payer. Wants a fresh second factor.',
  tags,
  permission: 'refund.approve',
  stepUp: 'where_there_is_a_factor',
  params,
  body: approval,
  problems: [...decisionProblems, 'step_up_required'],
  workflow,
  responses,
  async handler({ params: { id }, body: { note = null }, ...asked }) {
    const refund = await seen(asked.deps, asked.actor, id);
    await decideRefund(asked.deps, messageOf(asked, refund), 'approve', note);
    return json(200, await detailed(asked.deps, asked.actor, id));
  },
});

const reject = defineRoute({
  method: 'post',
  path: '/refunds/:id/reject',
  summary: 'Refuse a refund',
  tags,
  permission: 'refund.approve',
  params,
  body: rejection,
  problems: decisionProblems,
  workflow,
  responses,
  async handler({ params: { id }, body: { note }, ...asked }) {
    const refund = await seen(asked.deps, asked.actor, id);
    await decideRefund(asked.deps, messageOf(asked, refund), 'reject', note);
    return json(200, await detailed(asked.deps, asked.actor, id));
  },
});

const cancel = defineRoute({
  method: 'post',
  path: '/refunds/:id/cancel',
  summary: 'Call a refund off before it is on its way',
  description: 'By who asked for it, or by finance.',
  tags,
  permission: 'refund.request',
  params,
  body: approval,
  problems: ['not_found', 'refund_not_open'],
  workflow,
  responses,
  async handler({ params: { id }, body: { note = null }, ...asked }) {
    const { deps, actor } = asked;
    const refund = await seen(deps, actor, id);
    if (refund.requestedBy !== actor.userId && !may(actor.roles, 'refund.approve')) {
      throw new Failure('forbidden', 'Only who asked for a refund, or finance, calls it off.');
    }
    await decideRefund(deps, messageOf(asked, refund), 'cancel', note);
    return json(200, await detailed(deps, actor, id));
  },
});

// ---- where to -------------------------------------------------------------------------------------------------------

const give = defineRoute({
  method: 'post',
  path: '/refunds/:id/destination',
  summary: 'Say where the money shall go',
  description: 'Needed where the way it came cannot take it back. An account is kept encrypted and shown masked.',
  tags,
  permission: 'refund.request',
  params,
  body: destination,
  problems: ['not_found', 'refund_not_open', 'bank_account_not_valid', 'forbidden'],
  workflow,
  responses,
  async handler({ params: { id }, body, locale, ...asked }) {
    const { deps, actor } = asked;
    const refund = await seen(deps, actor, id);
    throwIf(refuseDestination(refund));
    await giveDestination(deps, messageOf(asked, refund), await sealed(deps, actor, refund, body, locale));
    return json(200, await detailed(deps, actor, id));
  },
});

const readDestination = defineRoute({
  method: 'get',
  path: '/refunds/:id/destination',
  summary: 'The account that a refund is transferred to, in clear',
  description: 'For who transfers it. Each reading is in the audit before the answer is out.',
  tags,
  permission: 'refund.transfer',
  stepUp: true,
  params,
  problems: ['not_found', 'refund_needs_destination'],
  responses: { 200: { description: 'Where to.', schema: destinationInClear } },
  async handler({ params: { id }, actor, origin, deps }) {
    const refund = await seen(deps, actor, id);
    const found = await sealedDestination(deps.db, id);
    if (!found) throw new Failure('refund_needs_destination', '');
    await recordAccountRead(deps.db, { refund, by: actor.userId, origin, at: new Date() });
    const { bankCode, nameMatches, companyName } = found;
    return json(
      200,
      {
        bankCode,
        bankName: findBank(bankCode, refund.amount.currency)?.name ?? bankCode,
        accountNumber: deps.personalData.open(found.accountNumber, 'refunds.account_number'),
        accountHolder: deps.personalData.open(found.accountHolder, 'refunds.account_holder'),
        nameMatches,
        companyName,
        amount: moneyJson(refund.amount),
      },
      NO_STORE,
    );
  },
});

const transfer = defineRoute({
  method: 'post',
  path: '/refunds/:id/transferred',
  summary: 'Finance has transferred it',
  tags,
  permission: 'refund.transfer',
  params,
  body: transferred,
  problems: [...decisionProblems, 'name_differs'],
  workflow,
  responses,
  async handler({ params: { id }, body: { nameChecked = false, ...said }, ...asked }) {
    const refund = await seen(asked.deps, asked.actor, id);
    await reportTransfer(asked.deps, messageOf(asked, refund), { outcome: 'transferred', nameChecked, ...said });
    return json(200, await detailed(asked.deps, asked.actor, id));
  },
});

const failTransfer = defineRoute({
  method: 'post',
  path: '/refunds/:id/transfer-failed',
  summary: 'The bank did not deliver a transfer',
  description: 'The payer is asked for another account; one that came back after it had arrived becomes a case.',
  tags,
  permission: 'refund.transfer',
  params,
  body: transferFailed,
  problems: decisionProblems,
  workflow,
  responses,
  async handler({ params: { id }, body: { reason: problem }, ...asked }) {
    const refund = await seen(asked.deps, asked.actor, id);
    await reportTransfer(asked.deps, messageOf(asked, refund), { outcome: 'failed', problem });
    return json(200, await detailed(asked.deps, asked.actor, id));
  },
});

const listBanks = defineRoute({
  method: 'get',
  path: '/banks',
  summary: 'Banks that money can be transferred to',
  tags,
  permission: 'public',
  responses: { 200: { description: 'All of them', schema: banks } },
  handler: async () => json(200, { items: BANKS, nextCursor: null }),
});

/** What an account of credit shows at once; the books have the rest. */
const ENTRIES_AT_MOST = 100;

const credit = defineRoute({
  method: 'get',
  path: '/users/companies/:id/credit',
  summary: 'What a company has to its credit, and how it came about',
  description: `The last ${ENTRIES_AT_MOST} entries, newest first.`,
  tags,
  permission: 'invoice.read',
  params: z.object({ id: companyIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'Balance and entries', schema: storeCreditSchema } },
  async handler({ params: { id }, actor, deps }) {
    if (!seesEveryCase(actor.roles)) await ownCompany(deps.db, id, actor.userId);
    const [balances, entries] = await Promise.all([creditOf(deps.db, id), creditEntries(deps.db, id, ENTRIES_AT_MOST)]);
    return json(200, {
      balances: balances.map(moneyJson),
      entries: entries.map(({ id: entryId, amount, at, ...entry }) => ({
        ...entry,
        id: entryId.toString(),
        amount: moneyJson(amount),
        at: timeJson(at),
      })),
    });
  },
});

// ---- what they share ------------------------------------------------------------------------------------------------

async function seen({ db }: ApiDeps, actor: Actor, id: RefundId): Promise<Refund> {
  const refund = await refundSeenBy(db, actor, id);
  if (!refund) throw new Failure('not_found', 'There is no such refund, or none that you may see.');
  return refund;
}

const messageOf = ({ actor, origin, requestKey }: Asked, refund: Refund): RefundMessage => ({
  refund,
  by: actor.userId,
  origin,
  requestKey,
});

async function detailed(deps: ApiDeps, actor: Actor, id: RefundId) {
  // In this order: the state never tells of a step that the list does not have.
  const refund = await seen(deps, actor, id);
  const steps = await stepsOfRefund(deps.db, id);
  return { ...toJson(refund, actor), steps: steps.map(({ step, at }) => ({ step, at: timeJson(at) })) };
}

const DAY_MS = 86_400_000;

function toJson(refund: Refund, viewer: Actor) {
  const next = nextStep(refund.state);
  const { bankCode, accountNumberMasked } = refund;
  const ofStaff = <T>(value: T): T | null => (isStaff(viewer.roles) ? value : null);
  return {
    id: refund.id,
    paymentId: refund.paymentId,
    invoiceId: refund.invoiceId,
    invoiceNumber: refund.invoiceNumber,
    companyId: refund.companyId,
    caseId: refund.caseId,
    state: refund.state,
    amount: moneyJson(refund.amount),
    source: refund.source,
    reason: refund.reason,
    note: refund.note,
    channel: refund.channel,
    needsApproval: refund.needsApproval,
    requestedAt: timeJson(refund.requestedAt),
    decidedAt: timeOrNull(refund.decidedAt),
    decisionNote: refund.decisionNote,
    account:
      bankCode === null || accountNumberMasked === null
        ? null
        : {
            bankCode,
            bankName: findBank(bankCode, refund.amount.currency)?.name ?? bankCode,
            number: accountNumberMasked,
          },
    waitsFor: next?.by ?? null,
    expectedBy: next ? timeJson(new Date(refund.updatedAt.getTime() + next.withinDays * DAY_MS)) : null,
    endedAt: timeOrNull(refund.endedAt),
    requestedBy: ofStaff(refund.requestedBy),
    decidedBy: ofStaff(refund.decidedBy),
    nameMatches: ofStaff(refund.nameMatches),
    failureCode: ofStaff(refund.failureCode),
    gatewayRefundId: ofStaff(refund.gatewayRefundId),
  };
}

export const refundRoutes: readonly Route[] = [
  request,
  list,
  read,
  approve,
  reject,
  cancel,
  give,
  readDestination,
  transfer,
  failTransfer,
  listBanks,
  credit,
];
