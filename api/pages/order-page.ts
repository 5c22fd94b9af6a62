/** The page of an order: what it is, how far it has come, and what can be done now. */
import type { OrderOnPage, PageItem, PageParcel, PageUnit } from '../../db/shop-page-reads.ts';
import { formatMoney, money } from '../../domain/money.ts';
import { type OrderState, refuseOrderCancel, type UnitCounts, type UnitState } from '../../domain/orders.ts';
import { refuseUnit, returnableUntil } from '../../domain/return-eligibility.ts';
import type { ReturnPolicy } from '../../domain/returns.ts';
import { CANCEL_WORDS } from '../../domain/shop-words.ts';
import type { Locale } from '../request.ts';
import { type Banner, instantOf, type Words } from './layout.ts';
import { RETURN_BANNERS } from './return-banners.ts';
import { type Row, type Section, type ShopForm, type ShopLinkTo, type Step, shopPage } from './shop-layout.ts';

const BANNERS: Readonly<Record<OrderState, Banner>> = {
  pending: {
    tone: 'waiting',
    word: { id: 'BELUM DIBAYAR', en: 'NOT PAID YET' },
    meaning: {
      id: 'Barangnya kami sisihkan untuk Anda sampai batas waktu pembayaran.',
      en: 'We keep the items for you until the time to pay is over.',
    },
  },
  on_hold: {
    tone: 'waiting',
    word: { id: 'SEDANG DIPERIKSA', en: 'BEING CHECKED' },
    meaning: {
      id: 'Petugas kami memeriksa pesanan ini sebelum dikemas. Kami memberi kabar lewat e-mail.',
      en: 'A person is looking at this order before it is packed. We will write to you.',
    },
  },
  confirmed: {
    tone: 'good',
    word: { id: 'DIKONFIRMASI', en: 'CONFIRMED' },
    meaning: { id: 'Pesanan sudah dibayar dan segera dikemas.', en: 'The order is paid and will be packed soon.' },
  },
  backordered: {
    tone: 'waiting',
    word: { id: 'MENUNGGU PERSEDIAAN', en: 'WAITING FOR STOCK' },
    meaning: {
      id: 'Sebagian barang sedang tidak tersedia. Begitu datang, barangnya disisihkan untuk Anda.',
      en: 'Part of it is not in stock. As soon as it arrives, it is kept for you.',
    },
  },
  processing: {
    tone: 'good',
    word: { id: 'SEDANG DIKEMAS', en: 'BEING PACKED' },
    meaning: {
      id: 'Nomor resi kami kirim begitu paketnya berangkat.',
      en: 'You get the tracking number as soon as it leaves us.',
    },
  },
  partially_shipped: {
    tone: 'good',
    word: { id: 'SEBAGIAN DIKIRIM', en: 'PARTLY SHIPPED' },
    meaning: { id: 'Sebagian sudah berangkat, sisanya menyusul.', en: 'Part of it has left us, the rest follows.' },
  },
  shipped: {
    tone: 'good',
    word: { id: 'DALAM PERJALANAN', en: 'ON ITS WAY' },
    meaning: { id: 'Paketnya ada pada kurir.', en: 'The carrier has it.' },
  },
  delivered: {
    tone: 'good',
    word: { id: 'SUDAH DITERIMA', en: 'DELIVERED' },
    meaning: {
      id: 'Bila ada yang tidak sesuai, mintalah pengembalian di bawah.',
      en: 'If something is not right, ask for a return below.',
    },
  },
  returned: {
    tone: 'neutral',
    word: { id: 'DIKEMBALIKAN', en: 'RETURNED' },
    meaning: { id: 'Semua barangnya sudah kembali kepada kami.', en: 'Everything has come back to us.' },
  },
  refunded: {
    tone: 'neutral',
    word: { id: 'UANG DIKEMBALIKAN', en: 'REFUNDED' },
    meaning: { id: 'Seluruh uangnya sudah dikembalikan.', en: 'All of its money has been given back.' },
  },
  cancelled: {
    tone: 'bad',
    word: { id: 'DIBATALKAN', en: 'CANCELLED' },
    meaning: {
      id: 'Pesanan ini tidak dikirim. Jangan membayarnya; uang yang sudah masuk kembali kepada Anda.',
      en: 'This order is not sent. Do not pay it; what has been paid goes back to you.',
    },
  },
};

const UNIT_WORDS: Readonly<Record<UnitState | 'sent_back', Words>> = {
  waiting: { id: 'menunggu persediaan', en: 'waiting for stock' },
  reserved: { id: 'disisihkan untuk Anda', en: 'kept for you' },
  shipped: { id: 'dalam perjalanan', en: 'on its way' },
  lost: { id: 'hilang di jalan', en: 'lost on its way' },
  sent_back: { id: 'sedang kembali kepada kami', en: 'on its way back to us' },
  delivered: { id: 'sudah diterima', en: 'delivered' },
  returned: { id: 'dikembalikan', en: 'returned' },
  cancelled: { id: 'dibatalkan', en: 'cancelled' },
};

const PARCEL_WORDS: Readonly<Record<string, Words>> = {
  created: { id: 'disiapkan', en: 'being prepared' },
  labelled: { id: 'siap diserahkan kepada kurir', en: 'ready for the carrier' },
  in_transit: { id: 'dalam perjalanan', en: 'on its way' },
  out_for_delivery: { id: 'sedang diantar', en: 'out for delivery' },
  delivered: { id: 'diserahkan', en: 'delivered' },
  exception: { id: 'tertunda; kurir menghadapi kendala', en: 'delayed; the carrier has a difficulty' },
  lost: { id: 'hilang', en: 'lost' },
  sent_back: { id: 'kembali kepada kami', en: 'on its way back to us' },
};

const STEPS: readonly Words[] = [
  { id: 'Dipesan', en: 'Ordered' },
  { id: 'Dibayar', en: 'Paid' },
  { id: 'Dikemas', en: 'Packed' },
  { id: 'Dikirim', en: 'Shipped' },
  { id: 'Diterima', en: 'Delivered' },
];

/** Which step is the present one; past the last = all are done; null = the order has left this road. */
const STEP_OF: Readonly<Record<OrderState, number | null>> = {
  pending: 1,
  on_hold: 2,
  confirmed: 2,
  backordered: 2,
  processing: 2,
  partially_shipped: 3,
  shipped: 4,
  delivered: 5,
  returned: 5,
  refunded: 5,
  cancelled: null,
};

export function stepsOf(labels: readonly Words[], now: number | null, locale: Locale): Step[] {
  if (now === null) return [];
  return labels.map((label, index) => ({
    label: label[locale],
    is: index < now ? 'done' : index === now ? 'now' : 'open',
  }));
}

const L = {
  heading: { id: 'Pesanan', en: 'Order' },
  items: { id: 'Barang', en: 'Items' },
  amounts: { id: 'Jumlah', en: 'Amounts' },
  placed: { id: 'Dipesan pada', en: 'Ordered on' },
  payBy: { id: 'Bayar paling lambat', en: 'Pay by' },
  why: { id: 'Sebab', en: 'Why' },
  subtotal: { id: 'Harga barang', en: 'Items' },
  discount: { id: 'Potongan harga', en: 'Discount' },
  shipping: { id: 'Ongkos kirim', en: 'Shipping' },
  tax: { id: 'Pajak', en: 'Tax' },
  total: { id: 'Seluruhnya', en: 'Total' },
  givenBack: { id: 'Dikembalikan kepada Anda', en: 'Given back to you' },
  parcels: { id: 'Paket', en: 'Parcels' },
  noNumber: { id: 'belum ada nomor resi', en: 'no tracking number yet' },
  pay: { id: 'Bayar', en: 'Pay' },
  returns: { id: 'Pengembalian', en: 'Returns' },
  askReturn: { id: 'Kembalikan', en: 'Return' },
  until: { id: 'Dapat dikembalikan sampai', en: 'Can be returned until' },
  faultOnly: { id: 'Hanya bila barangnya bermasalah', en: 'Only when something is wrong with it' },
  over: { id: 'Waktu pengembalian sudah lewat', en: 'The time for returns is over' },
  review: { id: 'Bagaimana pesanan ini?', en: 'How was it?' },
  reviewNote: { id: 'Tulis dengan bebas; hanya toko yang membacanya.', en: 'Write freely; only the shop reads it.' },
  send: { id: 'Kirim', en: 'Send' },
  reviewed: { id: 'Terima kasih, pendapat Anda sudah kami terima.', en: 'Thank you, we have received what you think.' },
  progress: { id: 'Kemajuan pesanan', en: 'Progress of the order' },
  cancel: { id: 'Batalkan yang belum dikirim', en: 'Cancel what was not sent' },
  cancelNote: {
    id: 'Barang berikut tidak jadi dikirim. Uang yang sudah dibayar untuknya kembali dengan cara Anda membayar.',
    en: 'These items will not be sent. What has been paid for them goes back the way you paid.',
  },
  cancelled: {
    id: 'Barang yang belum dikirim sudah dibatalkan.',
    en: 'What was not sent is cancelled.',
  },
} as const satisfies Record<string, Words>;

const MARKS: readonly (Words & { readonly value: string })[] = [
  { value: '5', id: 'Sangat baik', en: 'Very good' },
  { value: '4', id: 'Baik', en: 'Good' },
  { value: '3', id: 'Cukup', en: 'All right' },
  { value: '2', id: 'Kurang', en: 'Not good' },
  { value: '1', id: 'Buruk', en: 'Bad' },
];
const MARK_NAME: Words = { id: 'Nilai', en: 'Mark' };
const REMARK: Words = { id: 'Catatan (boleh kosong)', en: 'Remark (optional)' };
export const REVIEW_MAX = 1000;

export const ORDER_ACTS = ['review', 'cancel'] as const;
export type OrderAct = (typeof ORDER_ACTS)[number];
const DONE: Readonly<Record<OrderAct, Words>> = { review: L.reviewed, cancel: L.cancelled };

export interface OrderPageInput {
  readonly order: OrderOnPage;
  /** Of the link: what stands in the address. */
  readonly token: string;
  readonly policy: ReturnPolicy;
  readonly now: Date;
  /** Of a form of the page: a second press is the same request. */
  readonly key: string;
  readonly done?: OrderAct | undefined;
  readonly problems?: readonly string[] | undefined;
}

export function orderPage(input: OrderPageInput, locale: Locale): string {
  const { order, token, done, problems } = input;
  return shopPage(
    {
      heading: `${L.heading[locale]} ${order.number}`,
      path: `/orders/${token}`,
      banner: BANNERS[order.state],
      done: done && DONE[done][locale],
      problems,
      progress: L.progress[locale],
      steps: stepsOf(STEPS, STEP_OF[order.state], locale),
      sections: [
        ...paySection(order, locale),
        itemsSection(input, locale),
        ...parcelSection(order, locale),
        ...returnSection(input, locale),
        amountSection(order, locale),
        ...reviewSection(input, locale),
        ...cancelSection(input, locale),
      ],
    },
    locale,
  );
}

const say = ({ currency }: OrderOnPage, amountMinor: bigint): string => formatMoney(money(amountMinor, currency));

function paySection(order: OrderOnPage, locale: Locale): Section[] {
  if (order.openInvoices.length === 0) return [];
  return [
    {
      title: L.pay[locale],
      facts: order.openInvoices.map(({ number, dueAt }) => [
        `${L.payBy[locale]} (${number})`,
        instantOf(order.expiresAt !== null && order.state === 'pending' ? order.expiresAt : dueAt, locale, order.zone),
      ]),
      links: order.openInvoices.map(({ id, totalMinor }) => ({
        href: `/pay/${id}`,
        label: `${L.pay[locale]} ${say(order, totalMinor)}`,
        isMain: true,
      })),
    },
  ];
}

/** Until when units of an item may be asked back; null = none may. */
export interface Returnable {
  readonly units: readonly PageUnit[];
  readonly until: number;
  /** What is wrong with it has to be the seller's fault. */
  readonly isFaultOnly: boolean;
}

export function returnableOf(item: PageItem, policy: ReturnPolicy, now: number): Returnable | null {
  const asked = (unit: PageUnit, reason: 'defective' | 'no_longer_needed') =>
    refuseUnit(
      {
        state: unit.state,
        deliveredAt: unit.deliveredAt?.getTime() ?? null,
        returnDays: item.returnDays,
        isFinalSale: item.isFinalSale,
        isHygiene: item.isHygiene,
        isClaimed: unit.isClaimed,
        reason,
      },
      policy,
      now,
    ) === null;
  const units = item.units.filter((unit) => asked(unit, 'defective'));
  if (units.length === 0) return null;
  const ends = units.map(({ deliveredAt }) =>
    returnableUntil({ deliveredAt: deliveredAt?.getTime() ?? null, returnDays: item.returnDays }, policy),
  );
  return {
    units,
    until: Math.min(...ends.filter((end) => end !== null)),
    isFaultOnly: !units.some((unit) => asked(unit, 'no_longer_needed')),
  };
}

function itemsSection({ order, token, policy, now }: OrderPageInput, locale: Locale): Section {
  const links: ShopLinkTo[] = [];
  const rows = order.items.map((item): Row => {
    const returnable = returnableOf(item, policy, now.getTime());
    if (returnable) {
      links.push({
        href: `/orders/${token}/return?lang=${locale}&item=${item.id}`,
        label: `${L.askReturn[locale]}: ${item.name[locale]}`,
      });
    }
    return {
      title: `${item.units.length} × ${item.name[locale]}`,
      lines: [...statesOf(item, locale), ...windowOf(order, item, returnable, locale)],
      amount: say(order, item.unitPriceMinor * BigInt(item.units.length) - item.discountMinor),
    };
  });
  return {
    title: L.items[locale],
    facts: [
      [L.placed[locale], instantOf(order.placedAt, locale, order.zone)],
      ...(order.state === 'cancelled' && order.cancelReason
        ? [[L.why[locale], CANCEL_WORDS[order.cancelReason][locale]] as const]
        : []),
    ],
    rows,
    links,
  };
}

/** "2 delivered, 1 on its way". */
function statesOf({ units }: PageItem, locale: Locale): string[] {
  const counts = new Map<UnitState | 'sent_back', number>();
  for (const { state, isSentBack } of units) {
    const shown = state === 'lost' && isSentBack ? 'sent_back' : state;
    counts.set(shown, (counts.get(shown) ?? 0) + 1);
  }
  const parts = [...counts].map(([state, count]) =>
    counts.size === 1 ? UNIT_WORDS[state][locale] : `${count} ${UNIT_WORDS[state][locale]}`,
  );
  return parts.length > 0 ? [parts.join(', ')] : [];
}

function windowOf(order: OrderOnPage, item: PageItem, returnable: Returnable | null, locale: Locale): string[] {
  if (returnable) {
    const until = `${L.until[locale]} ${instantOf(new Date(returnable.until), locale, order.zone)}`;
    return returnable.isFaultOnly ? [until, L.faultOnly[locale]] : [until];
  }
  const isOver = item.units.some(({ state, isClaimed }) => state === 'delivered' && !isClaimed);
  return isOver ? [L.over[locale]] : [];
}

function parcelSection(order: OrderOnPage, locale: Locale): Section[] {
  if (order.parcels.length === 0) return [];
  return [{ title: L.parcels[locale], rows: order.parcels.map((parcel) => parcelRow(parcel, order, locale)) }];
}

function parcelRow(
  { carrier, trackingNumber, state, shippedAt, deliveredAt }: PageParcel,
  order: OrderOnPage,
  locale: Locale,
): Row {
  const at = deliveredAt ?? shippedAt;
  const words = PARCEL_WORDS[state]?.[locale] ?? state;
  return {
    title: `${carrier} · ${trackingNumber ?? L.noNumber[locale]}`,
    lines: [at ? `${words} · ${instantOf(at, locale, order.zone)}` : words],
  };
}

function returnSection({ order, token }: OrderPageInput, locale: Locale): Section[] {
  if (order.returns.length === 0) return [];
  return [
    {
      title: L.returns[locale],
      links: order.returns.map(({ id, number, state }) => ({
        href: `/orders/${token}/returns/${id}?lang=${locale}`,
        label: `${number} · ${RETURN_BANNERS[state].word[locale].toLowerCase()}`,
      })),
    },
  ];
}

function amountSection(order: OrderOnPage, locale: Locale): Section {
  const row = (label: Words, amountMinor: bigint): Row[] =>
    amountMinor === 0n ? [] : [{ title: label[locale], lines: [], amount: say(order, amountMinor) }];
  return {
    title: L.amounts[locale],
    rows: [
      ...row(L.subtotal, order.subtotalMinor),
      ...row(L.discount, -order.discountMinor),
      ...row(L.shipping, order.shippingMinor),
      ...row(L.tax, order.taxMinor),
      { title: L.total[locale], lines: [], amount: say(order, order.totalMinor) },
      ...row(L.givenBack, order.givenBackMinor),
    ],
  };
}

function reviewSection({ order, token, key }: OrderPageInput, locale: Locale): Section[] {
  const isThere = order.state === 'delivered' || order.state === 'returned';
  if (!isThere || order.isReviewed) return [];
  const form: ShopForm = {
    action: `/orders/${token}/review?lang=${locale}`,
    hidden: { key },
    groups: [
      {
        legend: MARK_NAME[locale],
        fields: [
          {
            kind: 'radio',
            name: 'mark',
            label: MARK_NAME[locale],
            value: '5',
            options: MARKS.map(({ value, ...name }) => ({ value, label: name[locale] })),
          },
          { kind: 'area', name: 'text', label: REMARK[locale], value: '', maxLength: REVIEW_MAX, isOptional: true },
        ],
      },
    ],
    button: L.send[locale],
  };
  return [{ title: L.review[locale], texts: [L.reviewNote[locale]], forms: [form] }];
}

const NOT_SENT: readonly UnitState[] = ['waiting', 'reserved', 'lost'];

function cancelSection({ order, token, key }: OrderPageInput, locale: Locale): Section[] {
  if (refuseOrderCancel({ state: order.state, units: countsOf(order) })) return [];
  const form: ShopForm = {
    action: `/orders/${token}/cancel?lang=${locale}`,
    hidden: { key },
    groups: [],
    button: L.cancel[locale],
    isQuiet: true,
  };
  const rows = order.items.flatMap(({ name, units }): Row[] => {
    const count = units.filter(({ state }) => NOT_SENT.includes(state)).length;
    return count > 0 ? [{ title: `${count} × ${name[locale]}`, lines: [] }] : [];
  });
  return [{ title: L.cancel[locale], rows, texts: [L.cancelNote[locale]], forms: [form] }];
}

function countsOf({ items }: OrderOnPage): UnitCounts {
  const states = items.flatMap(({ units }) => units.map(({ state }) => state));
  const of = (wanted: UnitState): number => states.filter((state) => state === wanted).length;
  return {
    waiting: of('waiting'),
    reserved: of('reserved'),
    shipped: of('shipped'),
    lost: of('lost'),
    delivered: of('delivered'),
    returned: of('returned'),
    cancelled: of('cancelled'),
  };
}
