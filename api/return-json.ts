/** A return as it is shown: where it stands, what it brings, what happens next and by when. */
import { findReturn, type PhotoJson, type ReturnRead, type ReturnSummary, sideOf } from '../db/return-reads.ts';
import { Failure } from '../domain/failures.ts';
import type { ReturnId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { type Currency, money } from '../domain/money.ts';
import { countStates, endOf, waitOf } from '../domain/return-deadlines.ts';
import { nextReturnDue, type ReturnRung } from '../domain/return-timeline.ts';
import { HEARD_IN, isCustomers, RETURN_MESSAGES, type ReturnMessageKind } from '../domain/returns.ts';
import type { ApiDeps } from './deps.ts';
import type { Locale } from './request.ts';
import { moneyJson, timeJson, timeOrNull } from './wire.ts';

/** @throws Failure `not_found` */
export async function returnSeenBy({ db }: Pick<ApiDeps, 'db'>, actor: Actor, id: ReturnId): Promise<ReturnRead> {
  return (await findReturn(db, actor, id)) ?? noSuchReturn();
}

/** For what is said to one: whoever does not see it hears so before anything is put on record. @throws Failure `not_found` */
export async function returnSide({ db }: Pick<ApiDeps, 'db'>, actor: Actor, id: ReturnId): Promise<'buyer' | 'seller'> {
  return (await sideOf(db, actor, id)) ?? noSuchReturn();
}

function noSuchReturn(): never {
  throw new Failure('not_found', 'There is no such return, or none that you may see.');
}

const amountOf =
  (currency: Currency) =>
  (minor: string | bigint): ReturnType<typeof moneyJson> =>
    moneyJson(money(BigInt(minor), currency));
const timeIn = (text: string | null): string | null => (text === null ? null : timeJson(new Date(text)));

export const returnSummaryJson = (it: ReturnSummary) => ({
  id: it.id,
  number: it.number,
  state: it.state,
  stateSince: timeJson(it.stateSince),
  order: { id: it.orderId, number: it.orderNumber },
  companyId: it.companyId,
  wanted: it.wanted,
  resolution: it.resolution,
  units: it.unitCount,
  refund: it.refundMinor === null ? null : amountOf(it.currency)(it.refundMinor),
  requestedAt: timeJson(it.requestedAt),
  endedAt: timeOrNull(it.endedAt),
});

export const returnJson = (it: ReturnRead, locale: Locale, { staff }: { readonly staff: boolean }) => ({
  id: it.id,
  number: it.number,
  state: it.state,
  stateSince: timeJson(it.stateSince),
  orderId: it.orderId,
  order: { id: it.orderId, number: it.orderNumber },
  companyId: it.companyId,
  wanted: it.wanted,
  resolution: it.resolution,
  exchangeSku: it.exchangeSku,
  keepsItems: it.keepsItems,
  items: itemsJson(it, locale),
  photos: it.photos.map((photo) => photoJson(it.id, photo)),
  label: labelJson(it),
  statement: statementJson(it, locale),
  refunds: it.refunds.map(({ id, state, amountMinor, channel, endedAt }) => ({
    id,
    state,
    amount: amountOf(it.currency)(amountMinor),
    channel,
    endedAt: timeIn(endedAt),
  })),
  messages: it.messages.map(({ kind, text, isCustomer, at }) => ({
    kind: kind.replaceAll('_', '-'),
    by: isCustomer ? ('customer' as const) : ('seller' as const),
    text,
    at: timeJson(new Date(at)),
  })),
  replacementOrderId: it.replacementOrderId,
  ...(staff ? { manualReasons: [...it.manualReasons] } : {}),
  next: nextOf(it, Date.now()),
  actions: RETURN_MESSAGES.filter((kind) => isFor(kind, it, staff)).map((kind) => kind.replaceAll('_', '-')),
  requestedAt: timeJson(it.requestedAt),
  endedAt: timeOrNull(it.endedAt),
  updatedAt: timeJson(it.updatedAt),
  links: {
    timeline: `/api/v1/returns/${it.id}/timeline`,
    order: `/api/v1/orders/${it.orderId}`,
    photos: `/api/v1/returns/${it.id}/photos`,
  },
});

/** What the reader could say now: heard in this state, theirs to say, and about something that is so. */
function isFor(kind: ReturnMessageKind, it: ReturnRead, staff: boolean): boolean {
  if (!HEARD_IN[kind].includes(it.state) || isCustomers(kind) === staff) return false;
  if (kind === 'decide_dispute') return isDisputed(it);
  if (kind === 'accept_deduction' || kind === 'dispute') return needsAcceptance(it) && !isDisputed(it);
  return true;
}

function itemsJson({ units, currency }: ReturnRead, locale: Locale) {
  const amount = amountOf(currency);
  return [...new Set(units.map(({ orderItemId }) => orderItemId))].flatMap((orderItemId) => {
    const ofItem = units.filter((unit) => unit.orderItemId === orderItemId);
    const [first] = ofItem;
    if (!first) return [];
    return [
      {
        orderItemId,
        sku: first.sku,
        name: first.name[locale],
        quantity: ofItem.length,
        units: ofItem.map((unit) => ({
          number: unit.number,
          state: unit.state,
          reason: unit.reason,
          claimedCondition: unit.claimedCondition,
          condition: unit.condition,
          disposition: unit.disposition,
          receivedAt: timeIn(unit.receivedAt),
          deduction: amount(unit.deductionMinor),
          refund: unit.refundMinor === null ? null : amount(unit.refundMinor),
        })),
      },
    ];
  });
}

export const photoJson = (returnId: ReturnId, photo: PhotoJson) => ({
  ...photo,
  uploadedAt: timeJson(new Date(photo.uploadedAt)),
  url: `/api/v1/returns/${returnId}/photos/${photo.id}`,
});

const labelJson = ({ label, dropOffBy }: ReturnRead) =>
  label && {
    carrier: label.carrier,
    trackingNumber: label.trackingNumber,
    state: label.state,
    dropOffBy: timeOrNull(dropOffBy),
    labelUrl: label.hasLabel ? `/api/v1/shipments/${label.id}/label` : null,
  };

const needsAcceptance = ({ statement, statementVersion, acceptedVersion }: ReturnRead): boolean =>
  statement !== null && statement.deductions.length > 0 && acceptedVersion !== statementVersion;
const isDisputed = ({ disputedAt }: ReturnRead): boolean => disputedAt !== null;

function statementJson(it: ReturnRead, locale: Locale) {
  const { statement, statementVersion: version, acceptedVersion } = it;
  if (!statement) return null;
  const amount = amountOf(it.currency);
  return {
    version,
    lines: statement.lines.map((line) => ({
      orderItemId: line.orderItemId,
      quantity: line.quantity,
      goods: amount(line.goodsMinor),
      shipping: amount(line.shippingMinor),
      deduction: amount(line.deductionMinor),
      refund: amount(line.refundMinor),
    })),
    deductions: statement.deductions.map(({ code, orderItemId, number, amountMinor, reason }) => ({
      code,
      orderItemId,
      number,
      amount: amount(amountMinor),
      reason: reason[locale],
    })),
    refund: amount(statement.refundMinor),
    needsAcceptance: needsAcceptance(it),
    acceptedVersion,
    isDisputed: isDisputed(it),
  };
}

// ---- what happens next ----------------------------------------------------------------------------------------------

/** What its process does by itself, should nobody say anything before. */
const WHAT: Readonly<Record<ReturnRung, string>> = {
  remind: 'seller_is_reminded',
  escalate: 'supervisor_is_told',
  expire: 'return_expires',
  label_given_up: 'person_looks',
  late: 'parcel_counts_as_lost',
  lost: 'parcel_counts_as_lost',
  lost_for_good: 'refund_is_offered',
  rest_missing: 'rest_counts_as_missing',
  default: 'default_counts',
  overdue: 'person_looks',
};

/** Where time runs against the customer its end, not the reminders before it. */
function nextOf(read: ReturnRead, now: number): { what: string; at: string } | null {
  const it = { ...read, units: countStates(read.units) };
  const due = endOf(it, now) ?? nextReturnDue(waitOf(it), now);
  return due && { what: WHAT[due.kind], at: timeJson(new Date(Math.max(due.at, now))) };
}
