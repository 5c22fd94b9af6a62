/** The payer's side over HTTP: the invoice page and its buttons. */
import { type Request, Router } from 'express';
import type { Locale } from '../pay-page-frame.ts';
import { type GatewaySandbox, ImpossibleEvent } from '../sandbox.ts';
import { choose, type Invoice, isOpen } from './invoices.ts';
import { attemptRefused, renderNoSuchPage, renderPayPage } from './pay-page.ts';

export interface PageState {
  readonly clock: () => Date;
  /** By the invoice's own ID, as of now. */
  find(id: string): Invoice | undefined;
  save(invoice: Invoice): void;
  play: GatewaySandbox['play'];
  invoiceUrl(invoice: Invoice): string;
}

export function pageRoutes({ clock, find, save, play, invoiceUrl }: PageState): Router {
  const router = Router();
  router.get('/web/:id', async (req, res) => {
    const invoice = find(req.params.id);
    if (invoice === undefined) return void res.status(404).send(renderNoSuchPage(localeOf(req, 'id')));
    const page = await renderPayPage(invoice, { locale: localeOf(req, invoice.locale), action: invoiceUrl(invoice) });
    res.set('Cache-Control', 'no-store').send(page);
  });
  router.post('/web/:id/:button', async (req, res) => {
    const invoice = find(req.params.id);
    if (invoice === undefined) return void res.status(404).send(renderNoSuchPage(localeOf(req, 'id')));
    const locale = localeOf(req, invoice.locale);
    try {
      await press(invoice, req.params.button, req);
    } catch (error) {
      if (!(error instanceof ImpossibleEvent)) throw error;
      const current = find(invoice.id) ?? invoice;
      const page = await renderPayPage(current, { locale, action: invoiceUrl(invoice), notice: error.message });
      return void res.status(409).send(page);
    }
    res.redirect(303, `${invoiceUrl(invoice)}?lang=${locale}`);
  });
  const press = async (invoice: Invoice, button: string, req: Request): Promise<void> => {
    switch (button) {
      case 'choose':
        return save(choose(invoice, String(req.body?.channel ?? ''), clock()));
      case 'fail':
        // The bank's refusal of one try: Xendit keeps the invoice open and tells the merchant nothing.
        if (isOpen(invoice)) throw new ImpossibleEvent(attemptRefused(localeOf(req, invoice.locale)));
        throw new ImpossibleEvent(`This invoice is ${invoice.status}; only a PENDING one can be tried.`);
      case 'pay':
      case 'expire':
        if (button === 'pay' && invoice.channel === null) throw new ImpossibleEvent('Choose how to pay first.');
        await play(invoice.id, button, { webhook: 'once', delayMs: 0 });
        return;
      default:
        throw new ImpossibleEvent('There is no such button on this page.');
    }
  };
  return router;
}

const localeOf = (req: Request, otherwise: Locale): Locale =>
  req.query.lang === 'en' || req.query.lang === 'id' ? req.query.lang : otherwise;
