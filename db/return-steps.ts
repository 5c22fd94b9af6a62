/** What every change of a return is made of: its event, its state, its letters, and what others have to be told of it. */
import type { Knex } from 'knex';
import type { EventType, Origin } from '../domain/events.ts';
import type { OrderId, RefundId, Sku, UserId } from '../domain/ids.ts';
import type { ReturnLetter, StaffReason } from '../domain/shop-mail.ts';
import { recordEachTime } from './events.ts';
import type { OrderTools } from './order-cancellation.ts';
import { unitsReturned } from './order-moves.ts';
import { type ReturnLetterFacts, writeReturnLetter } from './return-letters.ts';
import { type ReturnColumns, type ReturnRecord, type ReturnUnit, writeReturn } from './return-records.ts';

export const iso = (at: number): string => new Date(at).toISOString();

/** Processes to start or to tell once the transaction is through; a sweep does it for whoever is forgotten. */
export interface ReturnNews {
  readonly refundIds: readonly RefundId[];
  /** Orders that were placed. */
  readonly placed: readonly OrderId[];
  /** Orders whose record has changed. */
  readonly changed: readonly OrderId[];
  /** Products that are on the shelf again. */
  readonly restocked: readonly Sku[];
}

/** One transaction about one return, whose lock it holds: in whose name, and when. */
export interface Turn extends OrderTools {
  readonly tx: Knex;
  /** Epoch ms. */
  readonly at: number;
  /** Of the message or the rung: part of the keys of its events. */
  readonly key: string;
  readonly by?: UserId | undefined;
  readonly origin?: Origin | undefined;
  /** Collects; what was done is told when the transaction is through. */
  readonly news: {
    readonly refundIds: RefundId[];
    readonly placed: OrderId[];
    readonly changed: OrderId[];
    readonly restocked: Sku[];
  };
}

export const noNews = (): Turn['news'] => ({ refundIds: [], placed: [], changed: [], restocked: [] });

export function newsOf({ news }: Turn): ReturnNews {
  const once = <T>(all: readonly T[]): T[] => [...new Set(all)];
  return {
    refundIds: once(news.refundIds),
    placed: once(news.placed),
    changed: once(news.changed),
    restocked: once(news.restocked),
  };
}

/** Together or not at all, with what is to be told of it. @throws what the work throws: then nothing of it has happened */
export async function together<Done>(turn: Turn, work: (inner: Turn) => Promise<Done>): Promise<Done> {
  const news = noNews();
  const done = await turn.tx.transaction((tx: Knex) => work({ ...turn, tx, news }));
  turn.news.refundIds.push(...news.refundIds);
  turn.news.placed.push(...news.placed);
  turn.news.changed.push(...news.changed);
  turn.news.restocked.push(...news.restocked);
  return done;
}

/** The lock is the guard: whoever comes again finds another state, or the message answered. */
export async function tell(
  { tx, at, key, by, origin }: Turn,
  it: Pick<ReturnRecord, 'id' | 'companyId'>,
  type: EventType,
  data: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await recordEachTime(tx, {
    key: `rma/${it.id}/${key}/${type}`,
    type,
    companyId: it.companyId,
    subject: `rma/${it.id}`,
    ...(by ? { by } : {}),
    origin,
    data,
    at: iso(at),
  });
}

/** Event and record. @returns it, as it is now */
export async function change(
  turn: Turn,
  it: ReturnRecord,
  type: EventType,
  columns: ReturnColumns,
  data: Readonly<Record<string, unknown>> = {},
): Promise<ReturnRecord> {
  const { state } = columns;
  await tell(turn, it, type, { ...data, ...(state && state !== it.state ? { from: it.state, to: state } : {}) });
  return writeReturn(turn.tx, it, columns, turn.at);
}

export const tellCustomer = (
  { tx, at }: Turn,
  it: ReturnRecord,
  template: ReturnLetter,
  data: ReturnLetterFacts = {},
): Promise<void> => writeReturnLetter(tx, template, { returnId: it.id, to: 'customer', at, data });

export const tellStaff = (
  { tx, at }: Turn,
  it: ReturnRecord,
  reason: StaffReason,
  role: NonNullable<ReturnLetterFacts['role']> = 'seller',
): Promise<void> =>
  writeReturnLetter(tx, 'return_to_staff', { returnId: it.id, to: 'staff', at, data: { reasons: [reason], role } });

/** For the order they are back, also those that stay with the customer or were lost on the way. */
export async function takeBack(turn: Turn, it: ReturnRecord, units: readonly ReturnUnit[]): Promise<void> {
  const named = units.map(({ orderItemId, number }) => ({ orderItemId, number }));
  await unitsReturned(turn.tx, { orderId: it.orderId, units: named, returnId: it.id, at: iso(turn.at) });
  turn.news.changed.push(it.orderId);
}

/** A person has to say how it goes on. @param code of why, for the record; the letter says it by `reason` */
export async function needsPerson(
  turn: Turn,
  it: ReturnRecord,
  code: string,
  reason: StaffReason = 'manual_review',
): Promise<ReturnRecord> {
  const manual_reasons = [...new Set([...it.manualReasons, code])];
  const state = 'manual_review';
  const after = await change(turn, it, 'return.manual_review', { state, manual_reasons }, { reason: code });
  await tellStaff(turn, after, reason);
  return after;
}
