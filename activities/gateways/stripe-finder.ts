/** From our reference to Stripe's session. Stripe cannot look a session up by anything of the merchant's. */
import type { Stripe } from 'stripe';
import { REFERENCE } from './stripe-wire.ts';

export interface SessionFinder {
  /** The session's ID, or that of a payment without one (`pi_…`); null = none that is open, was paid, or is three days old. */
  find(stripe: Stripe, reference: string): Promise<string | null>;
  /** Saves later questions the search. */
  remember(reference: string, id: string): void;
}

// A page lives for a day; the rest is for a worker that was down over a weekend.
const LOOK_BACK_SECONDS = 3 * 24 * 3600;
const MOST_REMEMBERED = 10_000;

/** What was seen once is remembered in this process: a later question is one request. */
export function createSessionFinder(): SessionFinder {
  const seen = new Map<string, string>();
  const remember = (reference: string | null, id: string) => {
    if (reference === null || seen.has(reference)) return;
    seen.set(reference, id);
    const [oldest] = seen.keys();
    if (seen.size > MOST_REMEMBERED && oldest !== undefined) seen.delete(oldest);
  };
  return {
    remember,
    find: async (stripe, reference) => {
      const known = seen.get(reference);
      if (known !== undefined) return known;
      const id = (await byPayment(stripe, reference)) ?? (await amongRecent(stripe, reference, remember));
      if (id !== null) remember(reference, id);
      return id;
    },
  };
}

/** One request for each payment that was tried, however old. The index lags behind by up to a minute. */
async function byPayment(stripe: Stripe, reference: string): Promise<string | null> {
  // No quoting: a reference has neither quotes nor backslashes.
  const found = await stripe.paymentIntents.search({ query: `metadata['${REFERENCE}']:'${reference}'`, limit: 1 });
  const [intent] = found.data;
  if (intent === undefined) return null;
  const sessions = await stripe.checkout.sessions.list({ payment_intent: intent.id, limit: 1 });
  // A charge of a card on file has no page.
  return sessions.data[0]?.id ?? intent.id;
}

/** A page on which nobody tried to pay has no payment yet: only the list has it, newest first. */
async function amongRecent(
  stripe: Stripe,
  reference: string,
  remember: (reference: string | null, id: string) => void,
): Promise<string | null> {
  const since = Math.floor(Date.now() / 1000) - LOOK_BACK_SECONDS;
  for await (const session of stripe.checkout.sessions.list({ created: { gte: since }, limit: 100 })) {
    remember(session.client_reference_id, session.id);
    if (session.client_reference_id === reference) return session.id;
  }
  return null;
}
