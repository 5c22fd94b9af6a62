/** Checks an export of the audit line by line: each row's hash, each batch's hash and signature, the chain, the order. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { type AuditKeys, auditKeysOf, hashOfEvent, isSignedBy, startBatchHash } from '../db/audit-hash.ts';
import { type AuditedEvent, NO_HASH, type Seal, sealedUpTo } from '../domain/audit.ts';

/** What is wrong, in a sentence that names the event and the batch. The first one ends the check. */
export class AuditFinding extends Error {
  override name = 'AuditFinding';
}

export interface AuditSummary {
  readonly events: number;
  readonly batches: number;
  readonly firstBatch: string | null;
  readonly lastBatch: string | null;
  readonly lastHash: string | null;
  readonly unsealed: number;
  /** The batch before the first one is not in the file: its hash was believed. */
  readonly onTrust: boolean;
  /** Thumbprints of the keys that signed. */
  readonly keyIds: readonly string[];
}

const text = z.string();
const hex = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.string().regex(/^\d{1,19}$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
const nullable = text.nullable();
const event = z.strictObject({
  key: nullable,
  applicationId: nullable,
  companyId: nullable,
  actorId: nullable,
  actor: nullable,
  subject: nullable,
  address: nullable,
  requestId: nullable,
  data: nullable,
  public: nullable,
  occurredAt: nullable,
  id,
  type: text,
  recordedAt: time,
}) satisfies z.ZodType<AuditedEvent>;
const line = z.union([
  z.strictObject({ kind: z.literal('event'), batch: id, hash: hex, event }),
  z.strictObject({ kind: z.literal('event'), batch: z.null(), hash: z.null(), event }),
  z.strictObject({
    kind: z.literal('seal'),
    batch: id,
    events: z.int().positive(),
    previousHash: hex,
    hash: hex,
    keyId: text,
    signature: text,
    sealedAt: time,
  }),
  z.strictObject({ kind: z.literal('missing'), batch: id, id, hash: hex }),
  z.strictObject({
    kind: z.literal('export'),
    form: z.literal('alur-audit-export/1'),
    from: nullable,
    to: nullable,
    exportedAt: text,
    keys: z.array(
      z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().regex(/^[\w-]{43}$/) }),
    ),
  }),
  z.strictObject({ kind: z.literal('end'), events: id }),
]);
type Line = z.infer<typeof line>;
type EventLine = Extract<Line, { kind: 'event' }>;

/** A batch whose events are being read. */
interface OpenBatch {
  readonly seal: Seal;
  readonly sum: ReturnType<typeof startBatchHash>;
  events: number;
  lastId: string | null;
  newestRecordedAt: string;
}

/**
 * Feed it every line, then ask for the summary.
 * @param trusted keys that the caller knows to be the office's; without any, those in the file are believed
 * @throws AuditFinding at the first line that is not as it was sealed
 */
export function createAuditCheck(trusted: readonly KeyObject[]) {
  let keys: AuditKeys | null = null;
  let open: OpenBatch | null = null;
  let closed: Omit<OpenBatch, 'sum'> | null = null;
  let ended = false;
  let lineNumber = 0;
  let events = 0;
  let batches = 0;
  let unsealed = 0;
  let firstSeal: Seal | null = null;
  const keyIds = new Set<string>();

  return { line: take, summary };

  function take(given: string): void {
    lineNumber += 1;
    const read = parsed(given, lineNumber);
    if (ended) throw new AuditFinding(`Line ${lineNumber} comes after the end of the export: it was added.`);
    if (keys === null && read.kind !== 'export')
      throw new AuditFinding('The file does not begin as an export of the audit does: its first line is missing.');
    switch (read.kind) {
      case 'export':
        begin(read);
        break;
      case 'seal':
        openBatch(read);
        break;
      case 'event':
        events += 1;
        if (read.batch === null) takeUnsealed(read.event);
        else takeSealed(read);
        break;
      case 'missing':
        throw new AuditFinding(`Event ${read.id} of batch ${read.batch} is missing: it was sealed, and is gone.`);
      case 'end':
        end(read.events);
        break;
    }
  }

  function begin(head: Extract<Line, { kind: 'export' }>): void {
    if (keys !== null) throw new AuditFinding(`Line ${lineNumber} begins a second export in the same file.`);
    const inFile = head.keys.map(({ kty, crv, x }) => createPublicKey({ key: { kty, crv, x }, format: 'jwk' }));
    keys = auditKeysOf(trusted.length > 0 ? trusted : inFile);
  }

  function openBatch(seal: Seal): void {
    closeBatch();
    if (unsealed > 0) throw new AuditFinding(`Batch ${seal.batch} is out of order: it comes after events without one.`);
    requireNext(seal);
    requireSignature(seal);
    firstSeal ??= seal;
    batches += 1;
    open = { seal, sum: startBatchHash(seal), events: 0, lastId: null, newestRecordedAt: '' };
  }

  function requireNext(seal: Seal): void {
    const { batch, previousHash } = seal;
    if (closed === null) {
      if (batch === '1' && previousHash !== NO_HASH)
        throw new AuditFinding('Batch 1 was altered: it is the first and names a batch before it.');
      return;
    }
    const before = closed.seal;
    const expected = BigInt(before.batch) + 1n;
    if (BigInt(batch) > expected)
      throw new AuditFinding(`Batch ${expected} is missing: batch ${batch} comes after batch ${before.batch}.`);
    if (BigInt(batch) < expected)
      throw new AuditFinding(`Batch ${batch} is out of order: it comes after batch ${before.batch}.`);
    if (previousHash !== before.hash)
      throw new AuditFinding(`Batch ${batch} does not follow batch ${before.batch}: it was sealed after another one.`);
  }

  function requireSignature(seal: Seal): void {
    const key = keys?.get(seal.keyId);
    if (!key) {
      throw new AuditFinding(
        `Batch ${seal.batch} is signed with the key ${seal.keyId}, which is none of ${[...(keys?.keys() ?? [])].join(', ')}.` +
          ' If it was the key at that time, give its public part with --key as well.',
      );
    }
    if (!isSignedBy(key, seal))
      throw new AuditFinding(`Batch ${seal.batch} was altered: its signature is not that of the key ${seal.keyId}.`);
    keyIds.add(seal.keyId);
  }

  function takeSealed({ batch, hash, event }: EventLine): void {
    if (!open || open.seal.batch !== batch)
      throw new AuditFinding(`Event ${event.id} says that it is in batch ${batch}, and stands ${whereNow()}.`);
    if (hashOfEvent(event) !== hash)
      throw new AuditFinding(
        `Event ${event.id} in batch ${batch} was altered: the row no longer hashes to what was sealed.`,
      );
    if (open.lastId !== null && BigInt(event.id) <= BigInt(open.lastId))
      throw new AuditFinding(
        `Event ${event.id} in batch ${batch} is out of order: it comes after event ${open.lastId}.`,
      );
    requireNotBackdated(event, ` in batch ${batch}`);
    open.sum.add({ id: event.id, hash: hash ?? '' });
    open.events += 1;
    open.lastId = event.id;
    if (event.recordedAt > open.newestRecordedAt) open.newestRecordedAt = event.recordedAt;
  }

  function whereNow(): string {
    return open ? `among the events of batch ${open.seal.batch}` : 'outside of every batch';
  }

  function takeUnsealed(event: AuditedEvent): void {
    closeBatch();
    requireNotBackdated(event, '');
    unsealed += 1;
  }

  /** What was recorded before the last batch began to leave things open must be in it or before it. */
  function requireNotBackdated(event: AuditedEvent, where: string): void {
    if (!closed) return;
    const { seal, newestRecordedAt } = closed;
    if (event.recordedAt >= sealedUpTo({ sealedAt: seal.sealedAt, newestRecordedAt })) return;
    throw new AuditFinding(
      `Event ${event.id}${where} was added afterwards: it says that it was recorded at ${event.recordedAt}, and everything` +
        ` recorded by then had been sealed with batch ${seal.batch} at ${seal.sealedAt}.`,
    );
  }

  function closeBatch(): void {
    if (!open) return;
    const { seal, sum, events: found, lastId } = open;
    if (found !== seal.events) {
      const what = found < seal.events ? 'one is missing' : 'one was added';
      throw new AuditFinding(
        `Batch ${seal.batch} was altered: ${seal.events} events were sealed and it holds ${found}, the last of them ${lastId ?? 'none'}; ${what}.`,
      );
    }
    if (sum.digest() !== seal.hash) {
      throw new AuditFinding(
        `Batch ${seal.batch} was altered: its ${found} events, up to event ${lastId}, do not hash to what was signed. Rows were` +
          ' changed together with their recorded hashes, so which ones cannot be told.',
      );
    }
    closed = open;
    open = null;
  }

  function end(told: string): void {
    closeBatch();
    ended = true;
    if (BigInt(told) !== BigInt(events))
      throw new AuditFinding(
        `The export ends with ${told} events and the file holds ${events}: lines were taken out or put in.`,
      );
  }

  function summary(): AuditSummary {
    if (keys === null) throw new AuditFinding('The file is empty.');
    closeBatch();
    if (!ended) throw new AuditFinding(`The file was cut off after line ${lineNumber}: its last line is missing.`);
    return {
      events,
      batches,
      firstBatch: firstSeal?.batch ?? null,
      lastBatch: closed?.seal.batch ?? null,
      lastHash: closed?.seal.hash ?? null,
      unsealed,
      onTrust: firstSeal !== null && firstSeal.batch !== '1',
      keyIds: [...keyIds],
    };
  }
}

export type AuditCheck = ReturnType<typeof createAuditCheck>;

function parsed(given: string, lineNumber: number): Line {
  const read = line.safeParse(json(given));
  if (read.success) return read.data;
  throw new AuditFinding(`Line ${lineNumber} is not a line of an export: it was altered or cut off.`);
}

function json(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    // No form of a line accepts undefined, so it is refused above.
    return undefined;
  }
}
