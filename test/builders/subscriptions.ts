/** Plans and subscriptions as the processes would have written them: for tests of what reads them. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { asId, type CompanyId, type InvoiceId, type SubscriptionId, type UserId } from '../../domain/ids.ts';
import {
  DEFAULT_SUBSCRIPTION_POLICY,
  type Entitlements,
  type Plan,
  type SubscriptionState,
} from '../../domain/subscriptions.ts';

/** Letters only: what ops filter by must not look like anybody's number. */
export const aPlanCode = (): string =>
  `plan-${[...randomBytes(6)].map((byte) => 'abcdefghijklmnop'[byte % 16]).join('')}`;

export interface PlanGiven extends Partial<Omit<Plan, 'entitlements'>> {
  readonly entitlements?: Partial<Entitlements>;
  readonly isDefault?: boolean;
  readonly isOffered?: boolean;
  /** ISO 8601. */
  readonly effectiveFrom?: string;
}

export async function aPlan(db: Knex, given: PlanGiven = {}): Promise<Plan> {
  const { isDefault = false, isOffered = true, effectiveFrom = '2026-01-01T00:00:00Z', entitlements, ...parts } = given;
  const plan: Plan = {
    code: aPlanCode(),
    version: 1,
    name: { id: 'Paket Uji', en: 'Test plan' },
    priceMinor: '100000',
    currency: 'IDR',
    interval: 'month',
    trialDays: 0,
    isTaxed: true,
    policy: DEFAULT_SUBSCRIPTION_POLICY,
    ...parts,
    entitlements: { companies: null, users: null, openApplications: null, ...entitlements },
  };
  await db('plans').insert({
    code: plan.code,
    version: plan.version,
    name: JSON.stringify(plan.name),
    price_minor: plan.priceMinor,
    currency: plan.currency,
    interval: plan.interval,
    trial_days: plan.trialDays,
    entitlements: JSON.stringify(plan.entitlements),
    policy: JSON.stringify(plan.policy),
    is_taxed: plan.isTaxed,
    is_default: isDefault,
    is_offered: isOffered,
    effective_from: effectiveFrom,
  });
  return plan;
}

export interface SubscriptionGiven {
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly plan: Plan;
  readonly state?: SubscriptionState;
  /** ISO 8601. */
  readonly startedAt?: string;
  readonly periodEnd?: string;
  readonly renewalInvoiceId?: InvoiceId;
  readonly pending?: Plan;
  readonly cancelAtPeriodEnd?: boolean;
}

/** Of one period, or as if it had renewed up to it. */
export async function aSubscription(db: Knex, given: SubscriptionGiven): Promise<SubscriptionId> {
  const id = asId<SubscriptionId>(randomUUID());
  const { state = 'active', startedAt = '2026-03-01T00:00:00.000Z', plan, pending } = given;
  const hasEnded = state === 'cancelled' || state === 'expired';
  await db('subscriptions').insert({
    id,
    company_id: given.companyId,
    started_by: given.by,
    plan_code: plan.code,
    plan_version: plan.version,
    state,
    zone: 'Asia/Jakarta',
    anchor_at: startedAt,
    term: 1,
    period_start: startedAt,
    period_end: given.periodEnd ?? '2099-04-01T00:00:00.000Z',
    trial_ends_at: null,
    cancel_at_period_end: given.cancelAtPeriodEnd ?? false,
    pending_plan_code: pending?.code ?? null,
    pending_plan_version: pending?.version ?? null,
    renewal_invoice_id: given.renewalInvoiceId ?? null,
    state_since: startedAt,
    ended_at: hasEnded ? startedAt : null,
    started_at: startedAt,
    updated_at: startedAt,
  });
  return id;
}
