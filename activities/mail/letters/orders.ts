/** Letters about orders: from the payment to the question how it was. */
import type { CreditLetter, OrderLetter } from '../../../domain/shop-mail.ts';
import type { Letter } from './compose.ts';
import { BARANG, BARIS_PAKET, ITEMS, PARCEL_ROWS } from './goods.ts';

type Words = Record<OrderLetter | CreditLetter, Letter>;

const ABOUT = [
  ['Order', '{{orderNumber}}'],
  ['Business', '{{companyName}}'],
  ['Total', '{{money total}}'],
] as const;
const TENTANG = [
  ['Pesanan', '{{orderNumber}}'],
  ['Usaha', '{{companyName}}'],
  ['Jumlah', '{{money total}}'],
] as const;
const PARCEL = [...ABOUT, ...PARCEL_ROWS] as const;
const PAKET = [...TENTANG, ...BARIS_PAKET] as const;
/** For staff, who log in. */
const RECORD = [['In the API', '{{pageUrl}}']] as const;
const CATATAN = [['Di API', '{{pageUrl}}']] as const;
const SEE = { label: 'See your order', url: 'pageUrl' } as const;
const LIHAT = { label: 'Lihat pesanan', url: 'pageUrl' } as const;

export const ORDER_LETTERS_ENGLISH: Words = {
  order_confirmed: {
    subject: 'Order {{orderNumber}} is confirmed',
    happened: 'Thank you: order {{orderNumber}} of {{companyName}} over {{money total}} is paid and confirmed.',
    facts: ABOUT,
    lists: ITEMS,
    next: [
      'We are packing it now. You will receive the tracking number as soon as it leaves us; there is nothing to do.',
    ],
    button: SEE,
  },
  order_on_hold: {
    subject: 'We are checking order {{orderNumber}}',
    happened:
      'A person is looking at order {{orderNumber}} before it is packed.{{#if note}} The shop writes: “{{note}}”{{/if}}',
    facts: ABOUT,
    lists: ITEMS,
    next: [
      'Usually this takes a working day. You will hear from us when it goes on. If we cannot deliver, you get back everything that you have paid.',
    ],
    button: SEE,
  },
  order_backordered: {
    subject: 'Order {{orderNumber}} waits for stock',
    happened:
      'Part of order {{orderNumber}} is not in stock at the moment. It is reserved for you as soon as it arrives.',
    facts: ABOUT,
    lists: [{ title: 'We are waiting for:', of: 'items' }],
    next: [
      'There is nothing to do. What we have may be sent first, at no extra cost. If you do not wish to wait, you can cancel what has not been sent; you get your money for it back.',
    ],
    button: SEE,
  },
  order_shipped: {
    subject: '{{#if isPart}}Part of order{{else}}Order{{/if}} {{orderNumber}} is on its way',
    happened:
      '{{#if isPart}}A parcel with part of order {{orderNumber}}{{else}}Order {{orderNumber}}{{/if}} was handed to the carrier on {{instant at}}.',
    facts: PARCEL,
    lists: [{ title: 'In this parcel:', of: 'items' }],
    next: [
      '{{#if isPart}}The rest follows in another parcel; you will receive an e-mail for each. {{/if}}You can follow it on the page of your order.',
    ],
    button: SEE,
  },
  order_delivered: {
    subject: '{{#if isPart}}Part of order{{else}}Order{{/if}} {{orderNumber}} was delivered',
    happened: 'The carrier delivered {{#if isPart}}part of {{/if}}order {{orderNumber}} on {{instant at}}.',
    facts: PARCEL,
    lists: [{ title: 'Delivered:', of: 'items' }],
    next: [
      'Please check what you have received.{{#if until}} If something is not right, you can ask for a return until {{instant until}}.{{else}} If something is not right, ask for a return on the page of your order; each item says until when.{{/if}}',
      'If nothing has arrived, tell us as soon as you can.',
    ],
    button: SEE,
  },
  order_cancelled: {
    subject: '{{#if isPart}}Part of order{{else}}Order{{/if}} {{orderNumber}} is cancelled',
    happened:
      '{{#if isPart}}Part of order {{orderNumber}}{{else}}Order {{orderNumber}}{{/if}} was cancelled on {{instant at}}{{#if reason}}, because {{reason}}{{/if}}.{{#if note}} The shop writes: “{{note}}”{{/if}}',
    facts: [...ABOUT, ['You get back', '{{#if amount}}{{money amount}}{{else}}–{{/if}}']],
    lists: [{ title: 'Cancelled:', of: 'items' }],
    next: [
      '{{#if amount}}We are giving back {{money amount}}. You will receive an e-mail for each step of the refund, and one when the money has left us.{{else}}Nothing was charged for it. Should a payment still arrive, you get it back by itself.{{/if}}',
      '{{#if isPart}}The rest of your order goes on.{{else}}You can order again at any time.{{/if}}',
    ],
    button: SEE,
  },
  order_edited: {
    subject: 'Order {{orderNumber}} was changed: {{money total}}',
    happened:
      'Order {{orderNumber}} of {{companyName}} was changed on {{instant at}}. It now comes to {{money total}}.',
    facts: [
      ...ABOUT,
      [
        '{{#if isCharged}}To pay in addition{{else}}You get back{{/if}}',
        '{{#if amount}}{{money amount}}{{else}}–{{/if}}',
      ],
    ],
    lists: ITEMS,
    next: [
      '{{#if amount}}{{#if isCharged}}Please pay the difference of {{money amount}}{{#if until}} by {{instant until}}{{/if}} on the page of your order; it is packed after that.{{else}}We are giving back the difference of {{money amount}}; you will receive an e-mail for each step of the refund.{{/if}}{{else}}There is nothing to pay and nothing to get back.{{/if}}',
      'If you did not want this change, tell us at once.',
    ],
    button: SEE,
  },
  order_unpaid_reminder: {
    subject: 'Order {{orderNumber}} is not paid yet: {{money total}}',
    happened: 'We have not received the payment for order {{orderNumber}} of {{companyName}} yet.',
    facts: [...ABOUT, ['Pay by', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: ITEMS,
    next: [
      'Please pay {{#if until}}by {{instant until}}{{else}}soon{{/if}}. After that the order is cancelled and what we keep for you is given to others. A payment that is on its way then is not lost: you get it back.',
      'If you have paid just now, ignore this e-mail.',
    ],
    button: { label: 'Pay now', url: 'payUrl' },
  },
  order_hold_reminder: {
    subject: 'Order {{orderNumber}} is still on hold',
    happened: 'Order {{orderNumber}} of {{companyName}} waits for somebody to look at it.',
    facts: [
      ...ABOUT,
      ['Why it was held', '{{#if risks}}{{risks}}{{else}}–{{/if}}'],
      ['Note', '{{#if note}}{{note}}{{else}}–{{/if}}'],
      ...RECORD,
    ],
    lists: ITEMS,
    next: ['Please release the order or cancel it. Until then nothing is packed, and the customer waits.'],
  },
  order_lost: {
    subject: 'A parcel of order {{orderNumber}} is lost',
    happened: 'The carrier has not delivered a parcel of order {{orderNumber}}, and we take it for lost.',
    facts: PARCEL,
    lists: [{ title: 'In this parcel:', of: 'items' }],
    next: [
      'You do not pay for it.{{#if amount}} We are giving back {{money amount}}.{{/if}} We will write to you about the refund or a new parcel; there is nothing to do.',
      'Should the parcel turn up after all, you will see it on the page of your order.',
    ],
    button: SEE,
  },
  order_sent_back: {
    subject: 'A parcel of order {{orderNumber}} is on its way back to us',
    happened: 'The carrier could not deliver a parcel of order {{orderNumber}}, and is bringing it back to us.',
    facts: PARCEL,
    lists: [{ title: 'In this parcel:', of: 'items' }],
    next: [
      'It is not lost, and you do not pay for what does not reach you. When it is here again we write to you about the refund. Should you still want it, answer this letter, and say where it can be delivered.',
    ],
    button: SEE,
  },
  order_arrived_late: {
    subject: 'A parcel of order {{orderNumber}} has arrived after it was paid back',
    happened:
      'A parcel of order {{orderNumber}} of {{companyName}} was given up and its items were cancelled. Now it has arrived after all.',
    facts: [...PARCEL, ['Paid back', '{{#if amount}}{{money amount}}{{else}}–{{/if}}'], ...RECORD],
    lists: [{ title: 'In this parcel:', of: 'items' }],
    next: ['Please agree with the customer: either the goods come back to us, or they order and pay for them again.'],
  },
  order_parcel_failed: {
    subject: 'A parcel of order {{orderNumber}} has not arrived',
    happened: 'A parcel of order {{orderNumber}} of {{companyName}} was lost, or is on its way back to us.',
    facts: [...PARCEL, ...RECORD],
    lists: [{ title: 'In this parcel:', of: 'items' }],
    next: [
      'Please speak to the customer. If the parcel comes back, record that it is here: its goods go onto the shelf, and their money goes back. If it does not, cancel these items, which gives their money back.',
    ],
  },
  order_review_request: {
    subject: 'How was order {{orderNumber}}?',
    happened:
      'You received order {{orderNumber}} a while ago. We would like to know whether everything was as it should be.',
    facts: ABOUT,
    lists: ITEMS,
    next: [
      'Tell us on the page of your order; it takes a minute.{{#if until}} If something is not right, you can ask for a return there until {{instant until}}.{{/if}}',
      'You do not want to be asked again? Then tell us here, and you will receive no letters of this kind: {{stopUrl}}',
    ],
    button: { label: 'Say how it was', url: 'pageUrl' },
  },
  order_link: {
    subject: 'Your new link to order {{orderNumber}}',
    happened: 'Somebody asked for a new link to the page of order {{orderNumber}}. Here it is.',
    facts: ABOUT,
    next: [
      'Whoever has the link can see the order and ask for a return. If it was not you who asked, there is nothing to do.',
    ],
    button: SEE,
  },
  credit_expiring: {
    subject: '{{money amount}} of your store credit ends on {{lastDay expiresAt}}',
    happened: '{{money amount}} of the store credit of {{companyName}} can be used until {{instant expiresAt}}.',
    facts: [
      ['Business', '{{companyName}}'],
      ['Credit that ends', '{{money amount}}'],
      ['Until', '{{instant expiresAt}}'],
    ],
    next: [
      'Use it for an order or an invoice before then: choose store credit when you pay. After that day this part of it is gone.',
    ],
  },
  credit_expired: {
    subject: '{{money amount}} of your store credit has ended',
    happened:
      '{{money amount}} of the store credit of {{companyName}} ended on {{instant expiresAt}} without having been used.',
    facts: [
      ['Business', '{{companyName}}'],
      ['Credit that ended', '{{money amount}}'],
      ['Ended', '{{instant expiresAt}}'],
    ],
    next: [
      'There is nothing to do. Credit that has no end yet, or a later one, is not touched. If you think this is wrong, tell us.',
    ],
  },
};

export const ORDER_LETTERS_INDONESIAN: Words = {
  order_confirmed: {
    subject: 'Pesanan {{orderNumber}} sudah dikonfirmasi',
    happened:
      'Terima kasih: pesanan {{orderNumber}} dari {{companyName}} sebesar {{money total}} sudah dibayar dan dikonfirmasi.',
    facts: TENTANG,
    lists: BARANG,
    next: [
      'Pesanan sedang kami kemas. Nomor resi kami kirim begitu paketnya berangkat; tidak ada yang perlu Anda lakukan.',
    ],
    button: LIHAT,
  },
  order_on_hold: {
    subject: 'Pesanan {{orderNumber}} sedang kami periksa',
    happened:
      'Petugas kami memeriksa pesanan {{orderNumber}} sebelum dikemas.{{#if note}} Pesan dari toko: “{{note}}”{{/if}}',
    facts: TENTANG,
    lists: BARANG,
    next: [
      'Biasanya ini perlu satu hari kerja. Kami memberi kabar begitu pesanan dilanjutkan. Bila kami tidak dapat mengirim, semua yang sudah Anda bayar kembali kepada Anda.',
    ],
    button: LIHAT,
  },
  order_backordered: {
    subject: 'Pesanan {{orderNumber}} menunggu persediaan',
    happened:
      'Sebagian barang pesanan {{orderNumber}} sedang tidak tersedia. Begitu datang, barangnya langsung disisihkan untuk Anda.',
    facts: TENTANG,
    lists: [{ title: 'Yang kami tunggu:', of: 'items' }],
    next: [
      'Tidak ada yang perlu Anda lakukan. Barang yang ada dapat kami kirim lebih dahulu tanpa biaya tambahan. Bila tidak ingin menunggu, batalkan yang belum dikirim; uangnya kembali kepada Anda.',
    ],
    button: LIHAT,
  },
  order_shipped: {
    subject: '{{#if isPart}}Sebagian pesanan{{else}}Pesanan{{/if}} {{orderNumber}} dalam perjalanan',
    happened:
      '{{#if isPart}}Paket berisi sebagian pesanan {{orderNumber}}{{else}}Pesanan {{orderNumber}}{{/if}} diserahkan kepada kurir pada {{instant at}}.',
    facts: PAKET,
    lists: [{ title: 'Isi paket:', of: 'items' }],
    next: [
      '{{#if isPart}}Sisanya menyusul dalam paket lain; Anda menerima surel untuk tiap paket. {{/if}}Perjalanannya dapat diikuti di halaman pesanan.',
    ],
    button: LIHAT,
  },
  order_delivered: {
    subject: '{{#if isPart}}Sebagian pesanan{{else}}Pesanan{{/if}} {{orderNumber}} sudah diterima',
    happened: 'Kurir menyerahkan {{#if isPart}}sebagian {{/if}}pesanan {{orderNumber}} pada {{instant at}}.',
    facts: PAKET,
    lists: [{ title: 'Yang diserahkan:', of: 'items' }],
    next: [
      'Mohon periksa barang yang Anda terima.{{#if until}} Bila ada yang tidak sesuai, pengembalian dapat diminta sampai {{instant until}}.{{else}} Bila ada yang tidak sesuai, mintalah pengembalian di halaman pesanan; batas waktunya tertera pada tiap barang.{{/if}}',
      'Bila Anda tidak menerima apa pun, segera beri tahu kami.',
    ],
    button: LIHAT,
  },
  order_cancelled: {
    subject: '{{#if isPart}}Sebagian pesanan{{else}}Pesanan{{/if}} {{orderNumber}} dibatalkan',
    happened:
      '{{#if isPart}}Sebagian pesanan {{orderNumber}}{{else}}Pesanan {{orderNumber}}{{/if}} dibatalkan pada {{instant at}}{{#if reason}} karena {{reason}}{{/if}}.{{#if note}} Pesan dari toko: “{{note}}”{{/if}}',
    facts: [...TENTANG, ['Uang yang kembali', '{{#if amount}}{{money amount}}{{else}}–{{/if}}']],
    lists: [{ title: 'Yang dibatalkan:', of: 'items' }],
    next: [
      '{{#if amount}}Kami mengembalikan {{money amount}}. Anda menerima surel pada tiap langkah pengembalian, dan satu lagi saat uangnya sudah kami kirim.{{else}}Tidak ada yang ditagih untuk itu. Bila masih ada pembayaran yang masuk, uangnya kembali dengan sendirinya.{{/if}}',
      '{{#if isPart}}Sisa pesanan Anda tetap berjalan.{{else}}Anda dapat memesan lagi kapan saja.{{/if}}',
    ],
    button: LIHAT,
  },
  order_edited: {
    subject: 'Pesanan {{orderNumber}} diubah: {{money total}}',
    happened:
      'Pesanan {{orderNumber}} dari {{companyName}} diubah pada {{instant at}}. Jumlahnya sekarang {{money total}}.',
    facts: [
      ...TENTANG,
      [
        '{{#if isCharged}}Tambahan bayar{{else}}Uang yang kembali{{/if}}',
        '{{#if amount}}{{money amount}}{{else}}–{{/if}}',
      ],
    ],
    lists: BARANG,
    next: [
      '{{#if amount}}{{#if isCharged}}Mohon bayar selisih {{money amount}}{{#if until}} paling lambat {{instant until}}{{/if}} di halaman pesanan; setelah itu pesanan dikemas.{{else}}Kami mengembalikan selisih {{money amount}}; Anda menerima surel pada tiap langkah pengembalian.{{/if}}{{else}}Tidak ada yang perlu dibayar dan tidak ada yang kembali.{{/if}}',
      'Bila Anda tidak menghendaki perubahan ini, segera beri tahu kami.',
    ],
    button: LIHAT,
  },
  order_unpaid_reminder: {
    subject: 'Pesanan {{orderNumber}} belum dibayar: {{money total}}',
    happened: 'Pembayaran pesanan {{orderNumber}} dari {{companyName}} belum kami terima.',
    facts: [...TENTANG, ['Bayar paling lambat', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: BARANG,
    next: [
      'Mohon bayar {{#if until}}paling lambat {{instant until}}{{else}}segera{{/if}}. Setelah itu pesanan dibatalkan dan barang yang kami sisihkan diberikan kepada orang lain. Pembayaran yang terlanjur dikirim tidak hilang: uangnya kembali kepada Anda.',
      'Bila Anda baru saja membayar, abaikan surel ini.',
    ],
    button: { label: 'Bayar sekarang', url: 'payUrl' },
  },
  order_hold_reminder: {
    subject: 'Pesanan {{orderNumber}} masih ditahan',
    happened: 'Pesanan {{orderNumber}} dari {{companyName}} menunggu diperiksa.',
    facts: [
      ...TENTANG,
      ['Sebab ditahan', '{{#if risks}}{{risks}}{{else}}–{{/if}}'],
      ['Catatan', '{{#if note}}{{note}}{{else}}–{{/if}}'],
      ...CATATAN,
    ],
    lists: BARANG,
    next: ['Mohon lepaskan atau batalkan pesanan ini. Sebelum itu tidak ada yang dikemas, dan pelanggan menunggu.'],
  },
  order_lost: {
    subject: 'Paket pesanan {{orderNumber}} hilang',
    happened: 'Kurir tidak menyerahkan satu paket pesanan {{orderNumber}}, dan kami menganggapnya hilang.',
    facts: PAKET,
    lists: [{ title: 'Isi paket:', of: 'items' }],
    next: [
      'Anda tidak menanggungnya.{{#if amount}} Kami mengembalikan {{money amount}}.{{/if}} Kami memberi kabar tentang pengembalian uang atau paket baru; tidak ada yang perlu Anda lakukan.',
      'Bila paketnya ternyata muncul, Anda melihatnya di halaman pesanan.',
    ],
    button: LIHAT,
  },
  order_sent_back: {
    subject: 'Satu paket pesanan {{orderNumber}} sedang kembali kepada kami',
    happened: 'Kurir tidak dapat menyerahkan satu paket pesanan {{orderNumber}}, dan membawanya kembali kepada kami.',
    facts: PAKET,
    lists: [{ title: 'Isi paket:', of: 'items' }],
    next: [
      'Paketnya tidak hilang, dan Anda tidak membayar barang yang tidak sampai. Setelah paketnya di sini, kami memberi kabar tentang pengembalian uang. Bila Anda masih menginginkannya, balas surat ini dan sebutkan alamat yang dapat dituju.',
    ],
    button: LIHAT,
  },
  order_arrived_late: {
    subject: 'Paket pesanan {{orderNumber}} tiba setelah uangnya dikembalikan',
    happened:
      'Satu paket pesanan {{orderNumber}} dari {{companyName}} sudah dianggap hilang dan isinya dibatalkan. Ternyata paket itu tiba.',
    facts: [...PAKET, ['Sudah dikembalikan', '{{#if amount}}{{money amount}}{{else}}–{{/if}}'], ...CATATAN],
    lists: [{ title: 'Isi paket:', of: 'items' }],
    next: [
      'Mohon sepakati dengan pelanggan: barangnya dikirim kembali kepada kami, atau mereka memesan dan membayarnya lagi.',
    ],
  },
  order_parcel_failed: {
    subject: 'Satu paket pesanan {{orderNumber}} tidak sampai',
    happened: 'Satu paket pesanan {{orderNumber}} dari {{companyName}} hilang, atau sedang kembali kepada kami.',
    facts: [...PAKET, ...CATATAN],
    lists: [{ title: 'Isi paket:', of: 'items' }],
    next: [
      'Mohon hubungi pelanggan. Bila paketnya kembali, catat bahwa ia sudah di sini: barangnya masuk rak, dan uangnya kembali. Bila tidak, batalkan barang ini, dan uangnya kembali.',
    ],
  },
  order_review_request: {
    subject: 'Bagaimana pesanan {{orderNumber}}?',
    happened: 'Beberapa waktu lalu Anda menerima pesanan {{orderNumber}}. Kami ingin tahu apakah semuanya sesuai.',
    facts: TENTANG,
    lists: BARANG,
    next: [
      'Sampaikan di halaman pesanan; hanya perlu satu menit.{{#if until}} Bila ada yang tidak sesuai, pengembalian dapat diminta di sana sampai {{instant until}}.{{/if}}',
      'Tidak ingin ditanya lagi? Sampaikan di sini, dan surat semacam ini tidak kami kirim lagi: {{stopUrl}}',
    ],
    button: { label: 'Sampaikan pendapat', url: 'pageUrl' },
  },
  order_link: {
    subject: 'Tautan baru untuk pesanan {{orderNumber}}',
    happened: 'Ada yang meminta tautan baru ke halaman pesanan {{orderNumber}}. Ini tautannya.',
    facts: TENTANG,
    next: [
      'Siapa pun yang memegang tautan ini dapat melihat pesanan dan meminta pengembalian. Bila bukan Anda yang meminta, tidak ada yang perlu Anda lakukan.',
    ],
    button: LIHAT,
  },
  credit_expiring: {
    subject: 'Saldo toko {{money amount}} berakhir pada {{lastDay expiresAt}}',
    happened: 'Saldo toko {{companyName}} sebesar {{money amount}} dapat dipakai sampai {{instant expiresAt}}.',
    facts: [
      ['Usaha', '{{companyName}}'],
      ['Saldo yang berakhir', '{{money amount}}'],
      ['Sampai', '{{instant expiresAt}}'],
    ],
    next: [
      'Pakailah sebelum itu untuk pesanan atau tagihan: pilih saldo toko waktu membayar. Setelah hari itu bagian saldo ini hangus.',
    ],
  },
  credit_expired: {
    subject: 'Saldo toko {{money amount}} sudah berakhir',
    happened: 'Saldo toko {{companyName}} sebesar {{money amount}} berakhir pada {{instant expiresAt}} tanpa dipakai.',
    facts: [
      ['Usaha', '{{companyName}}'],
      ['Saldo yang berakhir', '{{money amount}}'],
      ['Berakhir', '{{instant expiresAt}}'],
    ],
    next: [
      'Tidak ada yang perlu Anda lakukan. Saldo tanpa batas waktu atau dengan batas yang lebih lama tidak terpengaruh. Bila menurut Anda ini keliru, beri tahu kami.',
    ],
  },
};
