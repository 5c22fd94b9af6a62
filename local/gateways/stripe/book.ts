/** Where the Stripe sandbox keeps its sessions, and the lists in which Stripe shows what belongs to them. */
import { join } from 'node:path';
import { type Book, createBook } from '../book.ts';
import type { PreloadedPayment } from '../preload.ts';
import { type Channel, newId, opened, type Payment, type Session, session } from './sessions.ts';

export type SessionBook = Book<Session, 'sessions' | 'charges' | 'refunds'>;

export const createSessionBook = (stateDir: string | null): SessionBook =>
  createBook({
    dir: stateDir === null ? null : join(stateDir, 'stripe'),
    schema: session,
    idOf: ({ id }) => id,
    createdAt: ({ createdAt }) => createdAt,
    namesOf: ({ reference, onFile, payment }) => [
      ...(reference === null ? [] : [reference]),
      ...(onFile === null ? [] : [onFile.customer, onFile.method]),
      ...(payment === null ? [] : [payment.intentId, payment.chargeId, ...payment.refunds.map(({ id }) => id)]),
    ],
    lists: {
      sessions: ({ id, createdAt, onFile }) => (onFile === null ? [{ name: id, at: createdAt }] : []),
      charges: ({ payment }) => (payment === null ? [] : [{ name: payment.chargeId, at: payment.chargedAt }]),
      refunds: ({ payment }) => payment?.refunds.map(({ id, createdAt }) => ({ name: id, at: createdAt })) ?? [],
    },
  });

const CARD: Channel[] = ['card'];

/** A page that was opened, paid by card and perhaps refunded, all at one moment. */
export function preloadedSession({
  reference,
  currency,
  amountMinor,
  paidAt,
  refundedMinor,
}: PreloadedPayment): Session {
  const scale = currency === 'IDR' ? 100 : 1;
  const metadata = { alur_reference: reference };
  const open = opened({
    reference,
    currency: currency === 'IDR' ? 'idr' : 'myr',
    amount: amountMinor * scale,
    items: [],
    email: null,
    locale: 'id',
    successUrl: 'https://alur.example/done',
    cancelUrl: null,
    metadata,
    intentMetadata: metadata,
    channels: CARD,
    createdAt: paidAt,
    expiresAt: new Date(Date.parse(paidAt) + 3_600_000).toISOString(),
  });
  return { ...open, status: 'complete', payment: paidByCard(paidAt, refundedMinor * scale) };
}

const paidByCard = (at: string, refunded: number): Payment => ({
  intentId: newId('pi'),
  chargeId: newId('ch'),
  channel: 'card',
  status: 'succeeded',
  declineCode: null,
  chargedAt: at,
  succeededAt: at,
  refunds:
    refunded === 0
      ? []
      : [{ id: newId('re'), amount: refunded, status: 'succeeded', reason: null, metadata: {}, createdAt: at }],
  dispute: null,
});
