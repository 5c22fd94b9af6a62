/** Letters about returns and about credit that ends, written into the outbox with the change that they tell of. */
import type { Knex } from 'knex';
import type { CompanyId, OrderId, ReturnId, UserId } from '../domain/ids.ts';
import type { MailMoney } from '../domain/mail.ts';
import type { Currency } from '../domain/money.ts';
import { returnDeadline } from '../domain/return-deadlines.ts';
import type { ClimbedRung, ReturnStanding } from '../domain/return-timeline.ts';
import {
  RETURN_UNIT_STATES,
  type Resolution,
  type ReturnPolicy,
  type ReturnState,
  type ReturnUnitState,
} from '../domain/returns.ts';
import type { Role } from '../domain/roles.ts';
import type { CreditLetter, LetterItem, ReturnLetter, ReturnNewsData, StaffReason } from '../domain/shop-mail.ts';
import { writeLetter } from './account-letters.ts';
import { customerReader } from './shop-readers.ts';
import { usersWithRole } from './staff.ts';
import { toldStatement } from './statement-lines.ts';
import { namedUuid } from './uuids.ts';

/** What the record does not say of itself, or says otherwise by now. */
export interface ReturnLetterFacts {
  /** ISO 8601; absent = the deadline of its state, by its policy. */
  readonly until?: string | null;
  /** Absent = the refund of the statement. */
  readonly amount?: MailMoney | null;
  readonly resolution?: Resolution;
  /** The units that it is about; absent = all that are asked back. */
  readonly items?: readonly LetterItem[];
  /** The parcel that it is about; absent = the one with the label. */
  readonly shipmentId?: string;
  /** To staff: why. */
  readonly reasons?: readonly StaffReason[];
  /** To staff: who; absent = sellers. An escalation goes to supervisors. */
  readonly role?: Extract<Role, 'seller' | 'supervisor' | 'warehouse' | 'finance'>;
  /** In the seller's words, such as why it was refused or what is asked. */
  readonly note?: string | null;
}

export interface AboutReturn {
  readonly returnId: ReturnId;
  readonly to: 'customer' | 'staff';
  /** Of the change, as its workflow says: a repeat writes the same letter. */
  readonly at: Date | string | number;
  readonly data?: ReturnLetterFacts;
}

/** A second time with the same `at` does nothing. A return that nobody acts for any more is written about to nobody. */
export async function writeReturnLetter(tx: Knex, template: ReturnLetter, about: AboutReturn): Promise<void> {
  const { data: facts = {}, to } = about;
  const it = await returnToTellOf(tx, about.returnId);
  const at = new Date(about.at);
  const data = await dataOf(tx, it, at, isOfRest(template, it) ? await aboutRest(tx, it, facts) : facts);
  const readers = to === 'staff' ? await usersWithRole(tx, facts.role ?? 'seller') : await customerOf(tx, it);
  const why = (facts.reasons ?? []).join('+');
  for (const userId of readers) {
    const id = namedUuid(`rma/${it.id}/${template}/${why}/${at.toISOString()}/${userId}`);
    await writeLetter(tx, { id, template, userId, data, at });
  }
}

/** Of a parcel that came in part it reminds of what did not. */
const isOfRest = (template: ReturnLetter, { state }: ReturnRow): boolean =>
  template === 'return_reminder' && state === 'inspecting';

const aboutRest = async (tx: Knex, it: ReturnRow, facts: ReturnLetterFacts): Promise<ReturnLetterFacts> => ({
  items: await itemsOf(tx, it.id, ['authorised']),
  ...facts,
});

export interface AboutCredit {
  readonly companyId: CompanyId;
  /** Of the credit: each of the two letters goes out once about it. */
  readonly grantId: string;
  readonly amount: MailMoney;
  readonly expiresAt: Date | string | number;
  readonly at: Date | string | number;
}

/** To the company's member of longest standing. */
export async function writeCreditLetter(tx: Knex, template: CreditLetter, about: AboutCredit): Promise<void> {
  const { companyId, grantId, amount } = about;
  const company: { name: string } | undefined = await tx('companies').where({ id: companyId }).first('name');
  const userId = await customerReader(tx, companyId, null);
  if (!company || userId === null) return;
  const data = { companyName: company.name, amount, expiresAt: new Date(about.expiresAt).toISOString() };
  const id = namedUuid(`credit/${grantId}/${template}/${userId}`);
  await writeLetter(tx, { id, template, userId, data, at: new Date(about.at) });
}

async function customerOf(tx: Knex, it: ReturnRow): Promise<UserId[]> {
  const reader = await customerReader(tx, it.companyId, it.requestedBy);
  return reader === null ? [] : [reader];
}

interface ReturnRow {
  readonly id: ReturnId;
  readonly number: string;
  readonly orderId: OrderId;
  readonly orderNumber: string;
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly requestedBy: UserId;
  readonly state: ReturnState;
  readonly currency: Currency;
  readonly policy: ReturnPolicy;
  readonly wanted: Resolution;
  readonly resolution: Resolution | null;
  readonly labelShipmentId: string | null;
  readonly dropOffBy: Date | null;
  readonly stateSince: Date;
  readonly rungs: readonly ClimbedRung[];
  readonly units: ReturnStanding['units'];
  readonly disputedAt: Date | null;
  readonly refundMinor: string | number | bigint | null;
  readonly replacementNumber: string | null;
}

async function returnToTellOf(db: Knex, id: ReturnId): Promise<ReturnRow> {
  const row: ReturnRow | undefined = await db('returns as r')
    .join('orders as o', 'o.id', 'r.order_id')
    .join('companies as c', 'c.id', 'r.company_id')
    .leftJoin('orders as n', 'n.id', 'r.replacement_order_id')
    .where('r.id', id)
    .first({
      id: 'r.id',
      number: 'r.number',
      orderId: 'r.order_id',
      orderNumber: 'o.number',
      companyId: 'r.company_id',
      companyName: 'c.name',
      requestedBy: 'r.requested_by',
      state: 'r.state',
      currency: 'o.currency',
      policy: 'r.policy',
      wanted: 'r.wanted',
      resolution: 'r.resolution',
      labelShipmentId: 'r.label_shipment_id',
      dropOffBy: 'r.drop_off_by',
      stateSince: 'r.state_since',
      rungs: 'r.rungs',
      units: db.raw(`(select coalesce(jsonb_object_agg(c.state, c.n), '{}') from (
        select u.state, count(*)::int as n from return_units u where u.return_id = r.id group by u.state) c)`),
      disputedAt: 'r.disputed_at',
      // What is paid may be less than was stated: the rest of an exchange.
      refundMinor: db.raw('coalesce(r.payout_minor, r.refund_minor)'),
      replacementNumber: 'n.number',
    });
  if (!row) throw new Error(`return ${id} is not on record`);
  return row;
}

async function dataOf(db: Knex, it: ReturnRow, at: Date, facts: ReturnLetterFacts): Promise<ReturnNewsData> {
  const shipmentId = facts.shipmentId ?? it.labelShipmentId;
  const parcel = shipmentId === null ? null : await parcelOf(db, shipmentId);
  const statement = await toldStatement(db, it.id);
  const money = (amountMinor: string): MailMoney => ({ amountMinor, currency: it.currency });
  const known = it.refundMinor === null ? null : money(String(it.refundMinor));
  return {
    returnId: it.id,
    returnNumber: it.number,
    orderId: it.orderId,
    orderNumber: it.orderNumber,
    companyName: it.companyName,
    state: it.state,
    at: at.toISOString(),
    items: facts.items ?? (await itemsOf(db, it.id)),
    resolution: facts.resolution ?? it.resolution ?? it.wanted,
    defaultResolution: it.policy.defaultResolution,
    until: facts.until === undefined ? deadlineOf(it, at) : facts.until,
    amount: facts.amount === undefined ? known : facts.amount,
    deductions: (statement?.deductions ?? []).map(({ name, reason, amountMinor }) => ({
      name: { id: `${name.id}: ${reason.id}`, en: `${name.en}: ${reason.en}` },
      amount: money(String(amountMinor)),
    })),
    carrier: parcel?.carrier ?? null,
    trackingNumber: parcel?.trackingNumber ?? null,
    hasLabel: parcel?.hasLabel ?? false,
    replacementNumber: it.replacementNumber,
    reasons: facts.reasons ?? [],
    note: facts.note ?? null,
  };
}

function deadlineOf(it: ReturnRow, now: Date): string | null {
  const at = returnDeadline(it, now.getTime());
  return at === null ? null : new Date(at).toISOString();
}

interface Parcel {
  readonly carrier: string;
  readonly trackingNumber: string | null;
  readonly hasLabel: boolean;
}

async function parcelOf(db: Knex, id: string): Promise<Parcel | null> {
  const row: Parcel | undefined = await db('shipments')
    .where({ id })
    .first({ carrier: 'carrier', trackingNumber: 'tracking_number', hasLabel: db.raw('label_sha256 is not null') });
  return row ?? null;
}

async function itemsOf(
  db: Knex,
  id: ReturnId,
  states: readonly ReturnUnitState[] = RETURN_UNIT_STATES,
): Promise<LetterItem[]> {
  const rows: { name: LetterItem['name']; quantity: number }[] = await db('return_units as u')
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .where('u.return_id', id)
    .whereIn('u.state', [...states])
    .groupBy('i.id')
    .orderBy('i.position')
    .select({ name: 'i.name' }, db.raw('count(*)::int as quantity'));
  return rows.map(({ name, quantity }) => ({ name, quantity }));
}
