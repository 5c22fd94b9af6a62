import { z } from 'zod';
import { listPaymentCases, type PaymentCase } from '../../db/payment-reads.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { positionInTime } from '../schemas/ids.ts';
import { CASE_STATES, paymentCaseSchema } from '../schemas/payments.ts';
import { moneyJson, timeJson } from '../wire.ts';

const list = defineRoute({
  method: 'get',
  path: '/admin/reconciliation',
  summary: 'Money that needs a person: paid late, twice, short, for nothing known; newest first',
  tags: ['Admin'],
  permission: 'reconciliation.read',
  query: z.strictObject({ ...pageQuery, state: z.enum(CASE_STATES).optional() }),
  responses: { 200: { description: 'A page of cases', schema: pageOf(paymentCaseSchema) } },
  async handler({ query: { limit, cursor, state }, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listPaymentCases(deps.db, { state, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, toJson, ({ openedAt, id }) => ({ at: openedAt, id })),
    );
  },
});

export const reconciliationRoutes = [list];

const toJson = (found: PaymentCase) => ({
  id: found.id,
  kind: found.kind,
  gateway: found.gateway,
  reference: found.reference,
  invoiceId: found.invoiceId,
  invoiceNumber: found.invoiceNumber,
  applicationId: found.applicationId,
  amount: found.amount && moneyJson(found.amount),
  state: found.state,
  openedAt: timeJson(found.openedAt),
});
