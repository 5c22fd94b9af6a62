/**
 * Every five minutes: what of the stock nobody was told. Orders that wait while there is some, alerts and carts without a process
 * that knows of them, and what is still reserved for orders that are over. A schedule starts this (worker/schedules.ts); what one
 * run leaves, the next takes.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ProcessToTell } from '../activities/stock.ts';
import type { CompanyId, Sku } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { cartId, lowStockId } from './ids.ts';
import { alertChangedSignal, type CartInput, cartChangedSignal, type LowStockInput } from './messages.ts';
import { records, watches } from './policies.ts';

const { findStockNews } = proxyActivities<Activities>({ ...records, summary: 'Look for what nobody was told' });
const { giveBackForgottenStock } = proxyActivities<Activities>({
  ...watches,
  summary: 'Give back what is reserved in vain',
});
const { tellWaitingOrders } = proxyActivities<Activities>({ ...watches, summary: 'Tell orders that stock is there' });
const { tellOrStart } = proxyActivities<Activities>({ ...watches, summary: 'Tell alerts and carts, or start them' });

export interface StockWatched {
  /** Products of which something was given back. */
  readonly freed: number;
  /** Orders that were told. */
  readonly orders: number;
  readonly alerts: number;
  readonly carts: number;
}

/** Whoever changed something tells it within seconds; older news is forgotten. */
const FORGOTTEN_AFTER_MS = 30_000;
const PAGE = 100;

/** @param page how many of each are looked at */
export async function stockWatch(page = PAGE): Promise<StockWatched> {
  const { skus } = await giveBackForgottenStock({ at: clock(), limit: page });
  const before = new Date(Date.now() - FORGOTTEN_AFTER_MS).toISOString();
  const { fillable, alerts, carts } = await findStockNews({ before, limit: page });
  const { told: orders } = fillable.length > 0 ? await tellWaitingOrders({ skus: fillable }) : { told: 0 };
  const processes = [...alerts.map(alertProcess), ...carts.map(cartProcess)];
  if (processes.length > 0) await tellOrStart({ processes });
  return { freed: skus.length, orders, alerts: alerts.length, carts: carts.length };
}

function alertProcess(sku: Sku): ProcessToTell {
  const input: LowStockInput = { sku };
  const about = { workflowType: 'lowStock', workflowId: lowStockId(sku), summary: `Low stock: ${sku}` };
  return { ...about, input, signal: alertChangedSignal.name };
}

function cartProcess(companyId: CompanyId): ProcessToTell {
  const input: CartInput = { companyId };
  const about = { workflowType: 'cart', workflowId: cartId(companyId), summary: 'A cart that was left' };
  return { ...about, input, signal: cartChangedSignal.name };
}
