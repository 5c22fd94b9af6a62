import { z } from 'zod';
import { dailyFigures, firstOfficeZone, hoursBetween, listRuns } from '../../db/daily-figures.ts';
import {
  findPaymentCase,
  listPaymentCases,
  type PaymentCase,
  type PaymentCaseInFull,
} from '../../db/payment-case-reads.ts';
import { Failure } from '../../domain/failures.ts';
import { money } from '../../domain/money.ts';
import { type DailyFigures, dayBefore } from '../../domain/reconciliation.ts';
import { assign, resolveAndTell } from '../finance-cases.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { paymentCaseIdSchema, positionInTime } from '../schemas/ids.ts';
import {
  assigningSchema,
  caseQuery,
  paymentCaseInFullSchema,
  paymentCaseSchema,
  reportSchema,
  resolvingSchema,
  runSchema,
} from '../schemas/reconciliation.ts';
import { moneyJson, timeJson, timeOrNull } from '../wire.ts';

const params = z.object({ caseId: paymentCaseIdSchema });
const tags = ['Admin'];

const list = defineRoute({
  method: 'get',
  path: '/admin/reconciliation',
  summary: 'Money that needs a person: paid late, twice, short, for nothing known, or unlike the gateway; newest first',
  tags,
  permission: 'reconciliation.read',
  query: caseQuery,
  responses: { 200: { description: 'A page of cases', schema: pageOf(paymentCaseSchema) } },
  async handler({ query: { limit, cursor, ownerId, ...filter }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const owner = ownerId === 'me' ? actor.userId : ownerId;
    const rows = await listPaymentCases(deps.db, { ...filter, ownerId: owner, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, toJson, ({ openedAt, id }) => ({ at: openedAt, id })),
    );
  },
});

const runs = defineRoute({
  method: 'get',
  path: '/admin/reconciliation/runs',
  summary: 'Walks of the gateways against the books, newest first',
  tags,
  permission: 'reconciliation.read',
  query: z.strictObject(pageQuery),
  responses: { 200: { description: 'A page of walks', schema: pageOf(runSchema) } },
  async handler({ query: { limit, cursor }, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listRuns(deps.db, { after, limit: limit + 1 });
    return json(
      200,
      page(
        rows,
        limit,
        ({ from, to, startedAt, finishedAt, ...run }) => ({
          ...run,
          from: timeJson(from),
          to: timeJson(to),
          startedAt: timeJson(startedAt),
          finishedAt: timeOrNull(finishedAt),
        }),
        ({ startedAt, id }) => ({ at: startedAt, id }),
      ),
    );
  },
});

const report = defineRoute({
  method: 'get',
  path: '/admin/reconciliation/report',
  summary: 'What finance is told of a day: walks, open cases, refunds that wait, and the money that moved',
  description: 'Cases and refunds are as they are now; walks and money are those of the day. Without `day`: yesterday.',
  tags,
  permission: 'reconciliation.read',
  query: z.strictObject({ day: z.iso.date().optional().describe('In the zone of the office.') }),
  responses: { 200: { description: 'The figures', schema: reportSchema } },
  async handler({ query, deps }) {
    const [zone, at] = [await firstOfficeZone(deps.db), new Date()];
    const day = query.day ?? dayBefore(at.getTime(), zone);
    return json(200, reportJson(await dailyFigures(deps.db, { day, zone, at })));
  },
});

const read = defineRoute({
  method: 'get',
  path: '/admin/reconciliation/:caseId',
  summary: 'A case: its facts, what can be done about it, and what the gateway has told',
  tags,
  permission: 'reconciliation.read',
  params,
  responses: { 200: { description: 'The case', schema: paymentCaseInFullSchema } },
  async handler({ params: { caseId }, deps }) {
    return json(200, inFull(await found(findPaymentCase(deps.db, caseId))));
  },
});

const assignTo = defineRoute({
  method: 'post',
  path: '/admin/reconciliation/:caseId/assign',
  summary: 'Hand a case to somebody in finance, or to a supervisor',
  tags,
  permission: 'reconciliation.resolve',
  params,
  body: assigningSchema,
  problems: ['not_found', 'case_not_open', 'reviewer_not_eligible'],
  responses: { 200: { description: 'The case', schema: paymentCaseInFullSchema } },
  async handler({ params: { caseId }, body, actor, origin, requestKey, deps }) {
    await assign(deps, caseId, body.userId, { by: actor.userId, origin, requestKey });
    return json(200, inFull(await found(findPaymentCase(deps.db, caseId))));
  },
});

const resolve = defineRoute({
  method: 'post',
  path: '/admin/reconciliation/:caseId/resolve',
  summary: 'Close a case: give its money back, let it pay an invoice, keep it as credit or income, or look again',
  description:
    'What can be done is in `possibleResolutions`. Money in suspense must go somewhere: a part of it leaves the case open for ' +
    'the rest, and `look_again` leaves it open for what the gateway says.',
  tags,
  permission: 'reconciliation.resolve',
  params,
  body: resolvingSchema,
  problems: [
    'own_refund',
    'not_found',
    'case_not_open',
    'resolution_not_possible',
    'invoice_not_open',
    'payment_not_refundable',
    'refund_exceeds_payment',
  ],
  responses: { 200: { description: 'The case', schema: paymentCaseInFullSchema } },
  async handler({ params: { caseId }, body, actor, origin, requestKey, deps }) {
    await resolveAndTell(deps, caseId, body, { by: actor.userId, origin, requestKey });
    return json(200, inFull(await found(findPaymentCase(deps.db, caseId))));
  },
});

// The words before the ID: `runs` is no case.
export const reconciliationRoutes = [list, runs, report, read, assignTo, resolve];

async function found(looking: Promise<PaymentCaseInFull | null>): Promise<PaymentCaseInFull> {
  const one = await looking;
  if (!one) throw new Failure('not_found', 'There is no such case.');
  return one;
}

const toJson = ({ amount, openedAt, resolvedAt, ...rest }: PaymentCase) => ({
  ...rest,
  amount: amount && moneyJson(amount),
  openedAt: timeJson(openedAt),
  resolvedAt: timeOrNull(resolvedAt),
  ageHours: hoursBetween(openedAt, resolvedAt ?? new Date()),
});

const inFull = ({ suspense, possibleResolutions, notices, ...rest }: PaymentCaseInFull) => ({
  ...toJson(rest),
  suspense: suspense && moneyJson(suspense),
  possibleResolutions,
  notices: notices.map(({ receivedAt, handledAt, ...notice }) => ({
    ...notice,
    receivedAt: timeJson(receivedAt),
    handledAt: timeOrNull(handledAt),
  })),
});

const reportJson = ({ totals, ...figures }: DailyFigures) => ({
  ...figures,
  totals: totals.map(({ currency, capturedMinor, refundedMinor, settledMinor }) => ({
    captured: moneyJson(money(BigInt(capturedMinor), currency)),
    refunded: moneyJson(money(BigInt(refundedMinor), currency)),
    settled: moneyJson(money(BigInt(settledMinor), currency)),
  })),
});
