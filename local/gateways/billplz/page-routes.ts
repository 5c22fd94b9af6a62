/** The payer's side over HTTP: the bill's page and its buttons. */
import { type Request, Router } from 'express';
import { type GatewaySandbox, ImpossibleEvent } from '../sandbox.ts';
import type { Bill } from './bills.ts';
import { renderNoSuchPage, renderPayPage } from './pay-page.ts';

export interface PageState {
  /** By its ID, as of now. */
  find(id: string): Bill | undefined;
  play: GatewaySandbox['play'];
  billUrl(bill: Bill): string;
  /** Where Billplz sends the browser after a try, signed; null = nowhere. */
  redirectAddress(bill: Bill): string | null;
}

export function pageRoutes({ find, play, billUrl, redirectAddress }: PageState): Router {
  const router = Router();
  const page = (bill: Bill, more: { notice?: string } = {}): string =>
    renderPayPage(bill, { action: billUrl(bill), back: redirectAddress(bill), ...more });
  router.get('/bills/:id', (req, res) => {
    const bill = find(req.params.id);
    if (bill === undefined) return void res.status(404).send(renderNoSuchPage());
    res.set('Cache-Control', 'no-store').send(page(bill));
  });
  router.post('/bills/:id/:button', async (req, res) => {
    const bill = find(req.params.id);
    if (bill === undefined) return void res.status(404).send(renderNoSuchPage());
    try {
      await press(bill, req.params.button, req);
    } catch (error) {
      if (!(error instanceof ImpossibleEvent)) throw error;
      return void res.status(409).send(page(find(bill.id) ?? bill, { notice: error.message }));
    }
    const now = find(bill.id) ?? bill;
    // After a try, whatever came of it, the browser goes back to the merchant.
    res.redirect(303, (req.params.button === 'expire' ? null : redirectAddress(now)) ?? billUrl(now));
  });
  const press = async (bill: Bill, button: string, req: Request): Promise<void> => {
    switch (button) {
      case 'pay':
      case 'fail':
      case 'expire': {
        const channel = req.body?.channel === undefined ? {} : { channel: String(req.body.channel) };
        await play(bill.id, button, { webhook: 'once', delayMs: 0, ...channel });
        return;
      }
      default:
        throw new ImpossibleEvent('There is no such button on this page.');
    }
  };
  return router;
}
