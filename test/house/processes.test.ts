import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licenseTransitions } from '../../domain/licenses.ts';
import { applicationTransitions } from '../../domain/licensing.ts';
import { onboardingTransitions } from '../../domain/onboarding.ts';
import { orderTransitions } from '../../domain/orders.ts';
import { paymentTransitions } from '../../domain/payments.ts';
import { refundTransitions } from '../../domain/refunds.ts';
import { returnTransitions } from '../../domain/returns.ts';
import { subscriptionTransitions } from '../../domain/subscriptions.ts';

type Table = Readonly<Record<string, readonly string[]>>;

const drawnIn = (file: string): string[] =>
  readFileSync(join(import.meta.dirname, '../../docs/processes', file), 'utf8')
    .split('\n')
    .filter((line) => line.includes('-->'))
    .map((line) => line.trim())
    .sort();

function edgesOf(table: Table, first: string): string[] {
  const edges = Object.entries(table).flatMap(([from, targets]) =>
    targets.length > 0 ? targets.map((to) => `${from} --> ${to}`) : [`${from} --> [*]`],
  );
  return [`[*] --> ${first}`, ...edges].sort();
}

describe('the state diagrams in docs/processes', () => {
  it('draw exactly the transitions of an application', () => {
    assert.deepEqual(drawnIn('license-review.md'), edgesOf(applicationTransitions, 'draft'));
  });

  it('draw exactly the transitions of a licence', () => {
    assert.deepEqual(drawnIn('license-expiry.md'), edgesOf(licenseTransitions, 'active'));
  });

  it('draw exactly the transitions of a payment attempt', () => {
    assert.deepEqual(drawnIn('payment.md'), edgesOf(paymentTransitions, 'created'));
  });

  it('draw exactly the transitions of a refund', () => {
    assert.deepEqual(drawnIn('refund.md'), edgesOf(refundTransitions, 'requested'));
  });

  it('draw exactly the transitions of a subscription', () => {
    assert.deepEqual(drawnIn('subscription.md'), edgesOf(subscriptionTransitions, 'trialing'));
  });

  it('draw exactly the transitions of a return', () => {
    assert.deepEqual(drawnIn('rma.md'), edgesOf(returnTransitions, 'requested'));
  });

  it('draw exactly the transitions of an onboarding', () => {
    assert.deepEqual(drawnIn('onboarding.md'), edgesOf(onboardingTransitions, 'in_progress'));
  });

  it('draw exactly the transitions of an order', () => {
    assert.deepEqual(drawnIn('order.md'), edgesOf(orderTransitions, 'pending'));
  });
});
