/**
 * The chain that seals the events: what is hashed, in which form, and which rows may stand where. Pure: who hashes and
 * signs is db/audit-hash.ts; sealing (db/audit.ts) and verifying (local/audit-verify.ts) use the same functions.
 */

/** Every column of an event, in the order in which it is hashed. A column that is added later makes a new form. */
export const AUDITED_FIELDS = [
  'id',
  'key',
  'type',
  'applicationId',
  'companyId',
  'actorId',
  'actor',
  'subject',
  'address',
  'requestId',
  'data',
  'public',
  'occurredAt',
  'recordedAt',
] as const;

/**
 * An event as the audit sees it, all of it text: `data` as PostgreSQL writes jsonb, times in UTC with microseconds
 * (`2026-03-02T02:00:00.000000Z`), so that nothing is lost or rounded on the way through a program.
 */
export type AuditedEvent = Readonly<Record<(typeof AUDITED_FIELDS)[number], string | null>> & {
  readonly id: string;
  readonly type: string;
  readonly recordedAt: string;
};

/** Names the form, so that no text of another form can ever pass for one of this. */
const EVENT_FORM = 'alur-event/1';
const SEAL_FORM = 'alur-seal/1';

/** What is hashed of an event: a JSON array, so that no value can run over into the next. */
export const canonicalEvent = (event: AuditedEvent): string =>
  JSON.stringify([EVENT_FORM, ...AUDITED_FIELDS.map((field) => event[field])]);

/** A batch, as it is signed. */
export interface Seal {
  /** From 1, without gaps. */
  readonly batch: string;
  /** How many events are in it. */
  readonly events: number;
  /** Hash of the batch before. */
  readonly previousHash: string;
  readonly sealedAt: string;
  readonly hash: string;
  /** RFC 7638 thumbprint of the public key. */
  readonly keyId: string;
  /** Ed25519 over `signedText`, base64url. */
  readonly signature: string;
}

export type SealHeader = Pick<Seal, 'batch' | 'previousHash' | 'events' | 'sealedAt'>;

/** The batch before the first. */
export const NO_HASH = '0'.repeat(64);

/** A batch is hashed as its header and then a line for each event, by ascending ID. */
export const canonicalHeader = ({ batch, previousHash, events, sealedAt }: SealHeader): string =>
  JSON.stringify([SEAL_FORM, batch, previousHash, String(events), sealedAt]);
export const canonicalLine = (event: { readonly id: string; readonly hash: string }): string =>
  `\n${event.id} ${event.hash}`;

export const signedText = (batchHash: string): string => `${SEAL_FORM} ${batchHash}`;

/**
 * No event is committed later than this after its transaction began, which is its `recorded_at`: what commits from now on
 * was recorded at most this long ago. The database refuses it after 10 minutes (trigger `events_in_time`); the other
 * five are for the commit itself.
 */
export const COMMITS_WITHIN_MINUTES = 15;

/**
 * Where the next batch begins, given the one before. Batches are taken in the order of `recorded_at`. What was visible
 * then and recorded before the newest event of that batch is sealed; what was not visible then was recorded no longer
 * than `COMMITS_WITHIN_MINUTES` before. So an unsealed event recorded before this was put in afterwards by somebody who
 * went around the database's rules: it is never sealed, and verifying names it.
 */
export function sealedUpTo(previous: { readonly sealedAt: string; readonly newestRecordedAt: string }): string {
  const open = new Date(Date.parse(previous.sealedAt) - COMMITS_WITHIN_MINUTES * 60_000).toISOString();
  const earliestCommit = `${open.slice(0, -1)}000Z`;
  return earliestCommit < previous.newestRecordedAt ? earliestCommit : previous.newestRecordedAt;
}

/** A line of an export. The events of a batch follow its seal; those that are not sealed yet come after all batches. */
export type ExportLine =
  | {
      readonly kind: 'export';
      readonly form: 'alur-audit-export/1';
      readonly from: string | null;
      readonly to: string | null;
      readonly exportedAt: string;
      /** JSON Web Keys that the seals are signed with. */
      readonly keys: readonly object[];
    }
  | ({ readonly kind: 'seal' } & Seal)
  | { readonly kind: 'event'; readonly batch: string; readonly hash: string; readonly event: AuditedEvent }
  | { readonly kind: 'event'; readonly batch: null; readonly hash: null; readonly event: AuditedEvent }
  /** Sealed, and no longer among the events. */
  | { readonly kind: 'missing'; readonly batch: string; readonly id: string; readonly hash: string }
  /** A file without it was cut off. */
  | { readonly kind: 'end'; readonly events: string };
