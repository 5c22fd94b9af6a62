/** The lists that a merchant can walk, and the search that lags behind. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { missing, refused } from './refusals.ts';
import { type ApiState, queryOf, told } from './state.ts';
import { disputeBody, intentBody, listBody } from './wire.ts';

export const createLists = (state: ApiState) => ({
  sessions: sessions(state),
  payments: payments(state),
  disputes: disputes(state),
});

const page = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(10),
  starting_after: z.string().optional(),
  payment_intent: z.string().optional(),
  status: z.string().optional(),
  'created[gte]': z.coerce.number().int().optional(),
});

/** Newest first. There is no filter by anything of the merchant's. */
const sessions =
  (state: ApiState) =>
  (req: Request): Reply => {
    const parsed = page.safeParse(Object.fromEntries(queryOf(req)));
    if (!parsed.success) return refused(400, 'Invalid query.', { param: String(parsed.error.issues[0]?.path[0]) });
    const { limit, starting_after: after, payment_intent: intent, status, 'created[gte]': since } = parsed.data;
    const found = state
      .all()
      .toReversed()
      .filter((one) => intent === undefined || one.payment?.intentId === intent)
      .filter((one) => status === undefined || one.status === status)
      .filter(({ createdAt }) => since === undefined || Math.floor(Date.parse(createdAt) / 1000) >= since);
    const from = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && from === 0) return missing('checkout.session', after, 'starting_after');
    const data = found.slice(from, from + limit).map((session) => told(state, session, req));
    return { status: 200, body: listBody('/v1/checkout/sessions', data, found.length > from + limit) };
  };

// Stripe's index is a minute behind. https://docs.stripe.com/search#data-freshness
const SEARCH_LAG_MS = 60_000;

const payments =
  (state: ApiState) =>
  (req: Request): Reply => {
    const query = queryOf(req).get('query') ?? '';
    const [, name = '', value = ''] = /^metadata\['([^']+)'\]:'([^']+)'$/.exec(query) ?? [];
    if (name === '') return refused(400, 'We were unable to parse your search query.', { param: 'query' });
    const until = state.clock().getTime() - SEARCH_LAG_MS;
    const data = state
      .all()
      .filter(({ payment, intentMetadata }) => {
        return payment !== null && intentMetadata[name] === value && Date.parse(payment.chargedAt) <= until;
      })
      .flatMap((session) => (session.payment === null ? [] : intentBody(session, session.payment, false)));
    const url = '/v1/payment_intents/search';
    return { status: 200, body: { object: 'search_result', data, has_more: false, next_page: null, url } };
  };

const disputes =
  (state: ApiState) =>
  (req: Request): Reply => {
    const intent = queryOf(req).get('payment_intent');
    const data = state.all().flatMap((session) => {
      const { payment } = session;
      if (payment === null || payment.dispute === null) return [];
      return intent === null || payment.intentId === intent ? disputeBody(session, payment, payment.dispute) : [];
    });
    return { status: 200, body: listBody('/v1/disputes', data.toReversed(), false) };
  };
