/** The page behind a redirect_url: what a payer sees, plus the buttons that a sandbox has and a bank has not. */
import QRCode from 'qrcode';
import { formatMoney, rupiah } from '../../../domain/money.ts';
import { jakartaTime, type Locale, otherThan, payPage } from '../pay-page-frame.ts';
import { type Channel, hasTransaction, isOpen, type Order } from './orders.ts';
import { statusCode } from './wire.ts';

const WORDS = {
  id: {
    title: 'Pembayaran',
    sandbox: 'Kotak pasir: tidak ada uang sungguhan yang berpindah.',
    amount: 'Jumlah',
    order: 'Nomor pesanan',
    expires: 'Bayar sebelum',
    method: 'Cara membayar',
    choose: 'Pilih cara membayar',
    change: 'English',
    pay: 'Bayar sekarang',
    fail: 'Gagalkan pembayaran',
    expire: 'Biarkan kedaluwarsa',
    virtualAccount: 'Nomor virtual account BCA',
    scan: 'Pindai kode QRIS ini',
    back: 'Kembali ke penjual',
    empty: 'Halaman pembayaran ini tidak ada. Periksa tautannya, atau mulai lagi dari tagihan Anda.',
  },
  en: {
    title: 'Payment',
    sandbox: 'Sandbox: no real money moves.',
    amount: 'Amount',
    order: 'Order',
    expires: 'Pay before',
    method: 'Paid by',
    choose: 'Choose how to pay',
    change: 'Bahasa Indonesia',
    pay: 'Pay now',
    fail: 'Make it fail',
    expire: 'Let it expire',
    virtualAccount: 'BCA virtual account number',
    scan: 'Scan this QRIS code',
    back: 'Back to the merchant',
    empty: 'There is no such payment page. Check the link, or start again from your invoice.',
  },
} as const;

const CHANNEL_NAMES: Record<Channel, Record<Locale, string>> = {
  bca_va: { id: 'Virtual account BCA', en: 'BCA virtual account' },
  qris: { id: 'QRIS', en: 'QRIS' },
  gopay: { id: 'GoPay', en: 'GoPay' },
  shopeepay: { id: 'ShopeePay', en: 'ShopeePay' },
  credit_card: { id: 'Kartu', en: 'Card' },
};

const OUTCOMES: Record<Order['status'], Record<Locale, string>> = {
  created: { id: 'Menunggu pilihan Anda', en: 'Waiting for your choice' },
  page_expired: { id: 'Halaman ini sudah kedaluwarsa.', en: 'This page has expired.' },
  pending: { id: 'Menunggu pembayaran', en: 'Waiting for the payment' },
  capture: { id: 'Pembayaran diterima. Terima kasih.', en: 'Payment received. Thank you.' },
  settlement: { id: 'Pembayaran diterima. Terima kasih.', en: 'Payment received. Thank you.' },
  expire: { id: 'Waktu pembayaran sudah habis.', en: 'The time to pay is over.' },
  deny: { id: 'Pembayaran ditolak oleh bank.', en: 'The bank refused the payment.' },
  cancel: { id: 'Pembayaran dibatalkan.', en: 'The payment was cancelled.' },
  failure: { id: 'Pembayaran gagal.', en: 'The payment failed.' },
  refund: { id: 'Pembayaran sudah dikembalikan.', en: 'The payment was refunded.' },
  partial_refund: { id: 'Sebagian pembayaran dikembalikan.', en: 'Part of the payment was refunded.' },
  chargeback: { id: 'Pembayaran ditarik kembali oleh bank.', en: 'The bank took the payment back.' },
};

const LAYOUT = payPage({
  payment: 'order',
  reference: 'orderId',
  actions: `{{#if choosing}}
<form method="post" action="{{action}}/choose?lang={{locale}}"><fieldset><legend>{{words.choose}}</legend>
{{#each channels}}<button name="channel" value="{{value}}">{{name}}</button>{{/each}}
</fieldset></form>
{{/if}}
{{#if order.vaNumber}}{{#if open}}<p>{{words.virtualAccount}}<br><span class="code">{{order.vaNumber}}</span></p>{{/if}}{{/if}}
{{#if qr}}<p>{{words.scan}}</p><div class="qr">{{{qr}}}</div>{{/if}}
{{#if open}}
{{#unless choosing}}
<form method="post" action="{{action}}/pay?lang={{locale}}"><button class="main">{{words.pay}}</button></form>
<form method="post" action="{{action}}/fail?lang={{locale}}"><button>{{words.fail}}</button></form>
{{/unless}}
<form method="post" action="{{action}}/expire?lang={{locale}}"><button>{{words.expire}}</button></form>
{{/if}}`,
});

export interface PayPageOptions {
  readonly locale: Locale;
  /** The page's own address, under which the buttons post. */
  readonly action: string;
  /** Why the last button did nothing. */
  readonly notice?: string;
}

export async function renderPayPage(order: Order, { locale, action, notice }: PayPageOptions): Promise<string> {
  const open = isOpen(order);
  return LAYOUT({
    ...common(locale),
    order,
    action,
    notice,
    open,
    choosing: order.status === 'created',
    amount: formatMoney(rupiah(order.grossAmount)),
    items: order.items.map((item) => ({
      ...item,
      many: item.quantity > 1,
      price: formatMoney(rupiah(item.price * item.quantity)),
    })),
    expires: jakartaTime(order.status === 'created' ? order.pageExpiresAt : order.expiresAt, locale),
    channel: order.channel === null ? null : CHANNEL_NAMES[order.channel][locale],
    channels: order.channels.map((value) => ({ value, name: CHANNEL_NAMES[value][locale] })),
    outcome: OUTCOMES[order.status][locale],
    qr:
      open && order.channel === 'qris'
        ? await QRCode.toString(`SANDBOX-QRIS-${order.transactionId}`, { type: 'svg' })
        : null,
    back: backUrl(order),
  });
}

export const renderNoSuchPage = (locale: Locale): string => LAYOUT(common(locale));

const common = (locale: Locale) => ({ locale, other: otherThan(locale), words: WORDS[locale] });

/** The finish URL with what Snap appends to it. */
function backUrl(order: Order): string | null {
  if (order.finishUrl === null) return null;
  const url = new URL(order.finishUrl);
  if (!hasTransaction(order)) return url.href;
  url.searchParams.set('order_id', order.orderId);
  url.searchParams.set('status_code', statusCode(order));
  url.searchParams.set('transaction_status', order.status);
  return url.href;
}
