/** Where the letters' "pay" leads: what is to be paid, by when, and the way to the gateway's own page. */
import type { PayableInvoice } from '../../db/invoice-reads.ts';
import type { PayableParts } from '../../db/payable.ts';
import { formatMoney, money } from '../../domain/money.ts';
import type { PaymentMethod } from '../../domain/payment-methods.ts';
import { amountToAsk, type InvoiceState, outstandingOf } from '../../domain/payments.ts';
import type { Locale } from '../request.ts';
import { type Banner, type Choice, instantOf, publicPage, type Words } from './layout.ts';

const HEADING: Words = { id: 'Tagihan izin', en: 'Licence invoice' };
const PLAN_HEADING: Words = { id: 'Tagihan langganan', en: 'Subscription invoice' };
const ORDER_HEADING: Words = { id: 'Tagihan pesanan', en: 'Order invoice' };

const BANNERS: Readonly<Record<InvoiceState, Banner>> = {
  open: {
    tone: 'waiting',
    word: { id: 'BELUM DIBAYAR', en: 'NOT PAID YET' },
    meaning: {
      id: 'Bayar sebelum jatuh tempo; setelah itu izin Anda diterbitkan.',
      en: 'Pay it before it is due; after that your licence is issued.',
    },
  },
  paid: {
    tone: 'good',
    word: { id: 'LUNAS', en: 'PAID' },
    meaning: {
      id: 'Tidak ada yang perlu dibayar lagi. Izin Anda dikirim lewat e-mail.',
      en: 'There is nothing left to pay. Your licence is sent by e-mail.',
    },
  },
  lapsed: {
    tone: 'bad',
    word: { id: 'LEWAT BATAS WAKTU', en: 'LAPSED' },
    meaning: {
      id: 'Batas waktu pembayaran sudah lewat dan permohonannya ditutup. Jangan membayar lagi; bila izin masih diperlukan, ajukan permohonan baru.',
      en: 'The time to pay is over and the application is closed. Do not pay any more; if you still need the licence, apply again.',
    },
  },
  reversed: {
    tone: 'bad',
    word: { id: 'PEMBAYARAN DITARIK KEMBALI', en: 'PAYMENT TAKEN BACK' },
    meaning: {
      id: 'Bank atau penyedia pembayaran menarik kembali pembayarannya, dan izinnya ditangguhkan. Hubungi kantor.',
      en: 'The bank or the payment provider took the payment back, and the licence is suspended. Contact the office.',
    },
  },
  void: {
    tone: 'neutral',
    word: { id: 'DIBATALKAN', en: 'CANCELLED' },
    meaning: {
      id: 'Tagihan ini dibatalkan. Jangan membayarnya; tanyakan kepada kantor bila ragu.',
      en: 'This invoice was cancelled. Do not pay it; ask the office if in doubt.',
    },
  },
};

const REPLACED: Banner = {
  ...BANNERS.void,
  meaning: {
    id: 'Tagihan ini dibatalkan dan diganti dengan yang lain. Jangan membayarnya; bukalah tagihan penggantinya.',
    en: 'This invoice was cancelled, and another has taken its place. Do not pay this one; open the new one.',
  },
};

const GIVEN_BACK: Banner = {
  tone: 'neutral',
  word: { id: 'SUDAH DIKEMBALIKAN', en: 'REFUNDED' },
  meaning: {
    id: 'Seluruh pembayaran tagihan ini sudah dikembalikan, dan izinnya ditangguhkan. Tanyakan kepada kantor bila ragu.',
    en: 'All that was paid of this invoice was given back, and the licence is suspended. Ask the office if in doubt.',
  },
};

const UNKNOWN: Banner = {
  tone: 'bad',
  word: { id: 'TIDAK DIKENAL', en: 'UNKNOWN' },
  meaning: {
    id: 'Tidak ada tagihan di alamat ini. Buka tautan dari e-mail tagihan Anda sekali lagi.',
    en: 'There is no invoice at this address. Open the link in the e-mail with your invoice again.',
  },
};

const LABELS = {
  number: { id: 'Nomor tagihan', en: 'Invoice number' },
  office: { id: 'Kantor', en: 'Office' },
  license: { id: 'Izin', en: 'Licence' },
  plan: { id: 'Langganan', en: 'Subscription' },
  order: { id: 'Pesanan', en: 'Order' },
  total: { id: 'Jumlah', en: 'Total' },
  due: { id: 'Jatuh tempo', en: 'Due' },
  paid: { id: 'Sudah dibayar', en: 'Paid so far' },
  outstanding: { id: 'Sisa tagihan', en: 'Left to pay' },
} as const;

type Fact = readonly [label: Words, value: string];

const PAID_ALREADY: Words = { id: 'sudah dibayar', en: 'paid' };
const HOW_MUCH: Words = { id: 'Berapa yang dibayar sekarang', en: 'How much to pay now' };
const NEXT_PART: Words = { id: 'Angsuran berikutnya', en: 'The next instalment' };
const ALL_PARTS: Words = { id: 'Seluruh sisa tagihan', en: 'All that is left' };
const HOW: Words = { id: 'Cara membayar', en: 'How to pay' };
const ANY_METHOD: Words = { id: 'Pilih di halaman penyedia pembayaran', en: 'Choose on the page of the provider' };
const NO_WAY_BACK: Words = {
  id: 'Pengembalian dana hanya lewat transfer bank',
  en: 'Refunds only by bank transfer',
};

const NEW_INVOICE: Words = { id: 'Buka tagihan pengganti', en: 'Open the new invoice' };
const PAY: Words = { id: 'Bayar sekarang', en: 'Pay now' };
const ELSEWHERE: Words = {
  id: 'Anda akan dibawa ke halaman penyedia pembayaran, lalu kembali ke sini.',
  en: 'You are taken to the page of the payment provider, and then back here.',
};

/** What can be paid now, and how; the holder of the link sees nothing of the company's credit. */
export interface Offer {
  readonly parts: PayableParts;
  /** For the amount that is due next. */
  readonly methods: readonly PaymentMethod[];
}

/** What it means for a subscription, where that is something else than for a licence. */
const OF_SUBSCRIPTION: Readonly<Partial<Record<InvoiceState, Words>>> = {
  open: {
    id: 'Bayar sebelum jatuh tempo agar langganan Anda berlanjut.',
    en: 'Pay it before it is due, so that your subscription goes on.',
  },
  paid: {
    id: 'Tidak ada yang perlu dibayar lagi. Langganan Anda berjalan.',
    en: 'There is nothing left to pay. Your subscription is running.',
  },
  lapsed: {
    id: 'Tagihan ini tidak berlaku lagi. Jangan membayarnya; mulailah berlangganan lagi bila masih diperlukan.',
    en: 'This invoice does not count any more. Do not pay it; subscribe again if you still need it.',
  },
  reversed: {
    id: 'Bank atau penyedia pembayaran menarik kembali pembayarannya. Hubungi kantor.',
    en: 'The bank or the payment provider took the payment back. Contact the office.',
  },
};
const OF_ORDER: Partial<Record<InvoiceState, Words>> = {
  paid: {
    id: 'Tidak ada yang perlu dibayar lagi. Pesanan Anda disiapkan.',
    en: 'There is nothing left to pay. Your order is being prepared.',
  },
  lapsed: {
    id: 'Tagihan ini tidak berlaku lagi. Jangan membayarnya; uang yang masih masuk dikembalikan. Pesanlah lagi bila masih diperlukan.',
    en: 'This invoice does not count any more. Do not pay it; money that still arrives is given back. Order again if you still need it.',
  },
  reversed: {
    id: 'Bank atau penyedia pembayaran menarik kembali pembayarannya. Hubungi kantor.',
    en: 'The bank or the payment provider took the payment back. Contact the office.',
  },
};
const PLAN_GIVEN_BACK: Words = {
  id: 'Seluruh pembayaran tagihan ini sudah dikembalikan.',
  en: 'All that was paid of this invoice was given back.',
};

function bannerOf({ state, replacedBy, isGivenBack, isOfSubscription, isOfOrder }: PayableInvoice): Banner {
  if (replacedBy) return REPLACED;
  if (isOfOrder) {
    const banner = isGivenBack ? GIVEN_BACK : BANNERS[state];
    return { ...banner, meaning: (isGivenBack ? PLAN_GIVEN_BACK : OF_ORDER[state]) ?? banner.meaning };
  }
  if (isOfSubscription) {
    const banner = isGivenBack ? GIVEN_BACK : BANNERS[state];
    return { ...banner, meaning: (isGivenBack ? PLAN_GIVEN_BACK : OF_SUBSCRIPTION[state]) ?? banner.meaning };
  }
  return isGivenBack ? GIVEN_BACK : BANNERS[state];
}

/** @param trouble why the last attempt to pay led nowhere */
export function payPage(invoice: PayableInvoice, offer: Offer, locale: Locale, trouble?: Words): string {
  const open = invoice.state === 'open';
  const { parts } = offer;
  return publicPage(
    {
      heading: invoice.isOfOrder ? ORDER_HEADING : invoice.isOfSubscription ? PLAN_HEADING : HEADING,
      banner: bannerOf(invoice),
      alert: trouble,
      facts: [
        [LABELS.number, invoice.number],
        [
          invoice.isOfOrder ? LABELS.order : invoice.isOfSubscription ? LABELS.plan : LABELS.license,
          invoice.subjectName[locale],
        ],
        [LABELS.office, invoice.officeName],
        [LABELS.total, formatMoney(invoice.total)],
        ...(open ? outstandingFacts(parts) : []),
        [LABELS.due, instantOf(invoice.dueAt, locale, invoice.zone)],
        ...instalmentFacts(invoice, parts, locale),
      ],
      ...(invoice.replacedBy ? { link: { href: `/pay/${invoice.replacedBy}`, label: NEW_INVOICE } } : {}),
      ...(open ? { button: PAY, choices: choicesOf(offer, locale), note: ELSEWHERE } : {}),
    },
    locale,
  );
}

function outstandingFacts({ total, paid }: PayableParts): Fact[] {
  if (paid.amountMinor === 0n) return [];
  const left = money(outstandingOf({ total, paid }), total.currency);
  return [
    [LABELS.paid, formatMoney(paid)],
    [LABELS.outstanding, formatMoney(left)],
  ];
}

const instalmentFacts = ({ zone }: PayableInvoice, { total, instalments }: PayableParts, locale: Locale): Fact[] =>
  instalments.map(({ position, amountMinor, dueAt, isPaid }) => [
    { id: `Angsuran ${position} dari ${instalments.length}`, en: `Instalment ${position} of ${instalments.length}` },
    `${formatMoney(money(amountMinor, total.currency))} · ${isPaid ? PAID_ALREADY[locale] : instantOf(dueAt, locale, zone)}`,
  ]);

function choicesOf({ parts, methods }: Offer, locale: Locale): Choice[] {
  const byPart = partOptions(parts, locale);
  const byMethod = methodOptions(methods, locale);
  return [
    ...(byPart.length > 1 ? [{ name: 'part', legend: HOW_MUCH, options: byPart }] : []),
    ...(byMethod.length > 1 ? [{ name: 'method', legend: HOW, options: byMethod }] : []),
  ];
}

function partOptions(parts: PayableParts, locale: Locale): Choice['options'] {
  const [next, all] = (['next', 'all'] as const).map((part) => amountToAsk(parts, parts.instalments, part));
  if (!next || !all || next.amountMinor === all.amountMinor) return [];
  const say = (amountMinor: bigint) => formatMoney(money(amountMinor, parts.total.currency));
  return [
    { value: 'next', label: `${NEXT_PART[locale]}: ${say(next.amountMinor)}` },
    { value: 'all', label: `${ALL_PARTS[locale]}: ${say(all.amountMinor)}` },
  ];
}

/** Each method once, whichever gateway takes it: that is the office's to choose. */
function methodOptions(methods: readonly PaymentMethod[], locale: Locale): Choice['options'] {
  const once = new Map(methods.flatMap((one) => (one.method === null ? [] : [[one.method, one] as const])));
  const named = [...once.values()].map(({ method, name, refund }) => ({
    value: method ?? '',
    label: name[locale],
    ...(refund === 'none' ? { hint: NO_WAY_BACK[locale] } : {}),
  }));
  return [{ value: '', label: ANY_METHOD[locale] }, ...named];
}

export const unknownInvoicePage = (locale: Locale): string => publicPage({ heading: HEADING, banner: UNKNOWN }, locale);
