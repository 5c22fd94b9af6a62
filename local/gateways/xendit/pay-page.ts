/** The page behind an invoice_url: what a payer sees, plus the buttons that a sandbox has and a bank has not. */
import QRCode from 'qrcode';
import { formatMoney, rupiah } from '../../../domain/money.ts';
import { jakartaTime, type Locale, otherThan, payPage } from '../pay-page-frame.ts';
import { type Channel, type Invoice, isOpen, isPaid } from './invoices.ts';

const WORDS = {
  id: {
    title: 'Tagihan',
    sandbox: 'Kotak pasir: tidak ada uang sungguhan yang berpindah.',
    order: 'Nomor tagihan',
    expires: 'Bayar sebelum',
    method: 'Cara membayar',
    choose: 'Pilih cara membayar',
    chooseOther: 'Ganti cara membayar',
    change: 'English',
    pay: 'Bayar sekarang',
    fail: 'Gagalkan percobaan ini',
    expire: 'Biarkan kedaluwarsa',
    virtualAccount: 'Nomor virtual account BCA',
    scan: 'Pindai kode QRIS ini',
    back: 'Kembali ke penjual',
    attemptRefused: 'Bank menolak percobaan ini. Tagihan tetap terbuka; silakan coba lagi.',
    empty: 'Halaman pembayaran ini tidak ada. Periksa tautannya, atau mulai lagi dari tagihan Anda.',
  },
  en: {
    title: 'Invoice',
    sandbox: 'Sandbox: no real money moves.',
    order: 'Invoice number',
    expires: 'Pay before',
    method: 'Paid by',
    choose: 'Choose how to pay',
    chooseOther: 'Pay another way',
    change: 'Bahasa Indonesia',
    pay: 'Pay now',
    fail: 'Make this try fail',
    expire: 'Let it expire',
    virtualAccount: 'BCA virtual account number',
    scan: 'Scan this QRIS code',
    back: 'Back to the merchant',
    attemptRefused: 'The bank refused this try. The invoice stays open; please try again.',
    empty: 'There is no such payment page. Check the link, or start again from your invoice.',
  },
} as const;

const CHANNEL_NAMES: Record<Channel, Record<Locale, string>> = {
  bca_va: { id: 'Virtual account BCA', en: 'BCA virtual account' },
  qris: { id: 'QRIS', en: 'QRIS' },
  ovo: { id: 'OVO', en: 'OVO' },
  credit_card: { id: 'Kartu', en: 'Card' },
};

const OUTCOMES: Record<Invoice['status'], Record<Locale, string>> = {
  PENDING: { id: 'Menunggu pembayaran', en: 'Waiting for the payment' },
  PAID: { id: 'Pembayaran diterima. Terima kasih.', en: 'Payment received. Thank you.' },
  SETTLED: { id: 'Pembayaran diterima. Terima kasih.', en: 'Payment received. Thank you.' },
  EXPIRED: { id: 'Waktu pembayaran sudah habis.', en: 'The time to pay is over.' },
};

const LAYOUT = payPage({
  payment: 'invoice',
  reference: 'externalId',
  actions: `{{#if open}}
{{#if invoice.vaNumber}}<p>{{words.virtualAccount}}<br><span class="code">{{invoice.vaNumber}}</span></p>{{/if}}
{{#if qr}}<p>{{words.scan}}</p><div class="qr">{{{qr}}}</div>{{/if}}
{{#if channel}}
<form method="post" action="{{action}}/pay?lang={{locale}}"><button class="main">{{words.pay}}</button></form>
<form method="post" action="{{action}}/fail?lang={{locale}}"><button>{{words.fail}}</button></form>
{{/if}}
<form method="post" action="{{action}}/choose?lang={{locale}}"><fieldset><legend>{{choose}}</legend>
{{#each channels}}<button name="channel" value="{{value}}">{{name}}</button>{{/each}}
</fieldset></form>
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

export async function renderPayPage(invoice: Invoice, { locale, action, notice }: PayPageOptions): Promise<string> {
  const open = isOpen(invoice);
  const words = WORDS[locale];
  return LAYOUT({
    ...common(locale),
    invoice,
    action,
    notice,
    open,
    choose: invoice.channel === null ? words.choose : words.chooseOther,
    amount: formatMoney(rupiah(invoice.amount)),
    items: invoice.items.map((item) => ({
      ...item,
      many: item.quantity > 1,
      // Prices are not checked against the amount and may have fractions, which a page need not show.
      price: formatMoney(rupiah(Math.round(item.price * item.quantity))),
    })),
    expires: jakartaTime(invoice.expiresAt, locale),
    channel: invoice.channel === null ? null : CHANNEL_NAMES[invoice.channel][locale],
    channels: invoice.channels
      .filter((value) => value !== invoice.channel)
      .map((value) => ({ value, name: CHANNEL_NAMES[value][locale] })),
    outcome: OUTCOMES[invoice.status][locale],
    qr:
      open && invoice.channel === 'qris' ? await QRCode.toString(`SANDBOX-QRIS-${invoice.id}`, { type: 'svg' }) : null,
    back: isPaid(invoice) ? invoice.successUrl : (invoice.failureUrl ?? invoice.successUrl),
  });
}

export const renderNoSuchPage = (locale: Locale): string => LAYOUT(common(locale));

export const attemptRefused = (locale: Locale): string => WORDS[locale].attemptRefused;

const common = (locale: Locale) => ({ locale, other: otherThan(locale), words: WORDS[locale] });
