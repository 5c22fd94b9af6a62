/**
 * What people say to an order or a return: on record before the process hears of it, and applied once. The texts in it never
 * come into a history.
 */
import type { Knex } from 'knex';
import { asId, type OrderId, type ReturnId, type ShopMessageId, type UserId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import { namedUuid } from './uuids.ts';

export type ShopSubject = `order/${OrderId}` | `rma/${ReturnId}`;

export interface NewShopMessage {
  readonly subject: ShopSubject;
  readonly kind: string;
  readonly by: UserId;
  /** As validated at the border; amounts as digits. */
  readonly content: Readonly<Record<string, unknown>>;
  /** Of the request: a repeat is the same message. */
  readonly requestKey: string;
  readonly at: Date;
}

/** @returns its ID, of a repeat the one that it got first */
export async function recordShopMessage(db: Knex, message: NewShopMessage): Promise<ShopMessageId> {
  const { subject, kind, by, content, requestKey, at } = message;
  const id = asId<ShopMessageId>(namedUuid(`shop-message/${subject}/${kind}/${by}/${requestKey}`));
  await db('shop_messages')
    .insert({ id, subject, kind, said_by: by, content: JSON.stringify(content), at })
    .onConflict('id')
    .ignore();
  return id;
}

export interface ShopMessageOnRecord {
  readonly id: ShopMessageId;
  readonly subject: ShopSubject;
  readonly kind: string;
  readonly by: UserId;
  readonly content: unknown;
  /** null = not answered yet. `refusal` null = it was done. */
  readonly answer: { readonly refusal: Refusal | null } | null;
}

/** Locked: whoever applies it looks first whether it was answered. @throws when there is no such message */
export async function lockShopMessage(tx: Knex, id: ShopMessageId): Promise<ShopMessageOnRecord> {
  const row: ShopMessageOnRecord | undefined = await tx('shop_messages')
    .where({ id })
    .forUpdate()
    .first({ id: 'id', subject: 'subject', kind: 'kind', by: 'said_by', content: 'content', answer: 'answer' });
  if (!row) throw new Error(`message ${id} is not on record`);
  return row;
}

/** null = not answered yet. */
export async function shopMessageAnswer(db: Knex, id: ShopMessageId): Promise<ShopMessageOnRecord['answer']> {
  const row: Pick<ShopMessageOnRecord, 'answer'> | undefined = await db('shop_messages').where({ id }).first('answer');
  return row?.answer ?? null;
}

/** In the transaction that did it, or found out why not. */
export async function answerShopMessage(
  tx: Knex,
  id: ShopMessageId,
  refusal: Refusal | null,
  at: string,
): Promise<void> {
  await tx('shop_messages')
    .where({ id })
    .update({ answered_at: at, answer: JSON.stringify({ refusal }) });
}

/** Its process said no before it came to be applied. Where a parcel should have gone is of no use any more. */
export async function refuseShopMessage(
  db: Knex,
  id: ShopMessageId,
  { code, message, facts }: Refusal,
  at: Date,
): Promise<void> {
  const refusal: Refusal = { code, message, facts };
  await db('shop_messages')
    .where({ id })
    .whereNull('answered_at')
    .update({ answered_at: at, answer: JSON.stringify({ refusal }), content: db.raw(`content - 'shipTo'`) });
}

export interface WaitingMessage {
  readonly id: ShopMessageId;
  readonly subject: ShopSubject;
  readonly kind: string;
  readonly by: UserId;
}

/**
 * On record, and neither done nor refused: its process was not there, or nobody worked. By subject, and of each in the order in
 * which they were said.
 * @param asked.before ISO 8601: younger ones are being said by whoever put them on record
 * @param asked.kinds those that a process hears; others are kept and not answered
 */
export async function waitingMessages(
  db: Knex,
  asked: {
    readonly of: 'order' | 'rma';
    readonly kinds: readonly string[];
    readonly before: string;
    readonly after: string | null;
    readonly limit: number;
  },
): Promise<WaitingMessage[]> {
  const { of, kinds, before, after, limit } = asked;
  const rows: WaitingMessage[] = await db('shop_messages')
    .whereNull('answered_at')
    // '0' comes after '/': all that begin with it, by the index whatever the collation.
    .whereRaw(`subject collate "C" > ? and subject collate "C" < ?`, [after ?? `${of}/`, `${of}0`])
    .whereIn('kind', [...kinds])
    .where('at', '<', before)
    .orderByRaw('subject collate "C", at, id')
    .limit(limit)
    .select({ id: 'id', subject: 'subject', kind: 'kind', by: 'said_by' });
  return rows;
}
