/** Cases of finance as people read them. */
import type { Knex } from 'knex';
import type {
  ApplicationId,
  InvoiceId,
  PaymentCaseId,
  PaymentId,
  RefundId,
  SettlementId,
  UserId,
} from '../domain/ids.ts';
import { type Money, moneyOrNull } from '../domain/money.ts';
import type { CaseResolution, GatewayName, PaymentCaseKind } from '../domain/payments.ts';
import type { AfterInTime } from './applications.ts';
import { suspenseOfCase, waysOf } from './suspense.ts';

export const CASE_STATES = ['open', 'resolved'] as const;
export type CaseState = (typeof CASE_STATES)[number];

export interface PaymentCase {
  readonly id: PaymentCaseId;
  readonly kind: PaymentCaseKind;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly paymentId: PaymentId | null;
  readonly invoiceId: InvoiceId | null;
  readonly invoiceNumber: string | null;
  readonly applicationId: ApplicationId | null;
  readonly refundId: RefundId | null;
  readonly settlementId: SettlementId | null;
  readonly amount: Money | null;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly state: CaseState;
  readonly openedAt: Date;
  readonly owner: { readonly id: UserId; readonly name: string } | null;
  readonly suggestedResolution: CaseResolution;
  readonly resolution: CaseResolution | null;
  readonly note: string | null;
  /** null with a resolution = Alur saw that it had cleared up. */
  readonly resolvedBy: { readonly id: UserId; readonly name: string } | null;
  readonly resolvedAt: Date | null;
}

interface CaseRow extends Omit<PaymentCase, 'amount' | 'owner' | 'resolvedBy'> {
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly ownerId: UserId | null;
  readonly ownerName: string | null;
  readonly resolverId: UserId | null;
  readonly resolverName: string | null;
}

const COLUMNS = {
  id: 'k.id',
  kind: 'k.kind',
  gateway: 'k.gateway',
  reference: 'k.reference',
  paymentId: 'k.payment_id',
  invoiceId: 'k.invoice_id',
  invoiceNumber: 'i.number',
  applicationId: 'k.application_id',
  refundId: 'k.refund_id',
  settlementId: 'k.settlement_id',
  amountMinor: 'k.amount_minor',
  currency: 'k.currency',
  facts: 'k.facts',
  state: 'k.state',
  openedAt: 'k.opened_at',
  ownerId: 'k.owner_id',
  ownerName: 'o.name',
  suggestedResolution: 'k.suggested_resolution',
  resolution: 'k.resolution',
  note: 'k.note',
  resolverId: 'k.resolved_by',
  resolverName: 'r.name',
  resolvedAt: 'k.resolved_at',
} as const;

const cases = (db: Knex): Knex.QueryBuilder =>
  db('payment_cases as k')
    .leftJoin('invoices as i', 'i.id', 'k.invoice_id')
    .leftJoin('users as o', 'o.id', 'k.owner_id')
    .leftJoin('users as r', 'r.id', 'k.resolved_by');

const person = (id: UserId | null, name: string | null) => (id === null ? null : { id, name: name ?? '' });

function toCase({ amountMinor, currency, ownerId, ownerName, resolverId, resolverName, ...row }: CaseRow): PaymentCase {
  return {
    ...row,
    amount: moneyOrNull(amountMinor, currency),
    owner: person(ownerId, ownerName),
    resolvedBy: person(resolverId, resolverName),
  };
}

export interface CaseFilter {
  readonly state?: CaseState | undefined;
  readonly kind?: PaymentCaseKind | undefined;
  readonly gateway?: GatewayName | undefined;
  readonly ownerId?: UserId | undefined;
}

/** Money that needs a person, newest first. */
export async function listPaymentCases(
  db: Knex,
  { after, limit, ...wanted }: CaseFilter & { readonly after: AfterInTime | null; readonly limit: number },
): Promise<PaymentCase[]> {
  const rows: CaseRow[] = await cases(db)
    .modify((query) => {
      if (wanted.state) query.where('k.state', wanted.state);
      if (wanted.kind) query.where('k.kind', wanted.kind);
      if (wanted.gateway) query.where('k.gateway', wanted.gateway);
      if (wanted.ownerId) query.where('k.owner_id', wanted.ownerId);
      if (after) query.whereRaw('(k.opened_at, k.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'k.opened_at', order: 'desc' },
      { column: 'k.id', order: 'desc' },
    ])
    .limit(limit)
    .select(COLUMNS);
  return rows.map(toCase);
}

/** What a gateway has told about the same thing: no bodies, which may name people. */
export interface NoticeOfCase {
  readonly objectId: string;
  readonly status: string;
  readonly receivedAt: Date;
  readonly handledAt: Date | null;
}

export interface PaymentCaseInFull extends PaymentCase {
  /** What of its money waits in suspense; null where there can be none. */
  readonly suspense: Money | null;
  /** Empty once it is closed. */
  readonly possibleResolutions: readonly CaseResolution[];
  readonly notices: readonly NoticeOfCase[];
}

const MOST_NOTICES = 50;

/** null = there is no such case. */
export async function findPaymentCase(db: Knex, id: PaymentCaseId): Promise<PaymentCaseInFull | null> {
  const row: CaseRow | undefined = await cases(db).where('k.id', id).first(COLUMNS);
  if (!row) return null;
  const found = toCase(row);
  const suspense = await suspenseOfCase(db, found);
  const possibleResolutions = found.state === 'open' ? waysOf(found, suspense) : [];
  return { ...found, suspense, possibleResolutions, notices: await noticesOf(db, found) };
}

const noticesOf = (db: Knex, { gateway, reference, paymentId }: PaymentCase): Promise<NoticeOfCase[]> =>
  db('payment_inbox')
    .where({ gateway })
    .where((about) => {
      about.where({ reference });
      if (paymentId) about.orWhere({ payment_id: paymentId });
    })
    .orderBy('id', 'desc')
    .limit(MOST_NOTICES)
    .select({ objectId: 'object_id', status: 'status', receivedAt: 'received_at', handledAt: 'handled_at' });
