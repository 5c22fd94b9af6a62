/** A difference becomes a case, once for as long as it stays the same. */

import { isDeepStrictEqual } from 'node:util';
import type { Knex } from 'knex';
import type { Money } from '../domain/money.ts';
import { leaveHint, openPaymentCase } from './payment-cases.ts';
import type { ReconciliationRun } from './reconciliation.ts';
import type { Difference } from './reconciliation-differences.ts';

interface Earlier {
  readonly state: 'open' | 'resolved';
  readonly facts: unknown;
  readonly byPerson: boolean;
}

/**
 * Opens a case, unless there is one: an open one, or one that a person closed knowing these very facts. A difference that had
 * cleared up and is back, or is another than the one that was closed, is a new case. Where the gateway's word on a payment is
 * another than ours, its process is left a hint to ask.
 */
export async function openDifference(db: Knex, run: ReconciliationRun, found: Difference, at: string): Promise<void> {
  const facts = factsOf(found);
  await db.transaction(async (tx) => {
    const earlier = await casesOf(tx, run, found);
    const isKnown = earlier.some(
      (one) => one.state === 'open' || (one.byPerson && isDeepStrictEqual(one.facts, facts)),
    );
    if (!isKnown) await open(tx, run, found, { facts, number: earlier.length + 1, at });
    if (found.payment && ASKED_ABOUT.includes(found.kind)) await hint(tx, run, found, found.payment.id, at);
  });
}

/** What a look-up by the payment's own process may clear up. */
const ASKED_ABOUT: readonly Difference['kind'][] = ['state_differs', 'missing_there'];

const casesOf = (tx: Knex, run: ReconciliationRun, { kind, reference }: Difference): Promise<Earlier[]> =>
  tx('payment_cases')
    .where({ gateway: run.gateway, reference, kind })
    .select({ state: 'state', facts: 'facts', byPerson: tx.raw('resolved_by is not null') });

const open = (
  tx: Knex,
  run: ReconciliationRun,
  { kind, reference, payment, here, there }: Difference,
  how: { readonly facts: Readonly<Record<string, unknown>>; readonly number: number; readonly at: string },
): Promise<boolean> =>
  openPaymentCase(tx, {
    key: `reconciliation/${run.gateway}/${kind}/${reference}/${how.number}`,
    kind,
    gateway: run.gateway,
    reference,
    paymentId: payment?.id ?? null,
    invoiceId: payment?.invoiceId ?? null,
    applicationId: payment?.applicationId ?? null,
    companyId: payment?.companyId ?? null,
    runId: run.id,
    amount: there.paid ?? here.held,
    facts: how.facts,
    at: how.at,
  });

async function hint(
  tx: Knex,
  run: ReconciliationRun,
  { kind, reference }: Difference,
  paymentId: NonNullable<Difference['payment']>['id'],
  at: string,
): Promise<void> {
  await leaveHint(tx, {
    key: `reconciliation/${run.id}/${kind}/${reference}`,
    gateway: run.gateway,
    reference,
    paymentId,
    at,
  });
}

/** Only what the kind is about: two nights with the same difference have the same facts. */
function factsOf({ kind, transactionId, payment, here, there }: Difference): Readonly<Record<string, unknown>> {
  switch (kind) {
    case 'missing_here':
      return { expected: null, found: { transactionId, state: there.state, ...amountOf(there.paid) } };
    case 'missing_there':
    case 'state_differs':
      return {
        expected: { state: payment?.state ?? null, ...amountOf(here.held) },
        found: { transactionId, state: there.state, ...amountOf(there.paid) },
      };
    case 'amount_differs':
      return { expected: amountOf(here.held), found: { transactionId, ...amountOf(there.paid) } };
    case 'refund_differs':
      return {
        expected: { refundedMinor: here.refundedMinor.toString() },
        found: { transactionId, refundedMinor: there.refundedMinor?.toString() ?? null },
      };
  }
}

const amountOf = (amount: Money | null) =>
  amount ? { amountMinor: amount.amountMinor.toString(), currency: amount.currency } : { amountMinor: null };
