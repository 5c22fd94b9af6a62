/** The payer's side over HTTP: the Checkout page and its buttons. */
import { type Request, Router } from 'express';
import type { Locale } from '../pay-page-frame.ts';
import { type GatewaySandbox, ImpossibleEvent } from '../sandbox.ts';
import { renderNoSuchPage, renderPayPage } from './pay-page.ts';
import type { Session } from './sessions.ts';

export interface PageState {
  /** By the session's ID, as of now. */
  find(id: string): Session | undefined;
  play: GatewaySandbox['play'];
  url(session: Session): string;
}

const BUTTONS = ['pay', 'fail', 'challenge', 'settle', 'expire'] as const;

export function pageRoutes({ find, play, url }: PageState): Router {
  const router = Router();
  router.get('/c/pay/:id', (req, res) => {
    const session = find(req.params.id);
    if (session === undefined) return void res.status(404).send(renderNoSuchPage(localeOf(req, 'id')));
    const locale = localeOf(req, session.locale);
    res.set('Cache-Control', 'no-store').send(renderPayPage(session, { locale, action: url(session) }));
  });
  router.post('/c/pay/:id/:button', async (req, res) => {
    const session = find(req.params.id);
    if (session === undefined) return void res.status(404).send(renderNoSuchPage(localeOf(req, 'id')));
    const locale = localeOf(req, session.locale);
    try {
      await press(session, req);
    } catch (error) {
      if (!(error instanceof ImpossibleEvent)) throw error;
      const current = find(session.id) ?? session;
      const page = renderPayPage(current, { locale, action: url(session), notice: error.message });
      return void res.status(409).send(page);
    }
    res.redirect(303, `${url(session)}?lang=${locale}`);
  });
  const press = async (session: Session, req: Request): Promise<void> => {
    const button = BUTTONS.find((name) => name === req.params.button);
    if (button === undefined) throw new ImpossibleEvent('There is no such button on this page.');
    const channel = typeof req.body?.channel === 'string' ? req.body.channel : undefined;
    await play(session.id, button, { webhook: 'once', delayMs: 0, channel });
  };
  return router;
}

const localeOf = (req: Request, otherwise: Locale): Locale =>
  req.query.lang === 'en' || req.query.lang === 'id' ? req.query.lang : otherwise;
