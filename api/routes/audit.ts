import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { type AuditEntry, type AuditRange, exportLines, listAudit } from '../../db/audit-reads.ts';
import { recordEvent } from '../../db/events.ts';
import type { ExportLine } from '../../domain/audit.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json, stream } from '../route.ts';
import { auditEntrySchema, auditExportQuery, auditFilter } from '../schemas/audit.ts';
import { timeJson } from '../wire.ts';

const tags = ['Admin'];
const NDJSON = 'application/x-ndjson';
const beforeEvent = z.object({ id: z.string().regex(/^\d{1,18}$/) });

const list = defineRoute({
  method: 'get',
  path: '/admin/audit',
  summary: 'What everybody and everything did, newest first',
  tags,
  permission: 'audit.read',
  query: z.strictObject({ ...pageQuery, ...auditFilter }),
  responses: { 200: { description: 'A page of events', schema: pageOf(auditEntrySchema) } },
  async handler({ query: { limit, cursor, ...filter }, deps }) {
    const after = readCursor(cursor, beforeEvent);
    const rows = await listAudit(deps.db, filter, { before: after ? BigInt(after.id) : null, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, entryJson, ({ id }) => ({ id: id.toString() })),
    );
  },
});

const entryJson = (entry: AuditEntry) => ({
  id: entry.id.toString(),
  type: entry.type,
  at: timeJson(entry.at),
  recordedAt: timeJson(entry.recordedAt),
  actor: { kind: entry.actor, id: entry.by, name: entry.byName },
  subject: entry.subject,
  companyId: entry.companyId,
  applicationId: entry.applicationId,
  address: entry.address,
  requestId: entry.requestId,
  data: entry.data,
  seal: entry.batch === null ? null : { batch: entry.batch.toString() },
});

const exportRoute = defineRoute({
  method: 'get',
  path: '/admin/audit/export',
  summary: 'The audit as a file that proves itself',
  description:
    'JSON lines: the events as they were hashed, and the seals of the chain that cover them, whole batches at a time.' +
    ' `npm run audit:verify -- <file>` checks it offline.',
  tags,
  permission: 'audit.read',
  query: auditExportQuery,
  responses: { 200: { description: 'The export', contentType: NDJSON } },
  async handler({ query, actor, origin, deps }) {
    const at = new Date();
    const range = { from: query.from ?? null, to: query.to ?? null };
    await recordEvent(deps.db, {
      // Not the request's ID, which is the caller's to choose: no export goes unrecorded.
      key: `audit/export/${randomUUID()}`,
      type: 'audit.exported',
      by: actor.userId,
      origin,
      data: { from: range.from?.toISOString() ?? null, to: range.to?.toISOString() ?? null },
      at: at.toISOString(),
    });
    const name = `alur-audit-${at.toISOString().slice(0, 10)}.ndjson`;
    return stream(NDJSON, exportOf(deps, range, at), { filename: name, headers: { 'Cache-Control': 'no-store' } });
  },
});

/** A page is read when the one before has gone out: a slow reader costs no memory. */
const exportOf = ({ db, auditKey }: ApiDeps, range: AuditRange, at: Date): Readable =>
  Readable.from(asText(exportLines(db, range, { keys: [auditKey], at })), { objectMode: false });

async function* asText(pages: AsyncIterable<ExportLine[]>): AsyncGenerator<Buffer> {
  for await (const lines of pages)
    if (lines.length > 0) yield Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export const auditRoutes = [list, exportRoute];
