/** The lists that a merchant can walk, newest first, and the search that lags behind. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import type { Stretch } from '../timeline.ts';
import { missing, refused } from './refusals.ts';
import type { Session } from './sessions.ts';
import { type ApiState, expandOf, queryOf, told } from './state.ts';
import { below, chargeBody, disputeBody, intentBody, listBody, refundBody } from './wire.ts';

export const createLists = (state: ApiState) => ({
  sessions: sessions(state),
  charges: charges(state),
  refunds: refunds(state),
  payments: payments(state),
  disputes: disputes(state),
});

const seconds = z.coerce.number().int().optional();

const page = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(10),
  starting_after: z.string().optional(),
  payment_intent: z.string().optional(),
  charge: z.string().optional(),
  status: z.string().optional(),
  'created[gte]': seconds,
  'created[gt]': seconds,
  'created[lt]': seconds,
  'created[lte]': seconds,
});
type Page = z.infer<typeof page>;

interface Listing {
  readonly url: string;
  /** What a wrong `starting_after` is no name of. */
  readonly what: string;
  readonly list: 'sessions' | 'charges' | 'refunds';
  readonly isWanted: (page: Page, session: Session) => boolean;
  readonly body: (name: string, session: Session, req: Request) => object[];
}

/** A page of a list: walked from where the last one ended, never sorted anew. */
const listing =
  (state: ApiState, { url, what, list, isWanted, body }: Listing) =>
  (req: Request): Reply => {
    const parsed = page.safeParse(Object.fromEntries(queryOf(req)));
    if (!parsed.success) return refused(400, 'Invalid query.', { param: String(parsed.error.issues[0]?.path[0]) });
    const { limit, starting_after: after } = parsed.data;
    if (after !== undefined && !state.book.has(list, after)) return missing(what, after, 'starting_after');
    const found: object[] = [];
    for (const [name, stored] of state.book.walk(
      list,
      stretchOf(parsed.data),
      parsed.data.payment_intent ?? parsed.data.charge,
    )) {
      const session = state.current(stored);
      if (!isWanted(parsed.data, session)) continue;
      found.push(...body(name, session, req));
      if (found.length > limit) break;
    }
    return { status: 200, body: listBody(url, found.slice(0, limit), found.length > limit) };
  };

/** Stripe counts in whole seconds. */
function stretchOf(asked: Page): Stretch {
  const from = asked['created[gte]'] ?? (asked['created[gt]'] === undefined ? undefined : asked['created[gt]'] + 1);
  const to = asked['created[lt]'] ?? (asked['created[lte]'] === undefined ? undefined : asked['created[lte]'] + 1);
  return { from: iso(from), to: iso(to), after: asked.starting_after };
}

const iso = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at * 1000).toISOString();

const isOfIntent = ({ payment_intent: intent, charge }: Page, { payment }: Session): boolean =>
  (intent === undefined || payment?.intentId === intent) && (charge === undefined || payment?.chargeId === charge);

/** There is no filter by anything of the merchant's. */
const sessions = (state: ApiState) =>
  listing(state, {
    url: '/v1/checkout/sessions',
    what: 'checkout.session',
    list: 'sessions',
    isWanted: (asked, session) =>
      session.onFile === null &&
      isOfIntent(asked, session) &&
      (asked.status === undefined || session.status === asked.status),
    body: (_name, session, req) => [told(state, session, req)],
  });

const charges = (state: ApiState) =>
  listing(state, {
    url: '/v1/charges',
    what: 'charge',
    list: 'charges',
    // A charge that was followed by another try has no place in the sandbox: it brought nothing.
    isWanted: isOfIntent,
    body: (name, session, req) =>
      session.payment?.chargeId === name ? [chargeBody(session, session.payment, below(expandOf(req), 'data'))] : [],
  });

const refunds = (state: ApiState) =>
  listing(state, {
    url: '/v1/refunds',
    what: 'refund',
    list: 'refunds',
    isWanted: isOfIntent,
    body: (name, session) => {
      const { payment } = session;
      const made = payment?.refunds.find(({ id }) => id === name);
      return payment === null || made === undefined ? [] : [refundBody(session, payment, made)];
    },
  });

// Stripe's index is a minute behind. https://docs.stripe.com/search#data-freshness
const SEARCH_LAG_MS = 60_000;

const payments =
  (state: ApiState) =>
  (req: Request): Reply => {
    const query = queryOf(req).get('query') ?? '';
    const [, name = '', value = ''] = /^metadata\['([^']+)'\]:'([^']+)'$/.exec(query) ?? [];
    if (name === '') return refused(400, 'We were unable to parse your search query.', { param: 'query' });
    const until = state.clock().getTime() - SEARCH_LAG_MS;
    // Nothing else but the reference is ever searched for: one look instead of one at each session.
    const data = state.book
      .named(value)
      .filter(({ payment, intentMetadata }) => {
        return payment !== null && intentMetadata[name] === value && Date.parse(payment.chargedAt) <= until;
      })
      .flatMap((session) => (session.payment === null ? [] : intentBody(session, session.payment)));
    const url = '/v1/payment_intents/search';
    return { status: 200, body: { object: 'search_result', data, has_more: false, next_page: null, url } };
  };

const disputes =
  (state: ApiState) =>
  (req: Request): Reply => {
    const intent = queryOf(req).get('payment_intent');
    const data = (intent === null ? state.book.all() : state.book.named(intent)).flatMap((session) => {
      const { payment } = session;
      if (payment === null || payment.dispute === null) return [];
      return intent === null || payment.intentId === intent ? disputeBody(session, payment, payment.dispute) : [];
    });
    return { status: 200, body: listBody('/v1/disputes', data.toReversed(), false) };
  };
