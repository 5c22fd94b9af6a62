import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  publishRiskTable,
  type RiskTable,
  riskRows,
  riskRowsInForce,
  riskTable,
  riskTableInForce,
  typesForRiskTable,
} from '../../db/risk-tables.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type OfficeId, type RiskTableId } from '../../domain/ids.ts';
import {
  parseRiskRows,
  type RawRiskRow,
  type RiskProblem,
  type RiskProblemCode,
  type RiskRow,
  type RiskTableChanges,
  ROW_SCALES,
  riskTableChanges,
} from '../../domain/risk-table.ts';
import type { ApiDeps } from '../deps.ts';
import { effectiveFrom } from '../effective-from.ts';
import { officeOf } from '../office-of.ts';
import type { Caller, Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { inFile, readRiskTableCsv, writeRiskTableCsv } from '../risk-table-csv.ts';
import { defineRoute, json, stream } from '../route.ts';
import {
  dryRunQuery,
  riskTableChangesSchema,
  riskTableCsvSchema,
  riskTableImportedSchema,
  riskTableImportSchema,
  riskTableSchema,
} from '../schemas/risk-table.ts';
import { timeJson } from '../wire.ts';

const tags = ['Admin'];
const MAX_BYTES = 5_000_000;
const at = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .optional()
  .describe('The table in force then; absent = now.');

const read = defineRoute({
  method: 'get',
  path: '/admin/risk-table',
  summary: 'The risk table: KBLI × scale × risk → path, checklist, legal time, fee, validity',
  tags,
  permission: 'policy.read',
  query: z.strictObject({ at }),
  problems: ['not_found'],
  responses: { 200: { description: 'The table in force', schema: riskTableSchema } },
  async handler({ query, actor, deps }) {
    const { table, rows } = await tableInForce(deps, await officeOf(deps.db, actor.userId), query.at);
    return json(200, {
      id: table.id,
      version: table.version,
      effectiveFrom: timeJson(table.effectiveFrom),
      publishedAt: timeJson(table.publishedAt),
      publishedBy: table.publishedBy,
      rows: rows.map(rowJson),
    });
  },
});

const exported = defineRoute({
  method: 'get',
  path: '/admin/risk-table/export',
  summary: 'The risk table as a file that can be imported again',
  tags,
  permission: 'policy.read',
  query: z.strictObject({ at, format: z.enum(['json', 'csv']).default('json') }),
  problems: ['not_found'],
  responses: { 200: { description: 'The file', contentType: 'application/octet-stream' } },
  async handler({ query, actor, deps }) {
    const { table, rows } = await tableInForce(deps, await officeOf(deps.db, actor.userId), query.at);
    const [type, text] =
      query.format === 'csv'
        ? ['text/csv; charset=utf-8', writeRiskTableCsv(rows)]
        : ['application/json', `${JSON.stringify({ rows: rows.map(rowJson) }, null, 2)}\n`];
    return stream(type, Readable.from([Buffer.from(text)]), {
      filename: `risk-table-${table.version}.${query.format}`,
      headers: { 'Cache-Control': 'private, no-cache' },
    });
  },
});

const responses = {
  201: { description: 'Published', schema: riskTableImportedSchema },
  200: { description: 'With `dryRun=true`: what would change', schema: riskTableChangesSchema },
} as const;

const importJson = defineRoute({
  method: 'post',
  path: '/admin/risk-table/import',
  summary: 'Publish a risk table',
  description:
    'The whole of it: rows that are not there any more are gone from `effectiveFrom` on. Cases keep the row of their submission.',
  tags,
  permission: 'policy.manage',
  query: dryRunQuery,
  body: riskTableImportSchema,
  maxBytes: MAX_BYTES,
  problems: ['rules_not_valid'],
  responses,
  async handler({ body, query, ...context }) {
    return importRows({ ...context, ...body, dryRun: query.dryRun === 'true', where: () => '' });
  },
});

const importCsv = defineRoute({
  method: 'post',
  path: '/admin/risk-table/import/csv',
  summary: 'Publish a risk table from a CSV file',
  description:
    'UTF-8 with a header row; comma or semicolon. `kbli` with `*` behind fewer than five digits; `checklist`: kinds with blanks between,' +
    ' `?` behind an optional one, `-` for none; an empty cell leaves it to the licence type. What is wrong is named by line and column.',
  tags,
  permission: 'policy.manage',
  query: dryRunQuery,
  body: riskTableCsvSchema,
  multipart: { file: 'file', maxBytes: MAX_BYTES },
  limit: 'upload',
  problems: ['rules_not_valid', 'file_too_large'],
  responses,
  async handler({ body, query, file, ...context }) {
    const csv = readRiskTableCsv(file.content, context.locale);
    if ('errors' in csv) throw new Failure('rules_not_valid', '', { errors: csv.errors });
    return importRows({
      ...context,
      ...body,
      rows: csv.rows,
      dryRun: query.dryRun === 'true',
      where: ({ row, column }) => inFile(csv.lines[row] ?? 0, column, context.locale),
    });
  },
});

export const riskTableRoutes = [read, exported, importJson, importCsv];

async function tableInForce(
  deps: ApiDeps,
  officeId: OfficeId,
  at = new Date(),
): Promise<{ table: RiskTable; rows: readonly RiskRow[] }> {
  const table = await riskTableInForce(deps.db, officeId, at);
  if (!table) throw new Failure('not_found', 'No risk table is in force then: every type goes by its own policy.');
  return { table, rows: await riskRows(deps.db, table.id) };
}

interface Import {
  readonly deps: ApiDeps;
  readonly actor: Caller;
  readonly origin: Parameters<typeof publishRiskTable>[1]['origin'];
  readonly locale: Locale;
  readonly requestKey: string;
  readonly rows: readonly RawRiskRow[];
  readonly effectiveFrom?: Date | undefined;
  readonly dryRun: boolean;
  /** Says where in a file a problem is. */
  readonly where: (problem: RiskProblem) => string;
}

async function importRows({ deps, actor, origin, locale, requestKey, dryRun, where, ...given }: Import) {
  const now = new Date();
  const from = effectiveFrom(given.effectiveFrom, now, locale);
  const officeId = await officeOf(deps.db, actor.userId);
  const rows = requireValid(given.rows, await typesForRiskTable(deps.db, officeId, from), locale, where);
  const changes = riskTableChanges(await riskRowsInForce(deps.db, officeId, from), rows);
  if (dryRun) return json(200, changesJson(changes, rows, from));
  const id = asId<RiskTableId>(idFromKey(requestKey, 'risk_table'));
  await publishRiskTable(deps.db, {
    id,
    officeId,
    rows,
    effectiveFrom: from,
    by: actor.userId,
    origin,
    at: now.toISOString(),
    changes: { added: changes.added.length, changed: changes.changed.length, removed: changes.removed.length },
  });
  const { version } = await riskTable(deps.db, id);
  return json(201, { id, version, ...changesJson(changes, rows, from) });
}

function requireValid(
  raw: readonly RawRiskRow[],
  types: Parameters<typeof parseRiskRows>[1],
  locale: Locale,
  where: Import['where'],
): readonly RiskRow[] {
  const { rows, problems } = parseRiskRows(raw, types);
  if (problems.length === 0) return rows;
  throw new Failure('rules_not_valid', '', {
    errors: problems.map((problem) => ({
      pointer: `/rows/${problem.row}/${problem.column}`,
      code: problem.code,
      detail: where(problem) + SENTENCES[problem.code][locale],
    })),
  });
}

const changesJson = ({ added, removed, changed }: RiskTableChanges, rows: readonly RiskRow[], from: Date) => ({
  effectiveFrom: timeJson(from),
  rows: rows.length,
  added: added.map(rowJson),
  removed: removed.map(rowJson),
  changed: changed.map(({ before, after }) => ({ before: rowJson(before), after: rowJson(after) })),
});

const amountJson = (digits: string | null): number | null => (digits === null ? null : Number(digits));

const rowJson = (row: RiskRow) => ({
  kbli: row.kbli,
  scale: row.scale,
  risk: row.risk,
  typeCode: row.typeCode,
  path: row.path,
  checklist: row.checklist,
  legalWorkingDays: row.legalWorkingDays,
  statutoryMinor: amountJson(row.statutoryMinor),
  serviceMinor: amountJson(row.serviceMinor),
  validityMonths: row.validForLife ? ('life' as const) : row.validityMonths,
  deemedApproval: row.deemedApproval,
});

const SENTENCES: Readonly<Record<RiskProblemCode, Readonly<Record<Locale, string>>>> = {
  wrong_kbli: {
    id: 'lima angka, atau lebih sedikit untuk semua kode yang diawali begitu (di CSV diikuti *)',
    en: 'five digits, or fewer for all codes that begin so (in CSV with * behind)',
  },
  wrong_scale: { id: `salah satu dari: ${ROW_SCALES.join(', ')}`, en: `one of: ${ROW_SCALES.join(', ')}` },
  wrong_risk: {
    id: 'salah satu dari: low, medium_low, medium_high, high',
    en: 'one of: low, medium_low, medium_high, high',
  },
  unknown_type: {
    id: 'kantor ini tidak punya jenis izin dengan kode itu',
    en: 'this office has no licence type of that code',
  },
  wrong_path: { id: 'review atau automatic', en: 'review or automatic' },
  type_has_no_stages: {
    id: 'kebijakan jenis izin ini tidak punya tahap pemeriksaan',
    en: 'the policy of this licence type has no stages for a review',
  },
  wrong_checklist: {
    id: 'jenis dokumen dengan huruf kecil, angka dan garis bawah, masing-masing sekali, paling banyak 30',
    en: 'kinds in lower case letters, digits and underscores, each once, at most 30',
  },
  wrong_number: { id: 'bilangan bulat dari 1 sampai 1000', en: 'a whole number from 1 to 1000' },
  wrong_amount: {
    id: 'bilangan bulat dalam satuan terkecil, tanpa titik, koma atau Rp',
    en: 'a whole number of minor units without dots, commas or Rp',
  },
  wrong_validity: { id: 'jumlah bulan dari 1 sampai 1200, atau life', en: 'months from 1 to 1200, or life' },
  wrong_deemed_approval: { id: 'escalate_only atau issue', en: 'escalate_only or issue' },
  row_twice: {
    id: 'KBLI, skala dan jenis izin ini sudah ada di baris lain',
    en: 'another row has this KBLI, scale and licence type',
  },
};
