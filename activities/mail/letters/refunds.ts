import type { RefundLetter } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';

const ABOUT = [
  ['Invoice', '{{invoiceNumber}}'],
  ['Amount', '{{money amount}}'],
  ['Refund', '{{refundId}}'],
] as const;
const TENTANG = [
  ['Tagihan', '{{invoiceNumber}}'],
  ['Jumlah', '{{money amount}}'],
  ['Pengembalian', '{{refundId}}'],
] as const;

export const REFUND_LETTERS_ENGLISH: Record<RefundLetter, Letter> = {
  refund_requested: {
    subject: 'Refund of {{money amount}} requested',
    happened: 'A refund of {{money amount}} of your payment of invoice {{invoiceNumber}} has been requested.',
    facts: ABOUT,
    next: [
      '{{#if needsApproval}}Finance looks at it now; that usually takes two working days.{{else}}It is on its way.{{/if}} We will write to you at each step.',
    ],
  },
  refund_approved: {
    subject: 'Refund of {{money amount}} approved',
    happened: 'The refund of {{money amount}} of invoice {{invoiceNumber}} has been approved.',
    facts: ABOUT,
    next: ['There is nothing for you to do now. We will write to you when the money is on its way.'],
  },
  refund_destination_needed: {
    subject: 'Where shall we send your {{money amount}}?',
    happened: 'The way you paid invoice {{invoiceNumber}} cannot take money back, so we need to know where to send it.',
    facts: ABOUT,
    next: [
      'Please give us a bank account in the name of your business or of its owner, or choose to keep the amount as credit for later invoices: in the refund of your account, under "destination".',
      'Never send account numbers by e-mail; nobody of {{officeName}} will ask you to.',
    ],
  },
  refund_succeeded: {
    subject: 'Refund of {{money amount}} paid',
    happened: 'The refund of {{money amount}} of invoice {{invoiceNumber}} has been paid.',
    facts: [...ABOUT, ['By', '{{refundWay way}}']],
    next: [
      'Credit is there at once. A transfer that has not arrived after fourteen days: please tell us, and name the refund.',
    ],
  },
  refund_delayed: {
    subject: 'Your refund of {{money amount}} is delayed',
    happened: 'The refund of {{money amount}} of invoice {{invoiceNumber}} could not be delivered.',
    facts: ABOUT,
    next: [
      'Your money is safe with us. Finance looks into it and will write to you; there is nothing for you to do now.',
    ],
  },
  refund_refused: {
    subject: 'Refund of {{money amount}} will not be paid',
    happened: 'The refund of {{money amount}} of invoice {{invoiceNumber}} was refused or called off.',
    facts: ABOUT,
    next: [
      '{{#if note}}The reason: {{note}}{{else}}No reason was given.{{/if}}',
      'If you do not agree, please answer this office and name the refund.',
    ],
  },
  refund_to_approve: {
    subject: 'Please decide: refund of {{money amount}}',
    happened: 'A refund of {{money amount}} of invoice {{invoiceNumber}} waits for a second person.',
    facts: ABOUT,
    next: ['Please approve or reject it. Who asked for it, and who acts for the company, cannot decide.'],
  },
  refund_to_transfer: {
    subject: 'Please transfer: refund of {{money amount}}',
    happened: 'A refund of {{money amount}} of invoice {{invoiceNumber}} has to be transferred by hand.',
    facts: ABOUT,
    next: [
      'The account stands in the refund, under "destination"; reading it is recorded. Compare its name with the payer, transfer the amount once, and enter the reference of the bank.',
    ],
  },
  refund_without_destination: {
    subject: 'Refund of {{money amount}}: the payer does not answer',
    happened:
      'For a month nobody has said where the refund of {{money amount}} of invoice {{invoiceNumber}} should go.',
    facts: ABOUT,
    next: ['Please call the payer. The refund stays open until they answer or you cancel it.'],
  },
};

export const REFUND_LETTERS_INDONESIAN: Record<RefundLetter, Letter> = {
  refund_requested: {
    subject: 'Permintaan pengembalian dana {{money amount}}',
    happened: 'Pengembalian dana {{money amount}} dari pembayaran tagihan {{invoiceNumber}} telah diminta.',
    facts: TENTANG,
    next: [
      '{{#if needsApproval}}Bagian keuangan sedang memeriksanya, biasanya dalam dua hari kerja.{{else}}Dana sedang diproses.{{/if}} Kami mengabari Anda di setiap langkah.',
    ],
  },
  refund_approved: {
    subject: 'Pengembalian dana {{money amount}} disetujui',
    happened: 'Pengembalian dana {{money amount}} dari tagihan {{invoiceNumber}} telah disetujui.',
    facts: TENTANG,
    next: ['Tidak ada yang perlu Anda lakukan sekarang. Kami mengabari Anda saat dana dikirim.'],
  },
  refund_destination_needed: {
    subject: 'Ke mana dana {{money amount}} Anda kami kirim?',
    happened: 'Cara bayar tagihan {{invoiceNumber}} tidak dapat menerima pengembalian, jadi kami perlu tahu tujuannya.',
    facts: TENTANG,
    next: [
      'Mohon beri rekening bank atas nama usaha atau pemiliknya, atau pilih menyimpannya sebagai saldo untuk tagihan berikutnya: pada pengembalian di akun Anda, bagian "destination".',
      'Jangan mengirim nomor rekening lewat surel; petugas {{officeName}} tidak pernah memintanya.',
    ],
  },
  refund_succeeded: {
    subject: 'Pengembalian dana {{money amount}} telah dibayar',
    happened: 'Pengembalian dana {{money amount}} dari tagihan {{invoiceNumber}} telah dibayar.',
    facts: [...TENTANG, ['Melalui', '{{refundWay way}}']],
    next: [
      'Saldo langsung tersedia. Bila transfer belum sampai setelah empat belas hari, mohon kabari kami dan sebutkan pengembaliannya.',
    ],
  },
  refund_delayed: {
    subject: 'Pengembalian dana {{money amount}} tertunda',
    happened: 'Pengembalian dana {{money amount}} dari tagihan {{invoiceNumber}} tidak dapat disampaikan.',
    facts: TENTANG,
    next: [
      'Dana Anda aman pada kami. Bagian keuangan memeriksanya dan akan mengabari Anda; tidak ada yang perlu Anda lakukan sekarang.',
    ],
  },
  refund_refused: {
    subject: 'Pengembalian dana {{money amount}} tidak dibayarkan',
    happened: 'Pengembalian dana {{money amount}} dari tagihan {{invoiceNumber}} ditolak atau dibatalkan.',
    facts: TENTANG,
    next: [
      '{{#if note}}Alasannya: {{note}}{{else}}Tidak ada alasan yang disebutkan.{{/if}}',
      'Jika Anda tidak setuju, mohon hubungi kantor ini dan sebutkan pengembaliannya.',
    ],
  },
  refund_to_approve: {
    subject: 'Mohon putuskan: pengembalian dana {{money amount}}',
    happened: 'Pengembalian dana {{money amount}} dari tagihan {{invoiceNumber}} menunggu orang kedua.',
    facts: TENTANG,
    next: ['Mohon setujui atau tolak. Yang memintanya, dan yang mewakili perusahaan itu, tidak dapat memutuskan.'],
  },
  refund_to_transfer: {
    subject: 'Mohon transfer: pengembalian dana {{money amount}}',
    happened: 'Pengembalian dana {{money amount}} dari tagihan {{invoiceNumber}} harus ditransfer secara manual.',
    facts: TENTANG,
    next: [
      'Rekeningnya ada pada pengembalian itu, bagian "destination"; setiap pembacaan dicatat. Bandingkan namanya dengan pembayar, transfer satu kali, lalu masukkan nomor referensi bank.',
    ],
  },
  refund_without_destination: {
    subject: 'Pengembalian dana {{money amount}}: pembayar tidak menjawab',
    happened:
      'Sudah sebulan belum ada yang menyebutkan tujuan pengembalian dana {{money amount}} dari tagihan {{invoiceNumber}}.',
    facts: TENTANG,
    next: ['Mohon hubungi pembayar. Pengembalian tetap terbuka sampai mereka menjawab atau Anda membatalkannya.'],
  },
};
