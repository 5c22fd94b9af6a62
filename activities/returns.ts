/** What the process of a return has done: each step is one transaction (db/return-moves.ts). */
import type { Knex } from 'knex';
import { act, advance, type ReturnMoved, type ReturnTools, take } from '../db/return-moves.ts';
import { type ReturnOrigin, returnsToWatch } from '../db/return-processes.ts';
import type { ReturnNews } from '../db/return-steps.ts';
import { noteLabelUndone, noteUndoFailed, undo } from '../db/return-undoing.ts';
import { ordersWaitingFor } from '../db/stock-waiting.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { ReturnId, ShipmentId, ShopMessageId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import type { ReturnStanding } from '../domain/return-timeline.ts';
import type { ReturnEffect, Undone } from '../domain/return-undoing.ts';
import type { ActivityDeps } from './deps.ts';
import { orderTools } from './orders.ts';
import { openOrigin } from './origin.ts';

export type { ReturnMoved } from '../db/return-moves.ts';
export type { ReturnOrigin } from '../db/return-processes.ts';
export type { ReturnNews } from '../db/return-steps.ts';

interface Named {
  readonly returnId: ReturnId;
  /** ISO 8601. */
  readonly at: string;
}

export function createReturnActivities(deps: Pick<ActivityDeps, 'db' | 'money' | 'personalData'>) {
  const { db } = deps;
  const tools: ReturnTools = orderTools(deps);
  return {
    /** Reads it; what was only asked for is under review from then on. Safe to repeat. */
    async takeReturn({ returnId, at }: Named): Promise<ReturnStanding> {
      return db.transaction((tx: Knex) => take(tx, tools, returnId, Date.parse(at)));
    },

    /** What somebody said, once; or why not. */
    async actOnReturn({
      origin,
      ...said
    }: Named & { messageId: ShopMessageId; origin?: SealedOrigin }): Promise<
      ReturnMoved & { refusal: Refusal | null }
    > {
      const asked = { ...said, at: Date.parse(said.at), origin: openOrigin(deps, origin) };
      const moved = await db.transaction((tx: Knex) => act(tx, tools, asked));
      const { news } = moved;
      // Whoever comes to wait from now on looks at the shelf first.
      const isAwaited = news.restocked.length > 0 && (await ordersWaitingFor(db, news.restocked, 1)).length > 0;
      return isAwaited ? moved : { ...moved, news: { ...news, restocked: [] } };
    },

    /** Books what is news, or does one thing that is due; with nothing of both it only reads. Safe to repeat. */
    async advanceReturn({ at, ...input }: Named & { labelFailed?: boolean }): Promise<ReturnMoved> {
      return db.transaction((tx: Knex) => advance(tx, tools, { ...input, at: Date.parse(at) }));
    },

    /** The steps that the database undoes by itself. Safe to repeat. */
    async undoReturnStep(input: Named & { step: ReturnEffect }): Promise<{ undone: Undone; news: ReturnNews }> {
      return db.transaction((tx: Knex) => undo(tx, tools, { ...input, at: Date.parse(input.at) }));
    },

    async noteLabelUndone(input: Named & { shipmentId: ShipmentId; undone: Undone }): Promise<void> {
      return db.transaction((tx: Knex) => noteLabelUndone(tx, tools, { ...input, at: Date.parse(input.at) }));
    },

    async noteUndoFailed(input: Named & { step: ReturnEffect }): Promise<ReturnStanding> {
      await db.transaction((tx: Knex) => noteUndoFailed(tx, tools, { ...input, at: Date.parse(input.at) }));
      const { standing } = await db.transaction((tx: Knex) =>
        advance(tx, tools, { returnId: input.returnId, at: Date.parse(input.at) }),
      );
      return standing;
    },

    /** Instants ISO 8601: see `returnsToWatch`. */
    async findForgottenReturns(input: {
      requestedBefore: string;
      quietSince: string;
      after: ReturnId | null;
      limit: number;
    }): Promise<ReturnOrigin[]> {
      return returnsToWatch(db, input);
    },
  };
}
