/** What letters of the shop show: links made, codes put into words, lists written out. */
import type { LetterRecipient, StoredLetter } from '../../db/account-letters.ts';
import { stopAdvertisingUrl } from '../../db/advertising.ts';
import { createShopLink, type ShopLinkSubject } from '../../db/shop-links.ts';
import { formatInZone } from '../../domain/calendar.ts';
import { asId, type OrderId, type ReturnId } from '../../domain/ids.ts';
import type { Locale, MailMoney, MailVariables } from '../../domain/mail.ts';
import { formatMoney, money } from '../../domain/money.ts';
import {
  type CreditLetter,
  type CreditNews,
  isOrderLetter,
  isReturnLetter,
  type LetterItem,
  type OrderLetter,
  type OrderNewsData,
  type ReturnLetter,
  type ReturnNewsData,
} from '../../domain/shop-mail.ts';
import { CANCEL_WORDS, RESOLUTION_WORDS, RISK_WORDS, STAFF_REASON_WORDS } from '../../domain/shop-words.ts';
import type { ActivityDeps } from '../deps.ts';

type Deps = Pick<ActivityDeps, 'db' | 'secretKey' | 'publicUrl'>;

export interface ShopLinks {
  /** The page of the order or return; to staff, where the API has it. */
  readonly pageUrl: string;
  readonly stopUrl: string;
}

/** The links of a letter, the same at each try; one that is not the shop's has none of its own. */
export async function shopLinksOf({ db, secretKey, publicUrl }: Deps, letter: StoredLetter): Promise<ShopLinks> {
  const subject = subjectOf(letter);
  const { id, userId, createdAt } = letter;
  if (!subject || !userId) return { pageUrl: publicUrl, stopUrl: publicUrl };
  // Who works in the shop looks at it as who they are; the customer's page opens by its link alone.
  if (TO_STAFF.includes(letter.template))
    return { pageUrl: `${publicUrl}/api/v1/${subject.kind}s/${subject.id}`, stopUrl: publicUrl };
  const token = await createShopLink(db, secretKey, { id, subject, userId, createdAt });
  const page = subject.kind === 'order' ? 'orders' : 'returns';
  return { pageUrl: `${publicUrl}/${page}/${token}`, stopUrl: stopAdvertisingUrl(publicUrl, secretKey, userId) };
}

const TO_STAFF: readonly StoredLetter['template'][] = [
  'order_hold_reminder',
  'order_parcel_failed',
  'order_arrived_late',
  'return_to_staff',
];

function subjectOf({ template, data }: StoredLetter): ShopLinkSubject | null {
  if (isOrderLetter(template) && 'orderNumber' in data) return { kind: 'order', id: asId<OrderId>(data.orderId) };
  if (isReturnLetter(template) && 'returnId' in data) return { kind: 'return', id: asId<ReturnId>(data.returnId) };
  return null;
}

export function orderVariables(
  data: OrderNewsData,
  { name, locale, zone }: LetterRecipient,
  links: ShopLinks & { readonly publicUrl: string },
): MailVariables[OrderLetter] {
  const inZone = (iso: string): string => formatInZone(Date.parse(iso), zone);
  const { orderId: _orderId, state: _state, invoiceId, ...shown } = data;
  return {
    recipientName: name,
    ...shown,
    at: inZone(data.at),
    until: data.until === null ? null : inZone(data.until),
    items: listed(data.items, locale),
    reason: data.reason === null ? null : CANCEL_WORDS[data.reason][locale],
    risks: data.risks.map((risk) => RISK_WORDS[risk][locale]).join(', '),
    pageUrl: links.pageUrl,
    payUrl: invoiceId === null ? links.pageUrl : `${links.publicUrl}/pay/${invoiceId}`,
    stopUrl: links.stopUrl,
  };
}

export function returnVariables(
  data: ReturnNewsData,
  { name, locale, zone }: LetterRecipient,
  { pageUrl }: ShopLinks,
): MailVariables[ReturnLetter] {
  const inZone = (iso: string): string => formatInZone(Date.parse(iso), zone);
  const { orderId: _orderId, state, ...shown } = data;
  return {
    recipientName: name,
    ...shown,
    at: inZone(data.at),
    until: data.until === null ? null : inZone(data.until),
    items: listed(data.items, locale),
    resolution: RESOLUTION_WORDS[data.resolution][locale],
    defaultResolution: RESOLUTION_WORDS[data.defaultResolution][locale],
    deductions: data.deductions.map((one) => ({ text: `${one.name[locale]}: −${shownMoney(one.amount)}` })),
    reasons: data.reasons.map((reason) => ({ text: STAFF_REASON_WORDS[reason][locale] })),
    isForInfo: state === 'info_requested',
    isOnItsWay: state === 'in_transit',
    isRestMissing: state === 'inspecting',
    pageUrl,
  };
}

export const creditVariables = (data: CreditNews, { name, zone }: LetterRecipient): MailVariables[CreditLetter] => ({
  recipientName: name,
  ...data,
  expiresAt: formatInZone(Date.parse(data.expiresAt), zone),
});

const listed = (items: readonly LetterItem[], locale: Locale) =>
  items.map(({ name, quantity }) => ({ text: `${quantity} × ${name[locale]}` }));

const shownMoney = ({ amountMinor, currency }: MailMoney): string => formatMoney(money(BigInt(amountMinor), currency));
