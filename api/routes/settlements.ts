import { z } from 'zod';
import {
  findSettlement,
  listSettlements,
  type Settlement,
  type SettlementLineRead,
  settlementLines,
} from '../../db/settlement-reads.ts';
import { importSettlement } from '../../db/settlements.ts';
import { Failure, type FieldProblem } from '../../domain/failures.ts';
import { asId, type SettlementId } from '../../domain/ids.ts';
import { type Currency, money } from '../../domain/money.ts';
import { GATEWAYS } from '../../domain/payments.ts';
import {
  MOST_SETTLEMENT_LINES,
  SETTLEMENT_LINE_STATES,
  type SettlementProblem,
  type SettlementProblemCode,
  type SettlementReport,
  settlementProblems,
} from '../../domain/settlements.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json } from '../route.ts';
import { positionInTime, settlementIdSchema } from '../schemas/ids.ts';
import {
  settlementFormSchema,
  settlementLineSchema,
  settlementReadSchema,
  settlementSchema,
} from '../schemas/settlements.ts';
import { cellPointer, readSettlementCsv } from '../settlement-csv.ts';
import { moneyJson, timeJson } from '../wire.ts';

const tags = ['Admin'];
const MAX_BYTES = 5_000_000;
const problems = ['settlement_not_valid', 'settlement_known'] as const;
const responses = {
  201: { description: 'Imported', schema: settlementReadSchema },
  200: { description: 'It had been imported with the same content: the first import', schema: settlementReadSchema },
} as const;

const importJson = defineRoute({
  method: 'post',
  path: '/admin/settlements',
  summary: 'Import a payout of a gateway, line by line',
  description:
    `At most ${MOST_SETTLEMENT_LINES} lines. Each is matched with a payment or refund by our reference or the gateway’s; what differs` +
    ' or is not known is entered all the same and becomes a case.',
  tags,
  permission: 'settlement.import',
  body: settlementSchema,
  maxBytes: MAX_BYTES,
  problems,
  responses,
  async handler({ body: { lines, netMinor, ...payout }, actor, origin, deps, locale, requestKey }) {
    const report: SettlementReport = {
      ...payout,
      netMinor: netMinor === undefined ? undefined : BigInt(netMinor),
      lines: lines.map(({ kind, reference, grossMinor, feeMinor }) => ({
        kind,
        reference,
        grossMinor: BigInt(grossMinor),
        feeMinor: BigInt(feeMinor),
      })),
    };
    refuseProblems(report, locale, ({ line, field }) => (line === null ? `/${field}` : `/lines/${line}/${field}`));
    return imported(deps, { ...caller(requestKey, actor, origin), report, source: 'api' });
  },
});

const importCsv = defineRoute({
  method: 'post',
  path: '/admin/settlements/csv',
  summary: 'Import a payout of a gateway from a CSV file',
  description:
    'UTF-8 with a header row; comma or semicolon between the columns `kind` (payment, refund, adjustment), `reference`, `gross` and' +
    ' `fee`; amounts in whole minor units, refunds negative. What is wrong is named by row and column.',
  tags,
  permission: 'settlement.import',
  body: settlementFormSchema,
  multipart: { file: 'file', maxBytes: MAX_BYTES },
  limit: 'upload',
  problems: [...problems, 'file_too_large'],
  responses,
  async handler({ body: { netMinor, ...payout }, file, actor, origin, deps, locale, requestKey }) {
    const read = readSettlementCsv(file.content, locale);
    if ('errors' in read) throw notValid(read.errors);
    const { lines, rows } = read;
    const report: SettlementReport = {
      ...payout,
      lines,
      netMinor: netMinor === undefined ? undefined : BigInt(netMinor),
    };
    refuseProblems(report, locale, ({ line, field }) =>
      line === null ? wholePointer(field) : cellPointer(rows[line] ?? 0, field.replace(/Minor$/, '')),
    );
    return imported(deps, { ...caller(requestKey, actor, origin), report, source: 'csv' });
  },
});

type Import = Parameters<typeof importSettlement>[1];

const caller = (requestKey: string, { userId }: { userId: Import['by'] }, origin: Import['origin']) => ({
  id: asId<SettlementId>(idFromKey(requestKey, 'settlement')),
  by: userId,
  origin,
  at: new Date().toISOString(),
});

/** The lines are the file itself, which has no pointer of its own. */
const wholePointer = (field: SettlementProblem['field']): string => (field === 'lines' ? '' : `/${field}`);

function refuseProblems(
  report: SettlementReport,
  locale: Locale,
  pointerOf: (problem: SettlementProblem) => string,
): void {
  const found = settlementProblems(report);
  if (found.length === 0) return;
  throw notValid(
    found.map((problem) => ({
      pointer: pointerOf(problem),
      code: problem.code,
      detail: SENTENCES[problem.code][locale],
    })),
  );
}

const notValid = (errors: readonly FieldProblem[]): Failure => new Failure('settlement_not_valid', '', { errors });

const SENTENCES: Readonly<Record<SettlementProblemCode, Readonly<Record<Locale, string>>>> = {
  payment_not_positive: {
    id: 'pembayaran menambah pencairan: lebih dari nol; selain itu pakai adjustment',
    en: 'a payment adds to the payout: more than zero; anything else is an adjustment',
  },
  refund_not_negative: {
    id: 'pengembalian mengurangi pencairan: kurang dari nol; selain itu pakai adjustment',
    en: 'a refund is taken from the payout: less than zero; anything else is an adjustment',
  },
  nothing_in_line: { id: 'baris ini tanpa jumlah dan tanpa biaya', en: 'neither an amount nor a fee' },
  currency_not_of_gateway: {
    id: 'gateway ini tidak menerima mata uang itu',
    en: 'this gateway takes no money in that currency',
  },
  no_lines: { id: 'sedikitnya satu baris', en: 'at least one line' },
  too_many_lines: { id: `paling banyak ${MOST_SETTLEMENT_LINES} baris`, en: `at most ${MOST_SETTLEMENT_LINES} lines` },
  net_differs: {
    id: 'jumlah kotor dikurangi biaya bukan jumlah ini; ada baris yang kurang atau berlebih',
    en: 'gross less fees is not this amount; a line is missing or too much',
  },
};

async function imported(deps: ApiDeps, given: Import) {
  const { outcome, id } = await importSettlement(deps.db, given);
  if (outcome === 'conflict') throw new Failure('settlement_known', '');
  const body = toJson(await settlementOf(deps, id));
  return outcome === 'known'
    ? json(200, body)
    : json(201, body, { headers: { Location: `/api/v1/admin/settlements/${id}` } });
}

const list = defineRoute({
  method: 'get',
  path: '/admin/settlements',
  summary: 'Payouts of the gateways, the latest first',
  tags,
  permission: 'ledger.read',
  query: z.strictObject({ ...pageQuery, gateway: z.enum(GATEWAYS).optional() }),
  responses: { 200: { description: 'A page of settlements', schema: pageOf(settlementReadSchema) } },
  async handler({ query: { limit, cursor, gateway }, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listSettlements(deps.db, { gateway, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, toJson, ({ paidOutAt, id }) => ({ at: paidOutAt, id })),
    );
  },
});

const params = z.object({ id: settlementIdSchema });

const read = defineRoute({
  method: 'get',
  path: '/admin/settlements/:id',
  summary: 'A payout, and how many of its lines agree with the books',
  tags,
  permission: 'ledger.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The settlement', schema: settlementReadSchema } },
  async handler({ params: { id }, deps }) {
    return json(200, toJson(await settlementOf(deps, id)));
  },
});

const lines = defineRoute({
  method: 'get',
  path: '/admin/settlements/:id/lines',
  summary: 'What a payout was made of, as the report has it',
  tags,
  permission: 'ledger.read',
  params,
  query: z.strictObject({ ...pageQuery, state: z.enum(SETTLEMENT_LINE_STATES).optional() }),
  problems: ['not_found'],
  responses: { 200: { description: 'A page of lines', schema: pageOf(settlementLineSchema) } },
  async handler({ params: { id }, query: { limit, cursor, state }, deps }) {
    const { net } = await settlementOf(deps, id);
    const after = readCursor(cursor, z.object({ position: z.int() }))?.position ?? 0;
    const rows = await settlementLines(deps.db, id, { state, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, lineJson(net.currency), ({ position }) => ({ position })),
    );
  },
});

async function settlementOf(deps: ApiDeps, id: SettlementId): Promise<Settlement> {
  const found = await findSettlement(deps.db, id);
  if (!found) throw new Failure('not_found', 'There is no such settlement.');
  return found;
}

const toJson = (found: Settlement) => ({
  id: found.id,
  gateway: found.gateway,
  reference: found.reference,
  gross: moneyJson(found.gross),
  fee: moneyJson(found.fee),
  net: moneyJson(found.net),
  paidOutAt: timeJson(found.paidOutAt),
  source: found.source,
  importedBy: found.importedBy,
  importedAt: timeJson(found.importedAt),
  lines: found.lines,
});

const lineJson = (currency: Currency) => (line: SettlementLineRead) => ({
  position: line.position,
  kind: line.kind,
  reference: line.reference,
  gross: moneyJson(money(line.grossMinor, currency)),
  fee: moneyJson(money(line.feeMinor, currency)),
  state: line.state,
  paymentId: line.paymentId,
  refundId: line.refundId,
  invoiceId: line.invoiceId,
  invoiceNumber: line.invoiceNumber,
});

export const settlementRoutes = [importJson, importCsv, list, read, lines];
