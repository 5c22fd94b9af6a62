/** The page behind an invoice_url: what a payer sees, plus the buttons that a sandbox has and a bank has not. */
import Handlebars from 'handlebars';
import QRCode from 'qrcode';
import { formatMoney, rupiah } from '../../../domain/money.ts';
import { type Channel, type Invoice, isOpen, isPaid } from './invoices.ts';

export type Locale = 'id' | 'en';

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

const LAYOUT = Handlebars.compile(`<!doctype html>
<html lang="{{locale}}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>{{words.title}}{{#if invoice}} · {{invoice.externalId}}{{/if}}</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:28rem;padding:1rem}
header{display:flex;justify-content:space-between;align-items:baseline}
.sandbox{border-left:4px solid #d97706;padding:.25rem .75rem}
.amount{font-size:2rem;font-weight:700;margin:.5rem 0}
table{width:100%;border-collapse:collapse}td{padding:.25rem 0;vertical-align:top}td:last-child{text-align:right;white-space:nowrap}
button,.back{display:block;box-sizing:border-box;width:100%;min-height:3rem;margin:.5rem 0;padding:.6rem 1rem;border:1px solid #8888;border-radius:.5rem;font:inherit;text-align:center;text-decoration:none;cursor:pointer}
.main{background:#0f766e;border-color:#0f766e;color:#fff}
.code{font:600 1.25rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.qr{max-width:14rem;margin:0 auto;background:#fff;padding:.5rem}
fieldset{border:0;padding:0;margin:0}legend{font-weight:600;padding:0}
</style>
</head>
<body>
<header><h1>{{words.title}}</h1><a href="?lang={{other}}" lang="{{other}}">{{words.change}}</a></header>
<p class="sandbox">{{words.sandbox}}</p>
{{#if invoice}}
<p class="amount">{{amount}}</p>
<table>
{{#each items}}<tr><td>{{name}}{{#if many}} × {{quantity}}{{/if}}</td><td>{{price}}</td></tr>{{/each}}
<tr><td>{{words.order}}</td><td>{{invoice.externalId}}</td></tr>
<tr><td>{{words.expires}}</td><td>{{expires}}</td></tr>
{{#if channel}}<tr><td>{{words.method}}</td><td>{{channel}}</td></tr>{{/if}}
</table>
<p role="status"><strong>{{outcome}}</strong></p>
{{#if notice}}<p role="alert">{{notice}}</p>{{/if}}
{{#if open}}
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
{{/if}}
{{#if back}}<a class="back" href="{{back}}">{{words.back}}</a>{{/if}}
{{else}}
<p role="alert">{{words.empty}}</p>
{{/if}}
</body>
</html>
`);

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

const common = (locale: Locale) => ({ locale, other: locale === 'id' ? 'en' : 'id', words: WORDS[locale] });

const jakartaTime = (iso: string, locale: Locale): string =>
  `${new Intl.DateTimeFormat(locale === 'id' ? 'id-ID' : 'en-GB', {
    timeZone: 'Asia/Jakarta',
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(new Date(iso))} WIB`;
