/** A Checkout Session in mode `setup`: a page that takes a card and no money. Pure but for the store. */
import { join } from 'node:path';
import { z } from 'zod';
import { type Book, createBook } from '../book.ts';
import { ImpossibleEvent } from '../sandbox.ts';
import { newId } from './sessions.ts';

/**
 * Test cards, by what becomes of a charge. The numbers are Stripe's (https://docs.stripe.com/testing), though there some of
 * them are refused when they are given already; the last is the sandbox's own: declined once, charged from then on.
 */
export const TEST_CARDS = {
  '4242': { brand: 'visa', declines: null },
  '9995': { brand: 'visa', declines: 'insufficient_funds' },
  '0069': { brand: 'visa', declines: 'expired_card' },
  '9979': { brand: 'visa', declines: 'stolen_card' },
  '9987': { brand: 'visa', declines: 'lost_card' },
  '3184': { brand: 'visa', declines: 'authentication_required' },
  '4444': { brand: 'mastercard', declines: 'insufficient_funds_once' },
} as const;
export type TestCard = keyof typeof TEST_CARDS;
export const TEST_CARD_NUMBERS = ['4242', '9995', '0069', '9979', '9987', '3184', '4444'] as const satisfies TestCard[];

const card = z.object({
  id: z.string(),
  last4: z.enum(TEST_CARD_NUMBERS),
  detached: z.boolean(),
});

export const setup = z.object({
  id: z.string(),
  reference: z.string().nullable(),
  customer: z.string(),
  metadata: z.record(z.string(), z.string()),
  locale: z.enum(['id', 'en']),
  successUrl: z.string(),
  cancelUrl: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  status: z.enum(['open', 'complete', 'expired']),
  intentId: z.string(),
  card: card.nullable(),
});
export type Setup = z.infer<typeof setup>;

export type SetupBook = Book<Setup, never>;

export const createSetupBook = (stateDir: string | null): SetupBook =>
  createBook({
    dir: stateDir === null ? null : join(stateDir, 'stripe-setups'),
    schema: setup,
    idOf: ({ id }) => id,
    createdAt: ({ createdAt }) => createdAt,
    namesOf: ({ reference, card: given }) => [...(reference === null ? [] : [reference]), ...(given ? [given.id] : [])],
    lists: {},
  });

export const asOfNow = (said: Setup, now: Date): Setup =>
  said.status === 'open' && now >= new Date(said.expiresAt) ? { ...said, status: 'expired' } : said;

/** The payer gives a card. @throws ImpossibleEvent on a page that takes none any more */
export function giveCard(said: Setup, last4: TestCard): Setup {
  if (said.status !== 'open') throw new ImpossibleEvent(`This page is ${said.status}; only an open one takes a card.`);
  return { ...said, status: 'complete', card: { id: newId('pm'), last4, detached: false } };
}

/** Why a charge of the card is refused. @param before how often it was refused already */
export function declineOf(last4: TestCard, before: number): string | null {
  const { declines } = TEST_CARDS[last4];
  if (declines !== 'insufficient_funds_once') return declines;
  return before === 0 ? 'insufficient_funds' : null;
}
