import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type {
  ApplicationId,
  CompanyId,
  InvoiceId,
  PaymentId,
  ReconciliationId,
  RefundId,
  SettlementId,
} from '../domain/ids.ts';
import type { Money } from '../domain/money.ts';
import { type GatewayName, type PaymentCaseKind, suggestedResolution } from '../domain/payments.ts';
import { recordEvent } from './events.ts';

export interface NewPaymentCase {
  /** One case for each key, ever. */
  readonly key: string;
  readonly kind: PaymentCaseKind;
  readonly gateway: GatewayName;
  /** What the gateway calls it, or we do: for people who look it up. */
  readonly reference: string;
  readonly paymentId?: PaymentId | null;
  readonly invoiceId?: InvoiceId | null;
  readonly applicationId?: ApplicationId | null;
  readonly companyId?: CompanyId | null;
  readonly refundId?: RefundId | null;
  readonly settlementId?: SettlementId | null;
  readonly runId?: ReconciliationId | null;
  readonly amount?: Money | null;
  /** What was expected and what was found: codes, amounts as digits, references; no personal data. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/** Opens a case for finance and tells of it, once for each key. @returns false when it was opened before */
export async function openPaymentCase(tx: Knex, found: NewPaymentCase): Promise<boolean> {
  const isNew = await recordEvent(tx, {
    key: found.key,
    type: 'payment.case_opened',
    ...(found.applicationId ? { applicationId: found.applicationId } : {}),
    ...(found.companyId ? { companyId: found.companyId } : {}),
    data: { kind: found.kind, gateway: found.gateway, reference: found.reference },
    at: found.at,
  });
  if (!isNew) return false;
  await tx('payment_cases').insert({
    id: randomUUID(),
    key: found.key,
    kind: found.kind,
    gateway: found.gateway,
    reference: found.reference,
    payment_id: found.paymentId ?? null,
    invoice_id: found.invoiceId ?? null,
    application_id: found.applicationId ?? null,
    refund_id: found.refundId ?? null,
    settlement_id: found.settlementId ?? null,
    run_id: found.runId ?? null,
    amount_minor: found.amount?.amountMinor ?? null,
    currency: found.amount?.currency ?? null,
    facts: JSON.stringify(found.facts ?? {}),
    suggested_resolution: suggestedResolution(found.kind),
    opened_at: found.at,
  });
  return true;
}
