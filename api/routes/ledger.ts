import { z } from 'zod';
import {
  type AccountBalance,
  accountBalances,
  type Entry,
  listEntries,
  type PaymentTrace,
  tracePayment,
} from '../../db/ledger-reads.ts';
import { Failure } from '../../domain/failures.ts';
import { ACCOUNT_CODES, ACCOUNTS, naturalBalance } from '../../domain/ledger.ts';
import { type Currency, money } from '../../domain/money.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { paymentIdSchema } from '../schemas/ids.ts';
import { entryFilter, entrySchema, traceSchema, trialBalanceQuery, trialBalanceSchema } from '../schemas/ledger.ts';
import { moneyJson, timeJson, timeOrNull } from '../wire.ts';

const tags = ['Admin'];

const trialBalance = defineRoute({
  method: 'get',
  path: '/admin/ledger',
  summary: 'What stands on each account, per currency, now or as of a time',
  tags,
  permission: 'ledger.read',
  query: trialBalanceQuery,
  responses: { 200: { description: 'The trial balance', schema: trialBalanceSchema } },
  async handler({ query: { at }, deps }) {
    const balances = await accountBalances(deps.db, at ?? null);
    const currencies = [...new Set(balances.map(({ currency }) => currency))];
    return json(200, {
      at: timeOrNull(at ?? null),
      currencies: currencies.map((currency) =>
        currencyJson(
          currency,
          balances.filter((one) => one.currency === currency),
        ),
      ),
    });
  },
});

function currencyJson(currency: Currency, balances: readonly AccountBalance[]) {
  const sum = (side: 'debitMinor' | 'creditMinor') => balances.reduce((all, one) => all + one[side], 0n);
  return {
    currency,
    accounts: ACCOUNT_CODES.flatMap((code) => balances.filter(({ account }) => account === code)).map(
      ({ account, debitMinor, creditMinor }) => ({
        account,
        kind: ACCOUNTS[account],
        balance: moneyJson(naturalBalance(account, money(debitMinor - creditMinor, currency))),
        debit: moneyJson(money(debitMinor, currency)),
        credit: moneyJson(money(creditMinor, currency)),
      }),
    ),
    debit: moneyJson(money(sum('debitMinor'), currency)),
    credit: moneyJson(money(sum('creditMinor'), currency)),
  };
}

const entryPosition = z.object({
  at: z.iso.datetime().transform((text) => new Date(text)),
  id: z.string().regex(/^\d{1,18}$/),
});

const entries = defineRoute({
  method: 'get',
  path: '/admin/ledger/entries',
  summary: 'The entries of the books with their postings, newest first',
  tags,
  permission: 'ledger.read',
  query: z.strictObject({ ...pageQuery, ...entryFilter }),
  responses: { 200: { description: 'A page of entries', schema: pageOf(entrySchema) } },
  async handler({ query: { limit, cursor, ...filter }, deps }) {
    const after = readCursor(cursor, entryPosition) ?? null;
    const rows = await listEntries(deps.db, filter, { after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, entryJson, ({ occurredAt, id }) => ({ at: occurredAt, id: id.toString() })),
    );
  },
});

const trace = defineRoute({
  method: 'get',
  path: '/admin/ledger/trace/:paymentId',
  summary: 'The path of a payment: invoice, capture, refunds, settlements, and where its money is now',
  tags,
  permission: 'ledger.read',
  params: z.object({ paymentId: paymentIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'Its path', schema: traceSchema } },
  async handler({ params: { paymentId }, deps }) {
    const found = await tracePayment(deps.db, paymentId);
    if (!found) throw new Failure('not_found', 'There is no such payment.');
    return json(200, traceJson(found));
  },
});

export const ledgerRoutes = [trialBalance, entries, trace];

const entryJson = (entry: Entry) => ({
  id: entry.id.toString(),
  key: entry.key,
  kind: entry.kind,
  gateway: entry.gateway,
  companyId: entry.companyId,
  invoiceId: entry.invoiceId,
  paymentId: entry.paymentId,
  refundId: entry.refundId,
  settlementId: entry.settlementId,
  occurredAt: timeJson(entry.occurredAt),
  recordedAt: timeJson(entry.recordedAt),
  postings: entry.postings.map(({ account, amountMinor }) => ({
    account,
    side: amountMinor > 0n ? ('debit' as const) : ('credit' as const),
    amount: moneyJson(money(amountMinor > 0n ? amountMinor : -amountMinor, entry.currency)),
  })),
});

function traceJson({ payment, invoice, refunds, settlements, entries: found }: PaymentTrace) {
  const { currency } = invoice.total;
  const { reference, appliedMinor, paid, paidAt, ...attempt } = payment;
  const { total, paidMinor, creditedMinor, ...bill } = invoice;
  return {
    payment: {
      ...attempt,
      gatewayReference: reference,
      paid: paid && moneyJson(paid),
      applied: paid && moneyJson(money(appliedMinor, paid.currency)),
      paidAt: timeOrNull(paidAt),
    },
    invoice: {
      ...bill,
      total: moneyJson(total),
      paid: moneyJson(money(paidMinor, currency)),
      credited: moneyJson(money(creditedMinor, currency)),
    },
    refunds: refunds.map(({ amount, requestedAt, ...refund }) => ({
      ...refund,
      amount: moneyJson(amount),
      requestedAt: timeJson(requestedAt),
    })),
    settlements: settlements.map(({ gross, fee, paidOutAt, ...line }) => ({
      ...line,
      paidOutAt: timeJson(paidOutAt),
      gross: moneyJson(gross),
      fee: moneyJson(fee),
    })),
    where: whereNow(found),
    entries: found.map(entryJson),
  };
}

/** Without the claim itself, which other payments may have paid in part. */
function whereNow(found: readonly Entry[]) {
  const moved = found.filter(({ kind }) => kind !== 'invoice_issued');
  const currencies = [...new Set(moved.map(({ currency }) => currency))];
  return currencies.flatMap((currency) => {
    const postings = moved.filter((entry) => entry.currency === currency).flatMap((entry) => entry.postings);
    return ACCOUNT_CODES.map((account) => {
      const of = postings.filter((posting) => posting.account === account);
      return { account, amountMinor: of.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) };
    })
      .filter(({ amountMinor }) => amountMinor !== 0n)
      .map(({ account, amountMinor }) => ({
        account,
        balance: moneyJson(naturalBalance(account, money(amountMinor, currency))),
      }));
  });
}
