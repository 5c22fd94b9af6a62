/** Returns in tests, at the level of the record: what its process would have done, one transaction at a time. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { act, advance, take } from '../../db/return-moves.ts';
import { undo } from '../../db/return-undoing.ts';
import type { ReturnId, UserId } from '../../domain/ids.ts';
import type { ReturnContents } from '../../domain/return-messages.ts';
import type { ReturnEffect } from '../../domain/return-undoing.ts';
import type { ReturnMessageKind } from '../../domain/returns.ts';
import { aReturnMessage, aReturnOf, type DeliveredGoods, deliveredGoods } from '../builders/delivered-goods.ts';
import { ORDER_TOOLS } from '../builders/orders.ts';
import { MONEY_POLICY } from './money-policy.ts';

const TOOLS = { ...ORDER_TOOLS, refundPolicy: MONEY_POLICY };

export function returnsOnRecord(where: () => { readonly db: Knex; readonly seller: UserId }) {
  const go = (returnId: ReturnId, at = Date.now()) =>
    where().db.transaction((tx) => advance(tx, TOOLS, { returnId, at }));
  return {
    go,
    /** Told twice, as one whose answer was lost: nothing happens twice. */
    say: async <Kind extends ReturnMessageKind>(
      returnId: ReturnId,
      kind: Kind,
      content: ReturnContents[Kind],
      by: UserId = where().seller,
      at = Date.now(),
    ) => {
      const { db } = where();
      const messageId = await aReturnMessage(db, returnId, kind, content, by);
      const once = () => db.transaction((tx) => act(tx, TOOLS, { returnId, messageId, at }));
      const first = await once();
      const again = await once();
      assert.deepEqual(again.refusal, first.refusal);
      assert.deepEqual(again.standing.units, first.standing.units);
      assert.equal(again.standing.state, first.standing.state);
      const { standing, news } = first;
      return { state: standing.state, refusal: first.refusal?.code ?? null, standing, news };
    },
    /** Twice as well. @returns what the first time did */
    undone: async (returnId: ReturnId, step: ReturnEffect, at = Date.now()) => {
      const once = () => where().db.transaction((tx) => undo(tx, TOOLS, { returnId, step, at }));
      const first = await once();
      assert.equal((await once()).undone, 'nothing');
      return first;
    },
    opened: async (
      given: Parameters<typeof aReturnOf>[2] = {},
      goods: Parameters<typeof deliveredGoods>[1] = {},
    ): Promise<{ of: DeliveredGoods; id: ReturnId }> => {
      const { db } = where();
      const of = await deliveredGoods(db, goods);
      const id = await aReturnOf(db, of, given);
      await db.transaction((tx) => take(tx, TOOLS, id, Date.now()));
      return { of, id };
    },
    /** The carrier has made the label. */
    labelled: async (id: ReturnId, of: DeliveredGoods, state = 'labelled') => {
      const { standing } = await go(id);
      const at = new Date();
      await where()
        .db('shipments')
        .insert({
          ...{ id: standing.labelId, direction: 'back', order_id: of.orderId, return_id: id, carrier: 'kurir', state },
          ...{ tracking_number: `T-${randomUUID()}`, created_at: at, updated_at: at },
        });
      return (await go(id)).standing;
    },
    units: async (id: ReturnId) =>
      where().db('return_units').where({ return_id: id }).orderBy('number').pluck<string[]>('state'),
    events: (id: ReturnId) =>
      where()
        .db('events')
        .where({ subject: `rma/${id}` })
        .orderBy('id')
        .pluck<string[]>('type'),
    /** Who was written to of it, oldest first: `customer <letter>` or `staff <reason>`. */
    letters: async (id: ReturnId): Promise<string[]> => {
      const rows: { template: string; reasons: string[] }[] = await where()
        .db('account_letters')
        .whereRaw("data ->> 'returnId' = ?", [id])
        .orderBy(['created_at', 'template'])
        .select('template', where().db.raw("data -> 'reasons' as reasons"));
      const told = rows.map(({ template, reasons }) =>
        template === 'return_to_staff' ? `staff ${reasons.join()}` : `customer ${template}`,
      );
      return [...new Set(told)];
    },
  };
}
