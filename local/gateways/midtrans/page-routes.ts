/** The payer's side over HTTP: the pay page and its buttons. */
import { type Request, Router } from 'express';
import type { Locale } from '../pay-page-frame.ts';
import { type GatewaySandbox, ImpossibleEvent } from '../sandbox.ts';
import { choose, hasTransaction, type Order } from './orders.ts';
import { renderNoSuchPage, renderPayPage } from './pay-page.ts';

export interface PageState {
  readonly clock: () => Date;
  find(id: string): Order | undefined;
  /** Stores it and notifies the merchant. */
  change(order: Order): void;
  play: GatewaySandbox['play'];
  pageUrl(order: Order): string;
}

export function pageRoutes({ clock, find, change, play, pageUrl }: PageState): Router {
  const router = Router();
  const lookUp = (req: Request): Order | undefined => {
    const order = find(String(req.params.token));
    return order?.token === req.params.token ? order : undefined;
  };
  router.get('/snap/v3/redirection/:token', async (req, res) => {
    const order = lookUp(req);
    if (order === undefined) return void res.status(404).send(renderNoSuchPage(localeOf(req, 'id')));
    const locale = localeOf(req, order.locale);
    res.set('Cache-Control', 'no-store').send(await renderPayPage(order, { locale, action: pageUrl(order) }));
  });
  router.post('/snap/v3/redirection/:token/:button', async (req, res) => {
    const order = lookUp(req);
    if (order === undefined) return void res.status(404).send(renderNoSuchPage(localeOf(req, 'id')));
    const locale = localeOf(req, order.locale);
    try {
      await press(order, req);
    } catch (error) {
      if (!(error instanceof ImpossibleEvent)) throw error;
      const current = find(order.orderId) ?? order;
      const page = await renderPayPage(current, { locale, action: pageUrl(order), notice: error.message });
      return void res.status(409).send(page);
    }
    res.redirect(303, `${pageUrl(order)}?lang=${locale}`);
  });
  const press = async (order: Order, req: Request): Promise<void> => {
    switch (req.params.button) {
      case 'choose':
        return change(choose(order, String(req.body?.channel ?? ''), clock()));
      case 'pay':
      case 'fail':
      case 'expire':
        if (req.params.button !== 'expire' && !hasTransaction(order)) {
          throw new ImpossibleEvent('Choose how to pay first.');
        }
        await play(order.orderId, req.params.button, { webhook: 'once', delayMs: 0 });
        return;
      default:
        throw new ImpossibleEvent('There is no such button on this page.');
    }
  };
  return router;
}

function localeOf(req: Request, otherwise: Locale): Locale {
  return req.query.lang === 'en' || req.query.lang === 'id' ? req.query.lang : otherwise;
}
