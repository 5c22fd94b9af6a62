/** Letters about returns: to the customer at each step, and the one to staff. */
import type { ReturnLetter } from '../../../domain/shop-mail.ts';
import type { Letter } from './compose.ts';
import { BARANG, BARIS_PAKET, ITEMS, PARCEL_ROWS } from './goods.ts';

type Words = Record<ReturnLetter, Letter>;

const ABOUT = [
  ['Return', '{{returnNumber}}'],
  ['Order', '{{orderNumber}}'],
  ['Business', '{{companyName}}'],
] as const;
const TENTANG = [
  ['Pengembalian', '{{returnNumber}}'],
  ['Pesanan', '{{orderNumber}}'],
  ['Usaha', '{{companyName}}'],
] as const;
const PARCEL = [...ABOUT, ...PARCEL_ROWS] as const;
const PAKET = [...TENTANG, ...BARIS_PAKET] as const;
const MONEY = [...ABOUT, ['Amount', '{{#if amount}}{{money amount}}{{else}}–{{/if}}']] as const;
const UANG = [...TENTANG, ['Jumlah', '{{#if amount}}{{money amount}}{{else}}–{{/if}}']] as const;
const STATEMENT = [...ITEMS, { title: 'Deductions:', of: 'deductions' }] as const;
const RINCIAN = [...BARANG, { title: 'Potongan:', of: 'deductions' }] as const;
const SEE = { label: 'See your return', url: 'pageUrl' } as const;
const LIHAT = { label: 'Lihat pengembalian', url: 'pageUrl' } as const;
const SAYS = '{{#if note}} The shop writes: “{{note}}”{{/if}}';
const PESAN = '{{#if note}} Pesan dari toko: “{{note}}”{{/if}}';

export const RETURN_LETTERS_ENGLISH: Words = {
  return_requested: {
    subject: 'We have received your request: return {{returnNumber}}',
    happened: 'You asked on {{instant at}} to return items of order {{orderNumber}}.',
    facts: [...ABOUT, ['What you want', '{{resolution}}']],
    lists: ITEMS,
    next: [
      'We look at it and answer within a few days. Please do not send anything yet. Photographs that show what is wrong help us to be quick: you can add them on the page of your return.',
    ],
    button: SEE,
  },
  return_approved: {
    subject: 'Return {{returnNumber}} is approved{{#if until}}: please send it by {{day until}}{{/if}}',
    happened: `We agree to return {{returnNumber}} for order {{orderNumber}}.${SAYS}`,
    facts: [...PARCEL, ['Hand it in by', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: [{ title: 'Please send back:', of: 'items' }],
    next: [
      '{{#if hasLabel}}The label is on the page of your return: print it, or show its code on your telephone where you hand the parcel in.{{else}}We are getting the label; it will be on the page of your return.{{/if}}{{#if until}} Please hand the parcel in by {{instant until}}; after that the return is closed.{{/if}}',
    ],
    button: { label: 'Get the label', url: 'pageUrl' },
  },
  return_approved_keep: {
    subject: 'Return {{returnNumber}} is approved: you may keep the items',
    happened: `We agree to return {{returnNumber}} for order {{orderNumber}}. You need not send anything back: keep the items.${SAYS}`,
    facts: MONEY,
    lists: ITEMS,
    next: [
      '{{#if amount}}You get {{money amount}}: {{resolution}}.{{else}}You get: {{resolution}}.{{/if}} We will write to you when it is done; there is nothing to do.',
    ],
    button: SEE,
  },
  return_refused: {
    subject: 'We cannot accept return {{returnNumber}}',
    happened: `We cannot accept return {{returnNumber}} for order {{orderNumber}}.${SAYS}`,
    facts: ABOUT,
    lists: ITEMS,
    next: [
      'Please do not send anything. If you see it otherwise, or have something to add, ask for a new return on the page of your order while its time runs, or tell us.',
    ],
    button: SEE,
  },
  return_info_requested: {
    subject: 'We need to know more about return {{returnNumber}}',
    happened: `Before we can decide on return {{returnNumber}}, we have a question.${SAYS}`,
    facts: [...ABOUT, ['Answer by', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: ITEMS,
    next: [
      'Please answer on the page of your return{{#if until}} by {{instant until}}. Without an answer the return is closed then{{/if}}.',
    ],
    button: { label: 'Answer', url: 'pageUrl' },
  },
  return_reminder: {
    subject:
      '{{#if isOnItsWay}}The parcel of return {{returnNumber}} has not arrived yet{{else}}{{#if isRestMissing}}Reminder: a part of return {{returnNumber}} is still missing{{#if until}}: send it by {{day until}}{{/if}}{{else}}Reminder: return {{returnNumber}}{{#if until}} ends on {{day until}}{{/if}}{{/if}}{{/if}}',
    happened:
      '{{#if isForInfo}}We still wait for your answer about return {{returnNumber}}.{{else}}{{#if isOnItsWay}}The carrier has had the parcel of return {{returnNumber}} for long, and it has not reached us.{{else}}{{#if isRestMissing}}We have looked at what came of return {{returnNumber}}. The rest of it has not reached us.{{else}}We have not seen the parcel of return {{returnNumber}} yet.{{/if}}{{/if}}{{/if}}',
    facts: [...PARCEL, ['Until', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: ITEMS,
    next: [
      '{{#if isForInfo}}Please answer on the page of your return{{#if until}} by {{instant until}}. After that the return is closed, and nothing is refunded{{/if}}.{{else}}{{#if isOnItsWay}}You do not have to do anything: we ask the carrier.{{#if until}} Should it not be here by {{instant until}}, we take it for lost.{{/if}} You do not bear the loss of a parcel that you have handed in.{{else}}{{#if isRestMissing}}Please hand the rest in as well{{#if until}} by {{instant until}}. After that the return goes on with what is here, and nothing is refunded for the rest{{/if}}. If it travels already, there is nothing to do.{{else}}Please hand the parcel in with the label on the page of your return{{#if until}} by {{instant until}}. After that the return is closed, and nothing is refunded{{/if}}.{{/if}}{{/if}}{{/if}}',
      '{{#if isForInfo}}If you do not want the return any more, cancel it there.{{else}}{{#if isOnItsWay}}Please keep the receipt of the carrier. If the parcel has come back to you, tell us.{{else}}{{#if isRestMissing}}If you have sent it, keep the receipt. If you want to keep the rest, wait until then, or tell us.{{else}}If you have sent it just now, keep the receipt and ignore this e-mail. If you want to keep the items, cancel the return there.{{/if}}{{/if}}{{/if}}',
    ],
    button: SEE,
  },
  return_expired: {
    subject: 'Return {{returnNumber}} is closed: its time is over',
    happened:
      'Return {{returnNumber}} for order {{orderNumber}} was closed on {{instant at}}, because its time was over.',
    facts: ABOUT,
    lists: ITEMS,
    next: [
      'The items stay with you and nothing is refunded. If your parcel is on its way already, nothing is lost: when it arrives, the return is opened again by itself. If you still want to return something, ask for it on the page of your order while its time runs.',
    ],
    button: SEE,
  },
  return_received: {
    subject: 'Your parcel has arrived: return {{returnNumber}}',
    happened: 'We received what you sent for return {{returnNumber}} on {{instant at}}.',
    facts: ABOUT,
    lists: [{ title: 'Received:', of: 'items' }],
    next: [
      'We look at each item within a few days and then tell you what you get, with a reason for anything that is taken off.',
    ],
    button: SEE,
  },
  return_inspected: {
    subject: 'Return {{returnNumber}} is inspected{{#if amount}}: you get {{money amount}}{{/if}}',
    happened: `We have inspected what you sent for return {{returnNumber}}.{{#if amount}} You get {{money amount}}.{{/if}}${SAYS}`,
    facts: [...MONEY, ['Answer by', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: STATEMENT,
    next: [
      '{{#if deductions}}Please accept the deductions, or dispute them and say why, on the page of your return; there you also choose how you get it.{{else}}Nothing is taken off. Please choose on the page of your return how you get it.{{/if}}',
      '{{#if until}}Please do so by {{instant until}}. If we hear nothing, we do as our rules say: {{defaultResolution}}, for the amount above.{{/if}}',
    ],
    button: { label: 'Look at it and choose', url: 'pageUrl' },
  },
  return_disputed: {
    subject: 'You dispute the deductions: return {{returnNumber}}',
    happened: 'You said on {{instant at}} that you do not agree with what is taken off for return {{returnNumber}}.',
    facts: MONEY,
    lists: STATEMENT,
    next: [
      'Somebody else than who inspected it looks at it and answers you in writing. Until then no time runs against you and no money moves.',
    ],
    button: SEE,
  },
  return_dispute_decided: {
    subject: 'Our answer to your dispute: return {{returnNumber}}',
    happened: `We have looked once more at what is taken off for return {{returnNumber}}.{{#if amount}} You get {{money amount}}.{{/if}}${SAYS}`,
    facts: [...MONEY, ['Answer by', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: STATEMENT,
    next: [
      'Please look at the new statement on the page of your return and choose how you get it{{#if until}} by {{instant until}}. If we hear nothing, we do as our rules say: {{defaultResolution}}{{/if}}.',
    ],
    button: { label: 'Look at it and choose', url: 'pageUrl' },
  },
  return_resolution_reminder: {
    subject: 'Please choose{{#if until}} by {{day until}}{{/if}}: return {{returnNumber}}',
    happened: 'You have not said yet how you want to be compensated for return {{returnNumber}}.',
    facts: [...MONEY, ['Answer by', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: STATEMENT,
    next: [
      'Please choose on the page of your return{{#if until}} by {{instant until}}. If we hear nothing, we do as our rules say: {{defaultResolution}}, for the amount above{{/if}}.',
    ],
    button: { label: 'Choose', url: 'pageUrl' },
  },
  return_resolution_defaulted: {
    subject: 'We go on as our rules say: return {{returnNumber}}',
    happened:
      'You did not choose in time for return {{returnNumber}}. So that you do not wait any longer, we do as our rules say: {{resolution}}.',
    facts: MONEY,
    lists: STATEMENT,
    next: ['We will write to you when it is done. If something is not right, tell us.'],
    button: SEE,
  },
  return_refund_sent: {
    subject: 'Your refund is under way: return {{returnNumber}}',
    happened: 'We are giving back {{#if amount}}{{money amount}}{{else}}your money{{/if}} for return {{returnNumber}}.',
    facts: MONEY,
    lists: STATEMENT,
    next: [
      'It goes back the way you paid, which may take some days. We will write to you when it is done, or if we need a bank account from you.',
    ],
    button: SEE,
  },
  return_refund_done: {
    subject: 'Your refund is done: return {{returnNumber}}',
    happened:
      '{{#if amount}}{{money amount}}{{else}}Your money{{/if}} for return {{returnNumber}} has been given back; this was confirmed on {{instant at}}.',
    facts: MONEY,
    lists: STATEMENT,
    next: [
      'There is nothing to do. Your bank may need some days to show it. If you do not see it after that, tell us the number of the return.',
    ],
    button: SEE,
  },
  return_store_credit: {
    subject: 'Store credit for return {{returnNumber}}{{#if amount}}: {{money amount}}{{/if}}',
    happened:
      '{{companyName}} has received {{#if amount}}{{money amount}} of {{/if}}store credit for return {{returnNumber}}.',
    facts: [...MONEY, ['Can be used until', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: STATEMENT,
    next: [
      'Use it for orders and invoices: choose store credit when you pay.{{#if until}} It can be used until {{instant until}}; we remind you before.{{/if}}',
    ],
    button: SEE,
  },
  return_replacement_sent: {
    subject: 'Your replacement is on its way: return {{returnNumber}}',
    happened:
      'What you get in place of what you returned with {{returnNumber}} has left us{{#if replacementNumber}} as order {{replacementNumber}}{{/if}}.',
    facts: [...PARCEL, ['New order', '{{#if replacementNumber}}{{replacementNumber}}{{else}}–{{/if}}']],
    lists: ITEMS,
    next: ['You will receive the tracking number in a letter about that order. With this the return is done.'],
    button: SEE,
  },
  return_lost: {
    subject: 'Your parcel has not arrived: return {{returnNumber}}',
    happened: 'The parcel of return {{returnNumber}} has been under way for so long that we take it for lost.',
    facts: PARCEL,
    lists: ITEMS,
    next: [
      'We are clarifying this with the carrier, and you need not bear the loss of a parcel that you handed in. Please keep the receipt of the carrier. We will write to you; if the parcel arrives after all, the return goes on as usual.',
    ],
    button: SEE,
  },
  return_cancelled: {
    subject: 'Return {{returnNumber}} is cancelled',
    happened: `Return {{returnNumber}} for order {{orderNumber}} was cancelled on {{instant at}}.${SAYS}`,
    facts: ABOUT,
    lists: ITEMS,
    next: [
      'The items stay with you; please do not use the label any more. While the time for returns runs, you can ask for a new one on the page of your order. If the parcel has left already, the return is opened again when it arrives.',
    ],
    button: SEE,
  },
  return_reopened: {
    subject: 'Return {{returnNumber}} is open again',
    happened:
      'Return {{returnNumber}} had been closed. Now your parcel has arrived, and the return is open again since {{instant at}}.',
    facts: PARCEL,
    lists: ITEMS,
    next: ['There is nothing to do. We look at the items and tell you what you get.'],
    button: SEE,
  },
  return_photo_infected: {
    subject: 'A photograph for return {{returnNumber}} was not accepted',
    happened:
      'The virus scanner found malware in a photograph that was added to return {{returnNumber}} on your page. Nobody opens it, and it is shown to nobody.',
    facts: ABOUT,
    lists: ITEMS,
    next: [
      'Please take the photograph anew, on a device that is free of malware, and add it on the page of your return. The return goes on meanwhile.',
      'We advise you to have the device checked from which the file came.',
    ],
    button: SEE,
  },
  return_link: {
    subject: 'Your new link to return {{returnNumber}}',
    happened: 'Somebody asked for a new link to the page of return {{returnNumber}}. Here it is.',
    facts: ABOUT,
    next: [
      'Whoever has the link can see the return and answer for you. If it was not you who asked, there is nothing to do.',
    ],
    button: SEE,
  },
  return_to_staff: {
    subject: 'Return {{returnNumber}} needs you',
    happened: 'Return {{returnNumber}} of {{companyName}} for order {{orderNumber}} waits for somebody of the shop.',
    facts: [
      ...PARCEL,
      ['ID', '{{returnId}}'],
      ['In the API', '{{pageUrl}}'],
      ['Amount', '{{#if amount}}{{money amount}}{{else}}–{{/if}}'],
      ['Until', '{{#if until}}{{instant until}}{{else}}–{{/if}}'],
      ['Note', '{{#if note}}{{note}}{{else}}–{{/if}}'],
    ],
    lists: [{ title: 'Why:', of: 'reasons' }, ...ITEMS],
    next: ['Please look at the return and say how it goes on. Nothing is decided against the customer meanwhile.'],
  },
};

export const RETURN_LETTERS_INDONESIAN: Words = {
  return_requested: {
    subject: 'Permintaan Anda kami terima: pengembalian {{returnNumber}}',
    happened: 'Pada {{instant at}} Anda meminta pengembalian barang dari pesanan {{orderNumber}}.',
    facts: [...TENTANG, ['Yang Anda inginkan', '{{resolution}}']],
    lists: BARANG,
    next: [
      'Kami memeriksanya dan menjawab dalam beberapa hari. Mohon jangan mengirim apa pun dahulu. Foto yang menunjukkan masalahnya mempercepat jawaban kami: tambahkan di halaman pengembalian.',
    ],
    button: LIHAT,
  },
  return_approved: {
    subject: 'Pengembalian {{returnNumber}} disetujui{{#if until}}: kirim paling lambat {{day until}}{{/if}}',
    happened: `Kami menyetujui pengembalian {{returnNumber}} untuk pesanan {{orderNumber}}.${PESAN}`,
    facts: [...PAKET, ['Serahkan paling lambat', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: [{ title: 'Mohon kirim kembali:', of: 'items' }],
    next: [
      '{{#if hasLabel}}Labelnya ada di halaman pengembalian: cetaklah, atau tunjukkan kodenya di telepon Anda waktu menyerahkan paket.{{else}}Label sedang kami siapkan dan akan tersedia di halaman pengembalian.{{/if}}{{#if until}} Mohon serahkan paketnya paling lambat {{instant until}}; setelah itu pengembalian ditutup.{{/if}}',
    ],
    button: { label: 'Ambil label', url: 'pageUrl' },
  },
  return_approved_keep: {
    subject: 'Pengembalian {{returnNumber}} disetujui: barangnya boleh Anda simpan',
    happened: `Kami menyetujui pengembalian {{returnNumber}} untuk pesanan {{orderNumber}}. Tidak ada yang perlu dikirim kembali: barangnya boleh Anda simpan.${PESAN}`,
    facts: UANG,
    lists: BARANG,
    next: [
      '{{#if amount}}Anda memperoleh {{money amount}}: {{resolution}}.{{else}}Anda memperoleh: {{resolution}}.{{/if}} Kami memberi kabar bila sudah selesai; tidak ada yang perlu Anda lakukan.',
    ],
    button: LIHAT,
  },
  return_refused: {
    subject: 'Pengembalian {{returnNumber}} tidak dapat kami terima',
    happened: `Pengembalian {{returnNumber}} untuk pesanan {{orderNumber}} tidak dapat kami terima.${PESAN}`,
    facts: TENTANG,
    lists: BARANG,
    next: [
      'Mohon jangan mengirim apa pun. Bila Anda berpendapat lain atau ingin menambahkan sesuatu, mintalah pengembalian baru di halaman pesanan selama waktunya masih ada, atau hubungi kami.',
    ],
    button: LIHAT,
  },
  return_info_requested: {
    subject: 'Kami perlu keterangan tentang pengembalian {{returnNumber}}',
    happened: `Sebelum memutuskan pengembalian {{returnNumber}}, kami punya pertanyaan.${PESAN}`,
    facts: [...TENTANG, ['Jawab paling lambat', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: BARANG,
    next: [
      'Mohon jawab di halaman pengembalian{{#if until}} paling lambat {{instant until}}. Tanpa jawaban pengembalian ditutup pada saat itu{{/if}}.',
    ],
    button: { label: 'Jawab', url: 'pageUrl' },
  },
  return_reminder: {
    subject:
      '{{#if isOnItsWay}}Paket pengembalian {{returnNumber}} belum tiba{{else}}{{#if isRestMissing}}Pengingat: sebagian dari pengembalian {{returnNumber}} belum tiba{{#if until}}, kirim paling lambat {{day until}}{{/if}}{{else}}Pengingat: pengembalian {{returnNumber}}{{#if until}} berakhir pada {{day until}}{{/if}}{{/if}}{{/if}}',
    happened:
      '{{#if isForInfo}}Kami masih menunggu jawaban Anda tentang pengembalian {{returnNumber}}.{{else}}{{#if isOnItsWay}}Paket pengembalian {{returnNumber}} sudah lama di tangan kurir dan belum sampai kepada kami.{{else}}{{#if isRestMissing}}Kami sudah memeriksa barang dari pengembalian {{returnNumber}} yang tiba. Sisanya belum sampai kepada kami.{{else}}Paket pengembalian {{returnNumber}} belum terlihat oleh kurir.{{/if}}{{/if}}{{/if}}',
    facts: [...PAKET, ['Sampai', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: BARANG,
    next: [
      '{{#if isForInfo}}Mohon jawab di halaman pengembalian{{#if until}} paling lambat {{instant until}}. Setelah itu pengembalian ditutup dan tidak ada uang yang kembali{{/if}}.{{else}}{{#if isOnItsWay}}Tidak ada yang perlu Anda lakukan: kami menanyakannya kepada kurir.{{#if until}} Bila belum tiba sampai {{instant until}}, paket itu kami anggap hilang.{{/if}} Anda tidak menanggung hilangnya paket yang sudah Anda serahkan.{{else}}{{#if isRestMissing}}Mohon serahkan juga sisanya{{#if until}} paling lambat {{instant until}}. Setelah itu pengembalian berjalan dengan barang yang sudah tiba, dan untuk sisanya tidak ada uang yang kembali{{/if}}. Bila sudah dalam perjalanan, tidak ada yang perlu Anda lakukan.{{else}}Mohon serahkan paketnya dengan label di halaman pengembalian{{#if until}} paling lambat {{instant until}}. Setelah itu pengembalian ditutup dan tidak ada uang yang kembali{{/if}}.{{/if}}{{/if}}{{/if}}',
      '{{#if isForInfo}}Bila tidak jadi mengembalikan, batalkan di sana.{{else}}{{#if isOnItsWay}}Mohon simpan tanda terima dari kurir. Bila paketnya kembali kepada Anda, beri tahu kami.{{else}}{{#if isRestMissing}}Bila sudah Anda kirim, simpan tanda terimanya. Bila sisanya ingin Anda simpan, tunggu sampai saat itu, atau beri tahu kami.{{else}}Bila Anda baru saja mengirimnya, simpan tanda terimanya dan abaikan surel ini. Bila barangnya ingin Anda simpan, batalkan pengembaliannya di sana.{{/if}}{{/if}}{{/if}}',
    ],
    button: LIHAT,
  },
  return_expired: {
    subject: 'Pengembalian {{returnNumber}} ditutup: waktunya habis',
    happened:
      'Pengembalian {{returnNumber}} untuk pesanan {{orderNumber}} ditutup pada {{instant at}} karena waktunya habis.',
    facts: TENTANG,
    lists: BARANG,
    next: [
      'Barangnya tetap pada Anda dan tidak ada uang yang kembali. Bila paketnya sudah dalam perjalanan, tidak ada yang hilang: begitu tiba, pengembalian dibuka lagi dengan sendirinya. Bila masih ingin mengembalikan sesuatu, mintalah di halaman pesanan selama waktunya masih ada.',
    ],
    button: LIHAT,
  },
  return_received: {
    subject: 'Paket Anda sudah tiba: pengembalian {{returnNumber}}',
    happened: 'Kiriman Anda untuk pengembalian {{returnNumber}} kami terima pada {{instant at}}.',
    facts: TENTANG,
    lists: [{ title: 'Yang kami terima:', of: 'items' }],
    next: [
      'Tiap barang kami periksa dalam beberapa hari. Setelah itu kami memberi tahu berapa yang Anda peroleh, dengan alasan untuk tiap potongan.',
    ],
    button: LIHAT,
  },
  return_inspected: {
    subject: 'Pengembalian {{returnNumber}} sudah diperiksa{{#if amount}}: Anda memperoleh {{money amount}}{{/if}}',
    happened: `Kiriman Anda untuk pengembalian {{returnNumber}} sudah kami periksa.{{#if amount}} Anda memperoleh {{money amount}}.{{/if}}${PESAN}`,
    facts: [...UANG, ['Jawab paling lambat', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: RINCIAN,
    next: [
      '{{#if deductions}}Mohon setujui potongannya, atau sanggah dengan alasan Anda, di halaman pengembalian; di sana pula Anda memilih cara menerimanya.{{else}}Tidak ada potongan. Mohon pilih cara menerimanya di halaman pengembalian.{{/if}}',
      '{{#if until}}Mohon lakukan paling lambat {{instant until}}. Bila tidak ada kabar, kami melanjutkan sesuai aturan: {{defaultResolution}}, sebesar jumlah di atas.{{/if}}',
    ],
    button: { label: 'Lihat dan pilih', url: 'pageUrl' },
  },
  return_disputed: {
    subject: 'Sanggahan Anda kami terima: pengembalian {{returnNumber}}',
    happened: 'Pada {{instant at}} Anda menyatakan tidak setuju dengan potongan pada pengembalian {{returnNumber}}.',
    facts: UANG,
    lists: RINCIAN,
    next: [
      'Orang lain daripada yang memeriksa melihatnya sekali lagi dan menjawab Anda secara tertulis. Sampai saat itu tidak ada waktu yang berjalan bagi Anda dan tidak ada uang yang berpindah.',
    ],
    button: LIHAT,
  },
  return_dispute_decided: {
    subject: 'Jawaban atas sanggahan Anda: pengembalian {{returnNumber}}',
    happened: `Potongan pada pengembalian {{returnNumber}} sudah kami tinjau kembali.{{#if amount}} Anda memperoleh {{money amount}}.{{/if}}${PESAN}`,
    facts: [...UANG, ['Jawab paling lambat', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: RINCIAN,
    next: [
      'Mohon lihat rincian barunya di halaman pengembalian dan pilih cara menerimanya{{#if until}} paling lambat {{instant until}}. Bila tidak ada kabar, kami melanjutkan sesuai aturan: {{defaultResolution}}{{/if}}.',
    ],
    button: { label: 'Lihat dan pilih', url: 'pageUrl' },
  },
  return_resolution_reminder: {
    subject: 'Mohon pilih{{#if until}} paling lambat {{day until}}{{/if}}: pengembalian {{returnNumber}}',
    happened: 'Anda belum memilih bentuk penggantian untuk pengembalian {{returnNumber}}.',
    facts: [...UANG, ['Jawab paling lambat', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: RINCIAN,
    next: [
      'Mohon pilih di halaman pengembalian{{#if until}} paling lambat {{instant until}}. Bila tidak ada kabar, kami melanjutkan sesuai aturan: {{defaultResolution}}, sebesar jumlah di atas{{/if}}.',
    ],
    button: { label: 'Pilih', url: 'pageUrl' },
  },
  return_resolution_defaulted: {
    subject: 'Kami melanjutkan sesuai aturan: pengembalian {{returnNumber}}',
    happened:
      'Anda tidak memilih pada waktunya untuk pengembalian {{returnNumber}}. Agar Anda tidak menunggu lebih lama, kami melanjutkan sesuai aturan: {{resolution}}.',
    facts: UANG,
    lists: RINCIAN,
    next: ['Kami memberi kabar bila sudah selesai. Bila ada yang tidak sesuai, beri tahu kami.'],
    button: LIHAT,
  },
  return_refund_sent: {
    subject: 'Uang Anda sedang dikembalikan: pengembalian {{returnNumber}}',
    happened:
      'Kami mengembalikan {{#if amount}}{{money amount}}{{else}}uang Anda{{/if}} untuk pengembalian {{returnNumber}}.',
    facts: UANG,
    lists: RINCIAN,
    next: [
      'Uangnya kembali dengan cara Anda membayar, yang dapat memerlukan beberapa hari. Kami memberi kabar bila sudah selesai, atau bila kami memerlukan rekening bank Anda.',
    ],
    button: LIHAT,
  },
  return_refund_done: {
    subject: 'Uang Anda sudah kembali: pengembalian {{returnNumber}}',
    happened:
      '{{#if amount}}{{money amount}}{{else}}Uang Anda{{/if}} untuk pengembalian {{returnNumber}} sudah dikembalikan; ini dipastikan pada {{instant at}}.',
    facts: UANG,
    lists: RINCIAN,
    next: [
      'Tidak ada yang perlu Anda lakukan. Bank Anda mungkin perlu beberapa hari untuk menampilkannya. Bila sesudah itu belum terlihat, sebutkan nomor pengembalian ini kepada kami.',
    ],
    button: LIHAT,
  },
  return_store_credit: {
    subject: 'Saldo toko untuk pengembalian {{returnNumber}}{{#if amount}}: {{money amount}}{{/if}}',
    happened:
      '{{companyName}} memperoleh saldo toko {{#if amount}}sebesar {{money amount}} {{/if}}untuk pengembalian {{returnNumber}}.',
    facts: [...UANG, ['Dapat dipakai sampai', '{{#if until}}{{instant until}}{{else}}–{{/if}}']],
    lists: RINCIAN,
    next: [
      'Pakailah untuk pesanan dan tagihan: pilih saldo toko waktu membayar.{{#if until}} Saldo ini dapat dipakai sampai {{instant until}}; sebelum itu kami mengingatkan.{{/if}}',
    ],
    button: LIHAT,
  },
  return_replacement_sent: {
    subject: 'Barang pengganti dalam perjalanan: pengembalian {{returnNumber}}',
    happened:
      'Pengganti barang yang Anda kembalikan dengan {{returnNumber}} sudah kami kirim{{#if replacementNumber}} sebagai pesanan {{replacementNumber}}{{/if}}.',
    facts: [...PAKET, ['Pesanan baru', '{{#if replacementNumber}}{{replacementNumber}}{{else}}–{{/if}}']],
    lists: BARANG,
    next: ['Nomor resinya Anda terima dalam surat tentang pesanan itu. Dengan ini pengembalian selesai.'],
    button: LIHAT,
  },
  return_lost: {
    subject: 'Paket Anda belum tiba: pengembalian {{returnNumber}}',
    happened: 'Paket pengembalian {{returnNumber}} sudah begitu lama di jalan sehingga kami menganggapnya hilang.',
    facts: PAKET,
    lists: BARANG,
    next: [
      'Kami menanyakannya kepada kurir, dan Anda tidak menanggung hilangnya paket yang sudah Anda serahkan. Mohon simpan tanda terima dari kurir. Kami memberi kabar; bila paketnya ternyata tiba, pengembalian berjalan seperti biasa.',
    ],
    button: LIHAT,
  },
  return_cancelled: {
    subject: 'Pengembalian {{returnNumber}} dibatalkan',
    happened: `Pengembalian {{returnNumber}} untuk pesanan {{orderNumber}} dibatalkan pada {{instant at}}.${PESAN}`,
    facts: TENTANG,
    lists: BARANG,
    next: [
      'Barangnya tetap pada Anda; mohon jangan memakai labelnya lagi. Selama waktu pengembalian masih ada, Anda dapat memintanya lagi di halaman pesanan. Bila paketnya sudah berangkat, pengembalian dibuka lagi begitu paket tiba.',
    ],
    button: LIHAT,
  },
  return_reopened: {
    subject: 'Pengembalian {{returnNumber}} dibuka lagi',
    happened:
      'Pengembalian {{returnNumber}} sudah ditutup. Sekarang paket Anda tiba, dan sejak {{instant at}} pengembalian dibuka lagi.',
    facts: PAKET,
    lists: BARANG,
    next: ['Tidak ada yang perlu Anda lakukan. Kami memeriksa barangnya dan memberi tahu apa yang Anda peroleh.'],
    button: LIHAT,
  },
  return_photo_infected: {
    subject: 'Sebuah foto untuk pengembalian {{returnNumber}} tidak dapat diterima',
    happened:
      'Pemindai virus menemukan perangkat lunak berbahaya dalam foto yang ditambahkan pada pengembalian {{returnNumber}}. Berkas itu tidak dibuka dan tidak ditampilkan kepada siapa pun.',
    facts: TENTANG,
    lists: BARANG,
    next: [
      'Mohon ambil fotonya sekali lagi dengan perangkat yang bebas virus, lalu tambahkan di halaman pengembalian. Sementara itu pengembaliannya tetap berjalan.',
      'Sebaiknya periksa juga perangkat asal berkas tersebut.',
    ],
    button: LIHAT,
  },
  return_link: {
    subject: 'Tautan baru untuk pengembalian {{returnNumber}}',
    happened: 'Ada yang meminta tautan baru ke halaman pengembalian {{returnNumber}}. Ini tautannya.',
    facts: TENTANG,
    next: [
      'Siapa pun yang memegang tautan ini dapat melihat pengembalian dan menjawab atas nama Anda. Bila bukan Anda yang meminta, tidak ada yang perlu Anda lakukan.',
    ],
    button: LIHAT,
  },
  return_to_staff: {
    subject: 'Pengembalian {{returnNumber}} memerlukan Anda',
    happened: 'Pengembalian {{returnNumber}} dari {{companyName}} untuk pesanan {{orderNumber}} menunggu petugas toko.',
    facts: [
      ...PAKET,
      ['ID', '{{returnId}}'],
      ['Di API', '{{pageUrl}}'],
      ['Jumlah', '{{#if amount}}{{money amount}}{{else}}–{{/if}}'],
      ['Sampai', '{{#if until}}{{instant until}}{{else}}–{{/if}}'],
      ['Catatan', '{{#if note}}{{note}}{{else}}–{{/if}}'],
    ],
    lists: [{ title: 'Sebab:', of: 'reasons' }, ...BARANG],
    next: [
      'Mohon lihat pengembalian ini dan tentukan kelanjutannya. Sementara itu tidak ada yang diputuskan terhadap pelanggan.',
    ],
  },
};
