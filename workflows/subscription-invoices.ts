/** The invoices that a subscription waits for: each is handed to payment/<invoiceId>, charged to the card, and let go again. */
import { log, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { InvoiceId, PaymentMethodId } from '../domain/ids.ts';
import { chargeTry, type Standing } from '../domain/subscription-timeline.ts';
import { orNull } from './answers.ts';
import { paymentId } from './ids.ts';
import { type CardDeclined, chargeCardSignal, type InvoiceClosed, lookAgainSignal } from './messages.ts';
import { documents, localDocuments } from './policies.ts';

const near = proxyLocalActivities<Activities>(localDocuments);
const { collectSubscriptionInvoice } = proxyActivities<Activities>({
  ...documents,
  summary: 'Print the invoice and have it collected',
});
const { tellCollection } = proxyActivities<Activities>({ ...documents, summary: 'Tell who collects it to stop' });

interface Charge {
  readonly try: number;
  readonly cardId: PaymentMethodId | null;
}
const NONE: Charge = { try: 0, cardId: null };

/** What the next run has to know. */
export interface Collected {
  /** Invoices that are collected, and what was last asked for to charge a card (try 0 = nothing). */
  readonly invoices: readonly (readonly [InvoiceId, Charge])[];
  /** One that no further try would change. */
  readonly deadCard: PaymentMethodId | null;
}

export function openCollections(before: Collected = { invoices: [], deadCard: null }) {
  const tries = new Map(before.invoices);
  const paid = new Set<InvoiceId>();
  let { deadCard } = before;

  /** Which try is asked for now, if any. */
  function tryOf(it: Standing, invoiceId: InvoiceId, last: Charge): number {
    if (it.cardId === null || it.cardId === deadCard) return 0;
    if (it.renewal?.invoiceId === invoiceId) return chargeTry(it);
    // An upgrade is charged at once, for somebody waits for it; and again when they have chosen another card.
    return last.cardId === it.cardId ? last.try : last.try + 1;
  }

  async function collect(it: Standing, invoiceId: InvoiceId): Promise<void> {
    const last = tries.get(invoiceId) ?? NONE;
    const isNew = !tries.has(invoiceId);
    const wanted = tryOf(it, invoiceId, last);
    const charges = wanted > last.try;
    if (!isNew && !charges) return;
    tries.set(invoiceId, charges ? { try: wanted, cardId: it.cardId } : last);
    const asked = {
      invoiceId,
      subscriptionId: it.subscriptionId,
      charge: charges && it.cardId !== null ? { paymentMethodId: it.cardId, try: wanted } : null,
      process: {
        workflowType: 'invoicePayment',
        workflowId: paymentId(invoiceId),
        chargeSignal: chargeCardSignal.name,
      },
    };
    // Near first, which costs the history one event; what is away for longer is waited for by the server.
    const done = await orNull(near.collectSubscriptionInvoice(asked).then(() => true));
    if (!done) await collectSubscriptionInvoice(asked);
  }

  async function letGo(invoiceId: InvoiceId): Promise<void> {
    tries.delete(invoiceId);
    if (paid.delete(invoiceId)) return;
    const errand = { workflowId: paymentId(invoiceId), signal: lookAgainSignal.name };
    const done = await orNull(near.tellCollection(errand).then(() => true));
    if (!done) await tellCollection(errand);
  }

  return {
    /** Makes what is collected what the record says is open. */
    async follow(it: Standing): Promise<void> {
      const open = [it.renewal, it.upgrade].flatMap((one) => (one ? [one.invoiceId] : []));
      for (const invoiceId of open) await collect(it, invoiceId);
      for (const invoiceId of [...tries.keys()]) if (!open.includes(invoiceId)) await letGo(invoiceId);
    },
    /** @returns whether that is news */
    closed({ invoiceId, outcome }: InvoiceClosed): boolean {
      if (outcome === 'paid' && tries.has(invoiceId)) paid.add(invoiceId);
      return tries.has(invoiceId) || outcome !== 'paid';
    },
    declined(it: Standing | null, { invoiceId, code, mayChange }: CardDeclined): void {
      log.info('a card on file was declined', { invoiceId, code, mayChange });
      if (it && !mayChange && tries.has(invoiceId)) deadCard = it.cardId;
    },
    carried: (): Collected => ({ invoices: [...tries], deadCard }),
  };
}
