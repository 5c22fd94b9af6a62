/** Events, sealed or not, and exports of them: for tests of the audit. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Knex } from 'knex';
import { sealNextBatch } from '../../db/audit.ts';
import { auditJwkOf, createAuditSigner } from '../../db/audit-hash.ts';
import { exportLines } from '../../db/audit-reads.ts';
import { type NewEvent, recordEvent } from '../../db/events.ts';
import type { ExportLine } from '../../domain/audit.ts';
import { AUDIT_PRIVATE_KEY } from '../support/database.ts';

export const auditSigner = createAuditSigner(AUDIT_PRIVATE_KEY);

/** @returns the event's ID */
export async function anEvent(db: Knex, changes: Partial<NewEvent> = {}): Promise<string> {
  const key = randomUUID();
  await recordEvent(db, {
    key,
    type: 'login.failed',
    data: { reason: 'test' },
    at: new Date().toISOString(),
    ...changes,
  });
  const row: { id: bigint } = await db('events')
    .where({ key: changes.key ?? key })
    .first('id');
  return String(row.id);
}

/** Seals whatever is unsealed, in batches of this size. @returns how many events were sealed */
export async function sealAll(db: Knex, batchSize?: number): Promise<number> {
  for (let events = 0; ; ) {
    const sealed = await sealNextBatch(db, auditSigner, batchSize);
    if (typeof sealed === 'string') return events;
    events += sealed.events;
  }
}

export async function exported(db: Knex, range: { from?: Date; to?: Date } = {}): Promise<ExportLine[]> {
  const lines: ExportLine[] = [];
  const keys = [auditJwkOf(AUDIT_PRIVATE_KEY)];
  const pages = exportLines(db, { from: range.from ?? null, to: range.to ?? null }, { keys, at: new Date() });
  for await (const page of pages) lines.push(...page);
  return lines;
}

export const writeExport = (path: string, lines: readonly object[]): Promise<void> =>
  writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
