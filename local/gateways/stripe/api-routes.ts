/** The merchant's side over HTTP: the part of `/v1` that the SDK is asked for, behind the secret key. */
import { type Request, type RequestHandler, Router } from 'express';
import type { Reply } from '../faults.ts';
import { basic, behindKey } from '../merchant-key.ts';
import { type CardState, createCardApi } from './card-api.ts';
import { createLists } from './lists.ts';
import { createRefundApi } from './refund-api.ts';
import { missing, refused } from './refusals.ts';
import { type NamesOf, reading, writing } from './serving.ts';
import { newSession } from './session-request.ts';
import { expire, opened, type Session } from './sessions.ts';
import { type ApiState, queryOf, told } from './state.ts';

export function apiRoutes(state: CardState): Router {
  const named = namesOf(state);
  const read = reading(state.faults, named);
  const write = writing(state.faults, state.keys, named);
  const refunds = createRefundApi(state);
  const lists = createLists(state);
  const cards = createCardApi(state);
  const newPage = create(state);
  const router = Router();
  router.use('/v1', authorized(state.secretKey));
  router.post('/v1/customers', write('create', cards.customer));
  router.post(
    '/v1/checkout/sessions',
    write('create', (req) => (req.body?.mode === 'setup' ? cards.openSetup(req) : newPage(req))),
  );
  router.get('/v1/checkout/sessions', read('status', lists.sessions));
  router.get(
    '/v1/checkout/sessions/:id',
    read('status', (req) => {
      const setup = state.findSetup(String(req.params.id));
      return setup === undefined ? onSession(state, get)(req) : cards.getSetup(setup, req);
    }),
  );
  router.post('/v1/checkout/sessions/:id/expire', write('expire', onSession(state, end)));
  router.get('/v1/payment_intents/search', read('status', lists.payments));
  router.post('/v1/payment_intents', write('create', cards.charge));
  router.get('/v1/payment_intents', read('status', cards.payments));
  router.get('/v1/payment_intents/:id', read('status', cards.payment));
  router.post('/v1/payment_methods/:id/detach', write('expire', cards.detach));
  router.get('/v1/charges', read('list', lists.charges));
  router.get('/v1/disputes', read('status', lists.disputes));
  router.post('/v1/refunds', write('refund', refunds.create));
  router.get('/v1/refunds', read('refund_status', lists.refunds));
  router.get('/v1/refunds/:id', read('refund_status', refunds.get));
  router.use('/v1', (req, res) => {
    const { status, body } = refused(
      404,
      `Unrecognized request URL (${req.method}: ${req.originalUrl.split('?')[0]}).`,
    );
    res.status(status).json(body);
  });
  return router;
}

const namesOf =
  ({ book }: ApiState): NamesOf =>
  (req) => {
    const asked = [
      req.params.id,
      req.body?.payment_intent,
      req.body?.client_reference_id,
      req.body?.metadata?.alur_reference,
      queryOf(req).get('payment_intent'),
    ].find((name) => typeof name === 'string');
    if (asked === undefined || asked === null) return [];
    const [session] = book.named(asked);
    return [asked, session?.reference, session?.payment?.intentId].filter((name) => typeof name === 'string');
  };

/** The SDK sends the key as a bearer, curl in the examples as a user without a password. */
function authorized(secretKey: string): RequestHandler {
  return behindKey([`Bearer ${secretKey}`, basic(secretKey)], (_req, res) => {
    const { status, body } = refused(401, 'Invalid API Key provided.');
    res.status(status).json(body);
  });
}

const create =
  (state: ApiState) =>
  (req: Request): Reply => {
    const asked = newSession(req.body, state.clock());
    if ('refusal' in asked) return asked.refusal;
    const session = opened(asked.session);
    state.save(session);
    return { status: 200, body: told(state, session, req) };
  };

const get = (state: ApiState, session: Session, req: Request): Reply => ({
  status: 200,
  body: told(state, session, req),
});

const onSession =
  (state: ApiState, work: (state: ApiState, session: Session, req: Request) => Reply) =>
  (req: Request): Reply => {
    const id = String(req.params.id);
    const session = state.find(id);
    return session === undefined ? missing('checkout.session', id, 'session') : work(state, session, req);
  };

function end(state: ApiState, session: Session, req: Request): Reply {
  if (session.status !== 'open') {
    const message = `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`;
    return refused(400, message);
  }
  const ended = expire(session);
  state.ended(ended);
  return { status: 200, body: told(state, ended, req) };
}
