/** What happens by itself in the shop's stores: alerts, orders that stock has come for, what was reserved in vain. */
import { heartbeat, log } from '@temporalio/activity';
import type { Knex } from 'knex';
import { cartsToWatch } from '../db/carts.ts';
import { type AlertStanding, advanceAlert, alertsNotTaken } from '../db/stock-alerts.ts';
import { forgottenReservations, giveBackForgotten } from '../db/stock-forgotten.ts';
import { ordersWaitingFor, skusThatCouldBeFilled } from '../db/stock-waiting.ts';
import type { CompanyId, OrderId, Sku } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';
import { type ProcessStart, tellOrStartProcess, tellProcess } from './processes.ts';

/** A process, and what is said to it. */
export interface ProcessToTell extends ProcessStart {
  readonly signal: string;
}

export interface StockNews {
  /** Free, and waited for. */
  readonly fillable: readonly Sku[];
  /** Something about their alerts is not known to their process. */
  readonly alerts: readonly Sku[];
  readonly carts: readonly CompanyId[];
}

export function createStockActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /** Writes to the sellers what is due; safe to repeat. */
    async advanceStockAlert(input: { sku: Sku; at: string }): Promise<AlertStanding> {
      return db.transaction((tx: Knex) => advanceAlert(tx, input));
    },

    /** @returns of which products something is free again; one order that cannot be seen to keeps no other from it */
    async giveBackForgottenStock({ at, limit }: { at: string; limit: number }): Promise<{ skus: Sku[] }> {
      const skus = new Set<Sku>();
      for (const orderId of await forgottenReservations(db, at, limit)) {
        heartbeat();
        const free = await db.transaction((tx: Knex) => giveBackForgotten(tx, { orderId, at }));
        for (const sku of free) skus.add(sku);
        log.warn('what was reserved for an order that is over was given back', { orderId });
      }
      return { skus: [...skus] };
    },

    /** @param input.before ISO 8601: what is younger is still on its way by itself */
    async findStockNews({ before, limit }: { before: string; limit: number }): Promise<StockNews> {
      return {
        fillable: await skusThatCouldBeFilled(db, limit),
        alerts: await alertsNotTaken(db, before, limit),
        carts: await cartsToWatch(db, before, limit),
      };
    },

    /** Stock has come, or is free again: the oldest order first. One without a process is left to its own watch. */
    async tellWaitingOrders({ skus }: { skus: readonly Sku[] }): Promise<{ told: number }> {
      let told = 0;
      for (const orderId of await ordersWaitingFor(db, skus))
        told += (await tellProcess(ORDER_PROCESS.idOf(orderId), { name: ORDER_PROCESS.signal })) ? 1 : 0;
      return { told };
    },

    /** Told where they run, started where they do not; one that cannot be reached keeps no other from it. */
    async tellOrStart({ processes }: { processes: readonly ProcessToTell[] }): Promise<{ told: number }> {
      let told = 0;
      for (const process of processes) {
        heartbeat();
        told += (await toldOrStarted(process)) ? 1 : 0;
      }
      return { told };
    },
  };
}

/** As workflows/ids.ts and messages.ts name them; a test compares. */
export const ORDER_PROCESS = { idOf: (id: OrderId): string => `order/${id}`, signal: 'orderChanged' } as const;

async function toldOrStarted({ signal, ...start }: ProcessToTell): Promise<boolean> {
  try {
    await tellOrStartProcess(start, { name: signal });
    return true;
  } catch (error) {
    log.warn('a process could not be told; the next run tries again', { error, workflowId: start.workflowId });
    return false;
  }
}
