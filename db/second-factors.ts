/** What a person set up as a second factor, the backup codes, and the codes that were sent. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';
import { type FactorKind, type Method, SENT_CODE_TRIES, type SentKind } from '../domain/second-factors.ts';

/** The column that a sealed secret is bound to. */
export const SECRET_COLUMN = 'second_factors.secret';

export interface SecondFactor {
  readonly kind: FactorKind;
  /** The TOTP key or the telephone number; null for e-mail. */
  readonly secretEncrypted: Buffer | null;
  readonly createdAt: Date;
  /** null = begun, and counts for nothing yet. */
  readonly confirmedAt: Date | null;
}

/**
 * Lets one request at a time work on a person's second factor, until its transaction ends: guesses are counted one
 * after the other however many come at once, and of two removals the second sees the first.
 */
export async function queueForPerson(trx: Knex.Transaction, userId: UserId): Promise<void> {
  await trx('users').where({ id: userId }).forNoKeyUpdate().first('id');
}

export async function factorsOf(db: Knex, userId: UserId): Promise<SecondFactor[]> {
  const found: SecondFactor[] = await db('second_factors').where({ user_id: userId }).orderBy('created_at').select({
    kind: 'kind',
    secretEncrypted: 'secret_encrypted',
    createdAt: 'created_at',
    confirmedAt: 'confirmed_at',
  });
  return found;
}

/** What this person can give a code by; empty = no second factor. Backup codes alone are none. */
export async function methodsOf(db: Knex, userId: UserId): Promise<Method[]> {
  const kinds: FactorKind[] = await db('second_factors')
    .where({ user_id: userId })
    .whereNotNull('confirmed_at')
    .orderBy('confirmed_at')
    .pluck('kind');
  if (kinds.length === 0) return [];
  return (await backupCodesLeft(db, userId)) > 0 ? [...kinds, 'backup_code'] : kinds;
}

export interface NewFactor {
  readonly id: string;
  readonly userId: UserId;
  readonly kind: FactorKind;
  readonly secretEncrypted: Buffer | null;
  readonly at: Date;
}

/** Begins one, in place of what was begun and not confirmed. @returns false when it is confirmed already */
export async function beginFactor(db: Knex, factor: NewFactor): Promise<boolean> {
  const rows = await db('second_factors')
    .insert({
      id: factor.id,
      user_id: factor.userId,
      kind: factor.kind,
      secret_encrypted: factor.secretEncrypted,
      created_at: factor.at,
    })
    .onConflict(['user_id', 'kind'])
    .merge(['id', 'secret_encrypted', 'created_at'])
    .whereNull('second_factors.confirmed_at')
    .returning('id');
  return rows.length === 1;
}

/** @param step the time step of the code that confirmed it, which is thereby used. @returns false when there was nothing to confirm */
export async function confirmFactor(
  db: Knex,
  userId: UserId,
  kind: FactorKind,
  confirmed: { readonly at: Date; readonly step?: number },
): Promise<boolean> {
  const rows = await db('second_factors')
    .where({ user_id: userId, kind, confirmed_at: null })
    .update({ confirmed_at: confirmed.at, last_step: confirmed.step ?? null });
  return rows === 1;
}

/**
 * Takes the code of a time step, once: of two requests with the same code one gets true.
 * @param step seconds since 1970 divided by 30
 */
export async function takeTotpStep(db: Knex, userId: UserId, step: number): Promise<boolean> {
  const rows = await db('second_factors')
    .where({ user_id: userId, kind: 'totp' })
    .whereNotNull('confirmed_at')
    .where((query) => query.whereNull('last_step').orWhere('last_step', '<', step))
    .update({ last_step: step });
  return rows === 1;
}

/** @returns whether there was one, confirmed */
export async function removeFactor(db: Knex, userId: UserId, kind: FactorKind): Promise<boolean> {
  const rows = await db('second_factors').where({ user_id: userId, kind }).whereNotNull('confirmed_at').delete();
  return rows === 1;
}

/** Takes everything away that a code could be given by. @returns the kinds that counted; empty = there was none */
export async function removeAllFactors(db: Knex, userId: UserId): Promise<FactorKind[]> {
  const rows: { kind: FactorKind; confirmedAt: Date | null }[] = await db('second_factors')
    .where({ user_id: userId })
    .delete()
    .returning(['kind', db.ref('confirmed_at').as('confirmedAt')]);
  await removeBackupCodes(db, userId);
  return rows.filter(({ confirmedAt }) => confirmedAt !== null).map(({ kind }) => kind);
}

/** Puts these in place of all that there were. @param hashes of codes, one each */
export async function replaceBackupCodes(db: Knex, userId: UserId, hashes: readonly string[], at: Date): Promise<void> {
  await removeBackupCodes(db, userId);
  await db('backup_codes').insert(hashes.map((hash) => ({ user_id: userId, code_hash: hash, created_at: at })));
}

export async function removeBackupCodes(db: Knex, userId: UserId): Promise<void> {
  await db('backup_codes').where({ user_id: userId }).delete();
}

/** Each is good for one use. @returns whether it was one, unused */
export async function takeBackupCode(db: Knex, userId: UserId, hash: string, at: Date): Promise<boolean> {
  const rows = await db('backup_codes')
    .where({ user_id: userId, code_hash: hash, used_at: null })
    .update({ used_at: at });
  return rows === 1;
}

export async function backupCodesLeft(db: Knex, userId: UserId): Promise<number> {
  const row = await db('backup_codes').where({ user_id: userId, used_at: null }).count({ count: '*' }).first();
  return Number(row?.count ?? 0);
}

export interface SentCode {
  readonly id: string;
  readonly userId: UserId;
  readonly kind: SentKind;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

const DAY_MS = 86_400_000;

/** From now on no earlier one of this person and channel counts; those of a day ago are forgotten. */
export async function addSentCode(db: Knex, code: SentCode): Promise<void> {
  const dayAgo = new Date(code.createdAt.getTime() - DAY_MS);
  await db('sent_codes').where({ user_id: code.userId, kind: code.kind }).where('created_at', '<', dayAgo).delete();
  await db('sent_codes')
    .where({ user_id: code.userId, kind: code.kind, used_at: null })
    .update({ used_at: code.createdAt });
  await db('sent_codes').insert({
    id: code.id,
    user_id: code.userId,
    kind: code.kind,
    created_at: code.createdAt,
    expires_at: code.expiresAt,
  });
}

/** One that could not be sent: it opens nothing, and the next need not wait for it. */
export async function dropSentCode(db: Knex, id: string): Promise<void> {
  await db('sent_codes').where({ id }).delete();
}

/** When codes were sent to this person by this channel, since then. */
export async function sendsSince(db: Knex, userId: UserId, kind: SentKind, since: Date): Promise<Date[]> {
  return db('sent_codes').where({ user_id: userId, kind }).where('created_at', '>', since).pluck('created_at');
}

/** The one of a person and channel that can be given now. */
export async function liveSentCode(db: Knex, userId: UserId, kind: SentKind, at: Date): Promise<string | null> {
  const found: { id: string } | undefined = await db('sent_codes')
    .where({ user_id: userId, kind, used_at: null })
    .where('expires_at', '>', at)
    .where('failures', '<', SENT_CODE_TRIES)
    .first('id');
  return found?.id ?? null;
}

export async function useSentCode(db: Knex, id: string, at: Date): Promise<boolean> {
  const rows = await db('sent_codes').where({ id, used_at: null }).update({ used_at: at });
  return rows === 1;
}

export async function noteWrongSentCode(db: Knex, id: string): Promise<void> {
  await db('sent_codes').where({ id }).increment('failures', 1);
}

export interface TextMessage {
  readonly userId: UserId;
  readonly locale: 'id' | 'en';
  /** Of the number that it goes to. */
  readonly secretEncrypted: Buffer;
}

/** What a text message needs; null when there is nothing (more) to send: no such code, no number, used or too old. */
export async function textMessageOf(db: Knex, sentCodeId: string, at: Date): Promise<TextMessage | null> {
  const found: TextMessage | undefined = await db('sent_codes as c')
    .join('users as u', 'u.id', 'c.user_id')
    .join('second_factors as f', (join) => join.on('f.user_id', 'c.user_id').andOnVal('f.kind', 'sms'))
    .where({ 'c.id': sentCodeId, 'c.kind': 'sms', 'c.used_at': null })
    .where('c.expires_at', '>', at)
    .whereNotNull('f.secret_encrypted')
    .first({ userId: 'c.user_id', locale: 'u.locale', secretEncrypted: 'f.secret_encrypted' });
  return found ?? null;
}
