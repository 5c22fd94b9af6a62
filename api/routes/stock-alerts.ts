/** Alerts of stock that runs out: seen, taken on, put off. */
import { z } from 'zod';
import type { Knex } from '../../db/connection.ts';
import { acknowledgeAlert, alertById, listAlerts, type StockAlert, snoozeAlert } from '../../db/stock-alerts.ts';
import type { Sku, StockAlertId } from '../../domain/ids.ts';
import { ALERT_STATES } from '../../domain/stock.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import { positionInTime } from '../schemas/ids.ts';
import { skuSchema, snoozeSchema, stockAlertIdSchema, stockAlertSchema } from '../schemas/stock.ts';
import { tellAfterStock } from '../stock-telling.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const tags = ['Shop'];
const params = z.object({ id: stockAlertIdSchema });
const problems = ['not_found', 'alert_not_open'] as const;
const responses = { 200: { description: 'The alert, as it is now', schema: stockAlertSchema } } as const;

const list = defineRoute({
  method: 'get',
  path: '/stock-alerts',
  summary: 'Alerts of stock that runs out, the latest first',
  tags,
  permission: 'stock.read',
  query: z.strictObject({
    ...pageQuery,
    state: z.enum(ALERT_STATES).optional().describe('Absent = all that are not over.'),
    sku: skuSchema.optional(),
  }),
  responses: { 200: { description: 'A page of alerts', schema: pageOf(stockAlertSchema) } },
  async handler({ query: { limit, cursor, ...filter }, deps, locale }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listAlerts(deps.db, { ...filter, after, limit: limit + 1 });
    const toItem = (row: StockAlert) => alertJson(row, locale);
    return json(
      200,
      page(rows, limit, toItem, ({ openedAt, id }) => ({ at: openedAt, id })),
    );
  },
});

const acknowledge = defineRoute({
  method: 'post',
  path: '/stock-alerts/:id/acknowledge',
  summary: 'Somebody sees to it: no more letters of this alert',
  tags,
  permission: 'stock.manage',
  params,
  problems,
  responses,
  async handler({ params: { id }, actor, origin, deps, locale, requestKey }) {
    const said = { id, by: actor.userId, origin, key: requestKey, at: new Date().toISOString() };
    return json(200, await answered(deps, id, locale, (tx) => acknowledgeAlert(tx, said)));
  },
});

const DAY = 86_400_000;

const snooze = defineRoute({
  method: 'post',
  path: '/stock-alerts/:id/snooze',
  summary: 'No letters of this alert for so many days, or until then',
  tags,
  permission: 'stock.manage',
  params,
  body: snoozeSchema,
  problems,
  responses,
  async handler({ params: { id }, body, actor, origin, deps, locale, requestKey }) {
    const now = new Date();
    const until = body.until ? new Date(body.until) : new Date(now.getTime() + (body.days ?? 1) * DAY);
    const said = { id, by: actor.userId, origin, key: requestKey, at: now.toISOString(), until: until.toISOString() };
    return json(200, await answered(deps, id, locale, (tx) => snoozeAlert(tx, said)));
  },
});

export const stockAlertRoutes = [list, acknowledge, snooze];

async function answered(deps: ApiDeps, id: StockAlertId, locale: Locale, answer: (tx: Knex) => Promise<Sku>) {
  const sku = await deps.db.transaction(answer);
  void tellAfterStock(deps, [sku]);
  return alertJson(await alertById(deps.db, id), locale);
}

const alertJson = (it: StockAlert, locale: Locale) => ({
  id: it.id,
  sku: it.sku,
  name: it.name[locale],
  state: it.state,
  threshold: it.threshold,
  free: it.free,
  freeThen: it.freeThen,
  snoozedUntil: timeOrNull(it.snoozedUntil),
  acknowledgedBy: it.acknowledgedBy,
  openedAt: timeJson(it.openedAt),
  clearedAt: timeOrNull(it.clearedAt),
});
