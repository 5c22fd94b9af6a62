/** Cards on file: tokens at the gateway and what may be shown of them; and the pages on which they are given. */
import type { Knex } from 'knex';
import type { CardFace, CardSetupState } from '../domain/cards.ts';
import type { Origin } from '../domain/events.ts';
import type { CompanyId, PaymentMethodId, UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';

export interface Card extends CardFace {
  readonly id: PaymentMethodId;
  readonly gateway: 'stripe';
  readonly addedAt: Date;
}

const FACE = {
  brand: 'm.brand',
  last4: 'm.last4',
  expiresMonth: 'm.expires_month',
  expiresYear: 'm.expires_year',
} as const;

/** Of a company, oldest first; those that were removed are not among them. */
export async function cardsOfCompany(db: Knex, companyId: CompanyId): Promise<Card[]> {
  return db('payment_methods as m')
    .where({ company_id: companyId })
    .whereNull('removed_at')
    .orderBy(['created_at', 'id'])
    .select({ id: 'm.id', gateway: 'm.gateway', addedAt: 'm.created_at', ...FACE });
}

/** A card as the gateway knows it. */
export interface ChargeableCard {
  readonly customer: string;
  readonly card: string;
}

/** null = the company has no such card, or not any more. Locked against its removal until the transaction ends. */
export async function chargeableCard(
  tx: Knex,
  id: PaymentMethodId,
  companyId: CompanyId,
): Promise<ChargeableCard | null> {
  const row: ChargeableCard | undefined = await tx('payment_methods')
    .where({ id, company_id: companyId })
    .whereNull('removed_at')
    .forShare()
    .first({ customer: 'customer_reference', card: 'method_reference' });
  return row ?? null;
}

/** How the gateway is asked about a charge of a card on file; null = the payment is none. */
export async function chargeOf(
  db: Knex,
  reference: string,
): Promise<(ChargeableCard & { readonly reference: string; readonly transactionId: string | null }) | null> {
  const row: (ChargeableCard & { transactionId: string | null }) | undefined = await db('payments as p')
    .join('payment_methods as m', 'm.id', 'p.payment_method_id')
    .where('p.gateway_reference', reference)
    .first({ customer: 'm.customer_reference', card: 'm.method_reference', transactionId: 'p.transaction_id' });
  return row ? { ...row, reference } : null;
}

export interface NewCardSetup {
  /** Of the card that comes of it. */
  readonly id: PaymentMethodId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  /** ISO 8601, both. */
  readonly at: string;
  readonly expiresAt: string;
}

/** On record before the gateway hears of it; a repeat finds it. */
export async function insertCardSetup(db: Knex, setup: NewCardSetup): Promise<void> {
  await db('card_setups')
    .insert({
      id: setup.id,
      company_id: setup.companyId,
      gateway: 'stripe',
      state: 'created',
      requested_by: setup.by,
      created_at: setup.at,
      expires_at: setup.expiresAt,
    })
    .onConflict('id')
    .ignore();
}

export interface CardSetupRow {
  readonly id: PaymentMethodId;
  readonly companyId: CompanyId;
  readonly state: CardSetupState;
  readonly by: UserId;
  readonly session: string | null;
  readonly customer: string | null;
  readonly url: string | null;
  readonly expiresAt: Date;
}

const SETUP = {
  id: 'id',
  companyId: 'company_id',
  state: 'state',
  by: 'requested_by',
  session: 'session_reference',
  customer: 'customer_reference',
  url: 'setup_url',
  expiresAt: 'expires_at',
} as const;

export async function findCardSetup(db: Knex, id: PaymentMethodId): Promise<CardSetupRow> {
  const row: CardSetupRow | undefined = await db('card_setups').where({ id }).first(SETUP);
  if (!row) throw new Error(`there is no page for a card ${id}`);
  return row;
}

/** Pages of a company on which a card may still be given, or was given and nobody has asked yet. */
export async function pendingCardSetups(db: Knex, companyId: CompanyId): Promise<PaymentMethodId[]> {
  return db('card_setups')
    .where({ company_id: companyId })
    .whereIn('state', ['created', 'open'])
    .orderBy('created_at')
    .pluck<PaymentMethodId[]>('id');
}

/** Whom the gateway files the company's cards under; null = nobody yet. */
export async function customerOf(db: Knex, companyId: CompanyId): Promise<string | null> {
  const row: { customer: string } | undefined = await db('card_setups')
    .where({ company_id: companyId })
    .whereNotNull('customer_reference')
    .first({ customer: 'customer_reference' });
  return row?.customer ?? null;
}

export async function noteSetupOpened(
  db: Knex,
  id: PaymentMethodId,
  opened: { readonly customer: string; readonly session: string; readonly url: string; readonly expiresAt: string },
): Promise<void> {
  await db('card_setups').where({ id, state: 'created' }).update({
    state: 'open',
    customer_reference: opened.customer,
    session_reference: opened.session,
    setup_url: opened.url,
    expires_at: opened.expiresAt,
  });
}

/** It comes to nothing. @param to `failed` = the gateway refused to open a page */
export async function endCardSetup(db: Knex, id: PaymentMethodId, to: 'expired' | 'failed', at: string): Promise<void> {
  await db('card_setups').where({ id }).whereIn('state', ['created', 'open']).update({ state: to, ended_at: at });
}

/** Stores the card that was given, once, with its event. */
export async function addCard(
  tx: Knex,
  setup: CardSetupRow,
  card: CardFace & { readonly method: string },
  at: string,
): Promise<void> {
  const isNew = await recordEvent(tx, {
    key: `card/${setup.id}/added`,
    type: 'payment_method.added',
    companyId: setup.companyId,
    by: setup.by,
    subject: `payment_method/${setup.id}`,
    data: { brand: card.brand },
    at,
  });
  if (!isNew) return;
  await tx('payment_methods').insert({
    id: setup.id,
    company_id: setup.companyId,
    gateway: 'stripe',
    customer_reference: setup.customer,
    method_reference: card.method,
    brand: card.brand,
    last4: card.last4,
    expires_month: card.expiresMonth,
    expires_year: card.expiresYear,
    added_by: setup.by,
    created_at: at,
  });
  await tx('card_setups').where({ id: setup.id }).update({ state: 'completed', ended_at: at, setup_url: null });
}

/**
 * Takes a card off a company, once: nobody charges it from now on, and its process has the gateway forget it. A subscription
 * that it was for goes on by links.
 * @returns false when the company has no such card (any more)
 */
export async function removeCard(
  tx: Knex,
  card: {
    readonly id: PaymentMethodId;
    readonly companyId: CompanyId;
    readonly by: UserId;
    readonly origin?: Origin;
    readonly at: string;
  },
): Promise<boolean> {
  const { id, companyId, by, origin, at } = card;
  const changed = await tx('payment_methods')
    .where({ id, company_id: companyId })
    .whereNull('removed_at')
    .update({ removed_at: at });
  if (changed === 0) return false;
  await tx('subscriptions').where({ payment_method_id: id }).update({ payment_method_id: null });
  await recordEvent(tx, {
    key: `card/${id}/removed`,
    type: 'payment_method.removed',
    companyId,
    by,
    subject: `payment_method/${id}`,
    origin,
    at,
  });
  return true;
}

/** The gateway's name of a card that was removed; null = it was not, or not yet. */
export async function removedCard(db: Knex, id: PaymentMethodId): Promise<string | null> {
  const row: { card: string } | undefined = await db('payment_methods')
    .where({ id })
    .whereNotNull('removed_at')
    .first({ card: 'method_reference' });
  return row?.card ?? null;
}

/** null = there was never such a page. */
export async function cardSetupState(db: Knex, id: PaymentMethodId): Promise<CardSetupState | null> {
  const row: { state: CardSetupState } | undefined = await db('card_setups').where({ id }).first('state');
  return row?.state ?? null;
}
