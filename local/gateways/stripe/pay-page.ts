/** The page behind a session's url: what a payer sees, plus the buttons that a sandbox has and a bank has not. */
import { formatMoney, money } from '../../../domain/money.ts';
import { jakartaTime, type Locale, otherThan, payPage } from '../pay-page-frame.ts';
import { type Channel, type Session, stateOf, type WireCurrency } from './sessions.ts';

const WORDS = {
  id: {
    title: 'Pembayaran',
    sandbox: 'Kotak pasir: tidak ada uang sungguhan yang berpindah.',
    order: 'Nomor pesanan',
    expires: 'Bayar sebelum',
    method: 'Cara membayar',
    pay: 'Bayar dengan',
    fail: 'Buat pembayaran ditolak',
    hold: 'Kirim, tetapi tahan dulu',
    settle: 'Selesaikan pembayaran yang ditahan',
    expire: 'Biarkan kedaluwarsa',
    declined: 'Pembayaran ditolak. Coba lagi atau pakai cara lain.',
    back: 'Kembali ke penjual',
    empty: 'Halaman pembayaran ini tidak ada. Periksa tautannya, atau mulai lagi dari tagihan Anda.',
    change: 'English',
  },
  en: {
    title: 'Payment',
    sandbox: 'Sandbox: no real money moves.',
    order: 'Order',
    expires: 'Pay before',
    method: 'Paid by',
    pay: 'Pay with',
    fail: 'Have the payment declined',
    hold: 'Submit, but hold it',
    settle: 'Let the held payment through',
    expire: 'Let it expire',
    declined: 'The payment was declined. Try again, or use another way.',
    back: 'Back to the merchant',
    empty: 'There is no such payment page. Check the link, or start again from your invoice.',
    change: 'Bahasa Indonesia',
  },
} as const;

const CHANNEL_NAMES: Record<Channel, Record<Locale, string>> = {
  card: { id: 'kartu', en: 'card' },
  fpx: { id: 'FPX', en: 'FPX' },
  grabpay: { id: 'GrabPay', en: 'GrabPay' },
};

const OUTCOMES = new Map<string, Record<Locale, string>>([
  ['open', { id: 'Menunggu pembayaran', en: 'Waiting for the payment' }],
  ['expired', { id: 'Halaman ini sudah kedaluwarsa.', en: 'This page has expired.' }],
  ['processing', { id: 'Pembayaran sedang diproses.', en: 'The payment is being processed.' }],
  ['succeeded', { id: 'Pembayaran diterima. Terima kasih.', en: 'Payment received. Thank you.' }],
  ['failed', { id: 'Pembayaran gagal.', en: 'The payment failed.' }],
  ['refunded', { id: 'Pembayaran dikembalikan, seluruhnya atau sebagian.', en: 'Refunded, in full or in part.' }],
  ['disputed', { id: 'Pembayaran ditarik kembali oleh bank.', en: 'The bank took the payment back.' }],
]);

const LAYOUT = payPage({
  payment: 'session',
  reference: 'reference',
  actions: `{{#if open}}
<form method="post" action="{{action}}/pay?lang={{locale}}">
{{#each channels}}<button class="main" name="channel" value="{{value}}">{{../words.pay}} {{name}}</button>{{/each}}
</form>
<form method="post" action="{{action}}/fail?lang={{locale}}"><button>{{words.fail}}</button></form>
<form method="post" action="{{action}}/challenge?lang={{locale}}"><button>{{words.hold}}</button></form>
<form method="post" action="{{action}}/expire?lang={{locale}}"><button>{{words.expire}}</button></form>
{{/if}}
{{#if held}}
<form method="post" action="{{action}}/settle?lang={{locale}}"><button class="main">{{words.settle}}</button></form>
<form method="post" action="{{action}}/fail?lang={{locale}}"><button>{{words.fail}}</button></form>
{{/if}}`,
});

export interface PayPageOptions {
  readonly locale: Locale;
  /** The page's own address, under which the buttons post. */
  readonly action: string;
  /** Why the last button did nothing. */
  readonly notice?: string;
}

export function renderPayPage(session: Session, { locale, action, notice }: PayPageOptions): string {
  const { payment, status } = session;
  const open = status === 'open';
  return LAYOUT({
    ...common(locale),
    session,
    action,
    notice: notice ?? (open && payment?.status === 'declined' ? WORDS[locale].declined : undefined),
    open,
    held: payment?.status === 'processing',
    amount: formatWire(session.amount, session.currency),
    items: session.items.map(({ name, unitAmount, quantity }) => ({
      name,
      quantity,
      many: quantity > 1,
      price: formatWire(unitAmount * quantity, session.currency),
    })),
    expires: jakartaTime(session.expiresAt, locale),
    channel: payment === null || open ? null : CHANNEL_NAMES[payment.channel][locale],
    channels: session.channels.map((value) => ({ value, name: CHANNEL_NAMES[value][locale] })),
    outcome: OUTCOMES.get(stateOf(session))?.[locale],
    back: backUrl(session),
  });
}

export const renderNoSuchPage = (locale: Locale): string => LAYOUT(common(locale));

const common = (locale: Locale) => ({ locale, other: otherThan(locale), words: WORDS[locale] });

/** Stripe's units to Alur's: rupiah lose their two decimals. */
export const alurMinor = (amount: number, currency: WireCurrency): number =>
  currency === 'idr' ? Math.floor(amount / 100) : amount;

export const formatWire = (amount: number, currency: WireCurrency): string =>
  formatMoney(money(alurMinor(amount, currency), currency === 'idr' ? 'IDR' : 'MYR'));

const backUrl = ({ id, status, successUrl, cancelUrl }: Session): string | null =>
  status === 'complete' ? successUrl.replaceAll('{CHECKOUT_SESSION_ID}', id) : cancelUrl;
