/** What the process of a subscription has done: each change in one transaction, and its invoices handed to who collects them. */
import type { Knex } from 'knex';
import { invoiceCloser } from '../db/lapsed-invoices.ts';
import { advance } from '../db/subscription-moves.ts';
import { type ChangeTools, change, openSubscription, readStanding } from '../db/subscriptions.ts';
import type { SealedOrigin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { CompanyId, InvoiceId, PaymentMethodId, SubscriptionId, UserId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import type { SubscriptionChange } from '../domain/subscription-changes.ts';
import type { Standing } from '../domain/subscription-timeline.ts';
import type { Plan } from '../domain/subscriptions.ts';
import type { ActivityDeps } from './deps.ts';
import { storeInvoicePdf } from './invoices.ts';
import { openOrigin } from './origin.ts';
import { startProcess, tellOrStartProcess, tellProcess } from './processes.ts';

export interface BeginSubscription {
  readonly subscriptionId: SubscriptionId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly plan: Plan;
  readonly zone: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly origin?: SealedOrigin;
}

export interface CollectInvoice {
  readonly invoiceId: InvoiceId;
  readonly subscriptionId: SubscriptionId;
  /** Which card to charge; null = a payment link is all. */
  readonly charge: { readonly paymentMethodId: PaymentMethodId; readonly try: number } | null;
  /** The process that collects it, by the names that workflows/ knows it under. */
  readonly process: {
    readonly workflowType: string;
    readonly workflowId: string;
    readonly chargeSignal: string;
  };
}

export function createSubscriptionActivities(deps: Pick<ActivityDeps, 'db' | 'files' | 'money' | 'personalData'>) {
  const { db } = deps;
  const tools: ChangeTools = { refundPolicy: deps.money, closeInvoice: invoiceCloser(deps.money) };
  return {
    /** @returns null when the company has another subscription: then this one never began */
    async beginSubscription({ origin, ...input }: BeginSubscription): Promise<Standing | null> {
      try {
        return await db.transaction(async (tx: Knex) => {
          await openSubscription(tx, { ...input, origin: openOrigin(deps, origin) });
          return readStanding(tx, input.subscriptionId);
        });
      } catch (error) {
        if (error instanceof Failure && error.code === 'already_subscribed') return null;
        throw error;
      }
    },

    /** Books what was paid, or does one thing that is due; with nothing of both it only reads. Safe to repeat. */
    async advanceSubscription(input: { subscriptionId: SubscriptionId; at: string }): Promise<Standing> {
      const { subscriptionId } = input;
      return db.transaction((tx: Knex) => advance(tx, tools, { subscriptionId, at: Date.parse(input.at) }));
    },

    /** What somebody asked for, once; or why not. */
    async changeSubscription(input: {
      subscriptionId: SubscriptionId;
      change: SubscriptionChange;
      key: string;
      at: string;
      origin?: SealedOrigin;
    }): Promise<{ standing: Standing; refusal: Refusal | null }> {
      const asked = { ...input, at: Date.parse(input.at), origin: openOrigin(deps, input.origin) };
      return db.transaction((tx: Knex) => change(tx, tools, asked));
    },

    /** Prints the invoice, and starts the process that collects it; one that runs is left to itself, or told to charge. */
    async collectSubscriptionInvoice({ invoiceId, subscriptionId, charge, process }: CollectInvoice): Promise<void> {
      await storeInvoicePdf(deps, invoiceId);
      const { workflowType, workflowId, chargeSignal } = process;
      const input = { invoiceId, subscriptionId };
      const collector = { workflowType, workflowId, input, summary: 'Payment of an invoice' };
      if (charge) await tellOrStartProcess(collector, { name: chargeSignal, argument: charge });
      else await startProcess(collector);
    },

    /** An invoice that nobody waits for any more: its pages are to be closed. One that nobody collects has none. */
    async tellCollection({ workflowId, signal }: { workflowId: string; signal: string }): Promise<void> {
      await tellProcess(workflowId, { name: signal });
    },
  };
}
