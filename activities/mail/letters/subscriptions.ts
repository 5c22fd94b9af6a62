/** Letters about a subscription: its beginning and end, its invoices, and what happens while they are not paid. */
import type { SubscriptionLetter } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';

type Words = Record<SubscriptionLetter, Letter>;

const ABOUT = [
  ['Plan', '{{planName}}'],
  ['Business', '{{companyName}}'],
] as const;
const BILL = [
  ...ABOUT,
  ['Invoice', '{{#if invoiceNumber}}{{invoiceNumber}}{{else}}–{{/if}}'],
  ['Amount', '{{#if amount}}{{money amount}}{{else}}–{{/if}}'],
  ['Due', '{{#if dueAt}}{{instant dueAt}}{{else}}–{{/if}}'],
] as const;
const TENTANG = [
  ['Paket', '{{planName}}'],
  ['Usaha', '{{companyName}}'],
] as const;
const TAGIHAN = [
  ...TENTANG,
  ['Tagihan', '{{#if invoiceNumber}}{{invoiceNumber}}{{else}}–{{/if}}'],
  ['Jumlah', '{{#if amount}}{{money amount}}{{else}}–{{/if}}'],
  ['Jatuh tempo', '{{#if dueAt}}{{instant dueAt}}{{else}}–{{/if}}'],
] as const;
const PAY = { label: 'Pay now', url: 'payUrl' } as const;
const BAYAR = { label: 'Bayar sekarang', url: 'payUrl' } as const;

export const SUBSCRIPTION_LETTERS_ENGLISH: Words = {
  subscription_started: {
    subject: 'Your subscription has begun: {{planName}}',
    happened:
      'The subscription of {{companyName}} to {{planName}} began on {{instant at}}{{#if isTrial}}, with a free trial until {{instant until}}{{/if}}.',
    facts: ABOUT,
    next: [
      '{{#if isTrial}}You will receive the first invoice before the trial ends. If you do not wish to go on, cancel before then and nothing is charged.{{else}}The invoice of the first period comes in a letter of its own.{{/if}}',
    ],
  },
  subscription_reminder: {
    subject: 'Your subscription renews on {{day until}}',
    happened: 'What is paid for of {{planName}} for {{companyName}} lasts until {{instant until}}.',
    facts: BILL,
    next: [
      '{{#if invoiceNumber}}The invoice of the next period is open. If you have paid just now, ignore this e-mail.{{else}}You will receive the invoice of the next period in time. If you do not wish to go on, cancel before then.{{/if}}',
    ],
  },
  subscription_invoice: {
    subject: 'Invoice {{invoiceNumber}}: {{money amount}}',
    happened:
      '{{#if isUpgrade}}You asked to change to {{planName}}. This is the invoice for the days that are left of the current period, less what you have paid for them already.{{else}}This is the invoice of the next period of {{planName}} for {{companyName}}.{{/if}}',
    facts: BILL,
    next: [
      'Please pay by {{instant dueAt}}. {{#if isUpgrade}}The larger plan counts as soon as your payment has arrived; without a payment nothing changes.{{else}}The next period begins where the last one ended, on whichever day you pay.{{/if}}',
    ],
    button: PAY,
  },
  subscription_payment_due: {
    subject: 'Your payment is overdue: invoice {{invoiceNumber}}',
    happened: 'We have not yet received the payment of invoice {{invoiceNumber}} for {{planName}}.',
    facts: BILL,
    next: [
      'Please pay now; the link below always leads to a payment page that works. You can go on using everything meanwhile, at the latest until {{instant nextAt}}.',
      'If you have paid just now, ignore this e-mail.',
    ],
    button: PAY,
  },
  subscription_grace: {
    subject: 'Last reminder before your subscription is suspended',
    happened: 'Invoice {{invoiceNumber}} for {{planName}} is still unpaid.',
    facts: BILL,
    next: [
      'Please pay by {{instant nextAt}}. After that the subscription of {{companyName}} is suspended: what the plan allows cannot be used until you pay.',
    ],
    button: PAY,
  },
  subscription_suspended: {
    subject: 'Your subscription is suspended: {{planName}}',
    happened:
      'The subscription of {{companyName}} to {{planName}} has been suspended since {{instant at}}, because it was not paid.',
    facts: BILL,
    next: [
      'Nothing is lost. As soon as you pay, everything is there again; without a payment the subscription ends on {{instant nextAt}}.',
    ],
    button: PAY,
  },
  subscription_renewed: {
    subject: 'Thank you: {{planName}} until {{day until}}',
    happened: 'Your payment has arrived. {{planName}} for {{companyName}} is paid until {{instant until}}.',
    facts: [...ABOUT, ['Invoice', '{{#if invoiceNumber}}{{invoiceNumber}}{{else}}–{{/if}}']],
    next: ['There is nothing to do. You will hear from us before that day.'],
  },
  subscription_cancelled: {
    subject:
      '{{#if isOver}}Your subscription has ended{{else}}Your subscription ends on {{day until}}{{/if}}: {{planName}}',
    happened:
      'The subscription of {{companyName}} to {{planName}} {{#if isOver}}ended on {{instant until}}{{else}}is cancelled and ends on {{instant until}}; until then everything stays as it is{{/if}}.',
    facts: ABOUT,
    next: [
      '{{#if isOver}}Do not pay invoices of it that are still open. Your data stays where it is, and you may subscribe again at any time.{{else}}Until that day you can take this back where you cancelled it.{{/if}}',
    ],
  },
};

export const SUBSCRIPTION_LETTERS_INDONESIAN: Words = {
  subscription_started: {
    subject: 'Langganan Anda dimulai: {{planName}}',
    happened:
      'Langganan {{companyName}} untuk {{planName}} dimulai pada {{instant at}}{{#if isTrial}}, dengan masa coba gratis sampai {{instant until}}{{/if}}.',
    facts: TENTANG,
    next: [
      '{{#if isTrial}}Tagihan pertama kami kirim sebelum masa coba berakhir. Bila tidak ingin melanjutkan, batalkan sebelum itu dan tidak ada yang ditagih.{{else}}Tagihan untuk masa pertama kami kirim dalam surat tersendiri.{{/if}}',
    ],
  },
  subscription_reminder: {
    subject: 'Langganan Anda diperpanjang pada {{day until}}',
    happened: '{{planName}} untuk {{companyName}} sudah dibayar sampai {{instant until}}.',
    facts: TAGIHAN,
    next: [
      '{{#if invoiceNumber}}Tagihan untuk masa berikutnya belum dibayar. Bila Anda baru saja membayar, abaikan surel ini.{{else}}Tagihan untuk masa berikutnya kami kirim pada waktunya. Bila tidak ingin melanjutkan, batalkan sebelum itu.{{/if}}',
    ],
  },
  subscription_invoice: {
    subject: 'Tagihan {{invoiceNumber}}: {{money amount}}',
    happened:
      '{{#if isUpgrade}}Anda meminta pindah ke {{planName}}. Ini tagihan untuk sisa hari masa berjalan, dikurangi yang sudah Anda bayar untuk hari-hari itu.{{else}}Ini tagihan {{planName}} untuk {{companyName}} bagi masa berikutnya.{{/if}}',
    facts: TAGIHAN,
    next: [
      'Mohon bayar paling lambat {{instant dueAt}}. {{#if isUpgrade}}Paket yang lebih besar berlaku segera setelah pembayaran kami terima; tanpa pembayaran tidak ada yang berubah.{{else}}Masa berikutnya dimulai tepat saat masa sebelumnya berakhir, kapan pun Anda membayar.{{/if}}',
    ],
    button: BAYAR,
  },
  subscription_payment_due: {
    subject: 'Pembayaran Anda terlambat: tagihan {{invoiceNumber}}',
    happened: 'Pembayaran tagihan {{invoiceNumber}} untuk {{planName}} belum kami terima.',
    facts: TAGIHAN,
    next: [
      'Mohon bayar sekarang; tautan di bawah selalu membuka halaman pembayaran yang berlaku. Sementara itu semuanya tetap dapat dipakai, paling lama sampai {{instant nextAt}}.',
      'Bila Anda baru saja membayar, abaikan surel ini.',
    ],
    button: BAYAR,
  },
  subscription_grace: {
    subject: 'Pengingat terakhir sebelum langganan dibekukan',
    happened: 'Tagihan {{invoiceNumber}} untuk {{planName}} masih belum dibayar.',
    facts: TAGIHAN,
    next: [
      'Mohon bayar paling lambat {{instant nextAt}}. Setelah itu langganan {{companyName}} dibekukan: isi paket tidak dapat dipakai sampai Anda membayar.',
    ],
    button: BAYAR,
  },
  subscription_suspended: {
    subject: 'Langganan Anda dibekukan: {{planName}}',
    happened: 'Langganan {{companyName}} untuk {{planName}} dibekukan sejak {{instant at}} karena belum dibayar.',
    facts: TAGIHAN,
    next: [
      'Tidak ada yang hilang. Segera setelah Anda membayar semuanya tersedia kembali; tanpa pembayaran langganan berakhir pada {{instant nextAt}}.',
    ],
    button: BAYAR,
  },
  subscription_renewed: {
    subject: 'Terima kasih: {{planName}} sampai {{day until}}',
    happened: 'Pembayaran Anda kami terima. {{planName}} untuk {{companyName}} sudah dibayar sampai {{instant until}}.',
    facts: [...TENTANG, ['Tagihan', '{{#if invoiceNumber}}{{invoiceNumber}}{{else}}–{{/if}}']],
    next: ['Tidak ada yang perlu Anda lakukan. Kami memberi kabar sebelum hari itu.'],
  },
  subscription_cancelled: {
    subject:
      '{{#if isOver}}Langganan Anda berakhir{{else}}Langganan Anda berakhir pada {{day until}}{{/if}}: {{planName}}',
    happened:
      'Langganan {{companyName}} untuk {{planName}} {{#if isOver}}berakhir pada {{instant until}}{{else}}dibatalkan dan berakhir pada {{instant until}}; sampai saat itu semuanya tetap berlaku{{/if}}.',
    facts: TENTANG,
    next: [
      '{{#if isOver}}Jangan membayar tagihannya yang masih terbuka. Data Anda tetap tersimpan, dan Anda dapat berlangganan lagi kapan saja.{{else}}Sampai hari itu Anda dapat menarik kembali pembatalan di tempat Anda membatalkannya.{{/if}}',
    ],
  },
};
