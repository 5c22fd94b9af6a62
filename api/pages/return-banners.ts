/** What each state of a return means to its customer. */
import type { ReturnState } from '../../domain/returns.ts';
import type { Banner } from './layout.ts';

export const RETURN_BANNERS: Readonly<Record<ReturnState, Banner>> = {
  requested: {
    tone: 'waiting',
    word: { id: 'DIMINTA', en: 'REQUESTED' },
    meaning: {
      id: 'Kami menjawab dalam beberapa hari. Mohon jangan mengirim apa pun dahulu.',
      en: 'We answer within a few days. Please do not send anything yet.',
    },
  },
  under_review: {
    tone: 'waiting',
    word: { id: 'SEDANG DITINJAU', en: 'BEING REVIEWED' },
    meaning: {
      id: 'Kami menjawab dalam beberapa hari. Mohon jangan mengirim apa pun dahulu.',
      en: 'We answer within a few days. Please do not send anything yet.',
    },
  },
  info_requested: {
    tone: 'caution',
    word: { id: 'KAMI PERLU JAWABAN', en: 'WE NEED YOUR ANSWER' },
    meaning: { id: 'Mohon jawab pertanyaan di bawah.', en: 'Please answer the question below.' },
  },
  approved: {
    tone: 'good',
    word: { id: 'DISETUJUI', en: 'APPROVED' },
    meaning: { id: 'Langkah berikutnya sedang kami siapkan.', en: 'We are preparing the next step.' },
  },
  label_pending: {
    tone: 'waiting',
    word: { id: 'DISETUJUI', en: 'APPROVED' },
    meaning: {
      id: 'Label sedang kami ambil dari kurir. Mohon tunggu sebentar.',
      en: 'We are getting the label from the carrier. Please wait a little.',
    },
  },
  awaiting_shipment: {
    tone: 'caution',
    word: { id: 'MOHON KIRIM PAKETNYA', en: 'PLEASE SEND THE PARCEL' },
    meaning: {
      id: 'Pasang labelnya dan serahkan paketnya kepada kurir.',
      en: 'Put the label on and hand the parcel to the carrier.',
    },
  },
  in_transit: {
    tone: 'good',
    word: { id: 'PAKET DALAM PERJALANAN', en: 'PARCEL ON ITS WAY' },
    meaning: { id: 'Tidak ada yang perlu Anda lakukan.', en: 'There is nothing to do.' },
  },
  lost_in_transit: {
    tone: 'caution',
    word: { id: 'PAKET BELUM TIBA', en: 'PARCEL HAS NOT ARRIVED' },
    meaning: {
      id: 'Kami menanyakannya kepada kurir. Mohon simpan tanda terimanya.',
      en: 'We are asking the carrier. Please keep the receipt.',
    },
  },
  received: {
    tone: 'good',
    word: { id: 'PAKET SUDAH TIBA', en: 'PARCEL HAS ARRIVED' },
    meaning: { id: 'Kami memeriksa barangnya dalam beberapa hari.', en: 'We inspect the items within a few days.' },
  },
  inspecting: {
    tone: 'waiting',
    word: { id: 'SEDANG DIPERIKSA', en: 'BEING INSPECTED' },
    meaning: { id: 'Hasilnya kami kirim lewat e-mail.', en: 'We will write to you about the result.' },
  },
  resolution_pending: {
    tone: 'caution',
    word: { id: 'MOHON PILIH', en: 'PLEASE CHOOSE' },
    meaning: { id: 'Lihat rinciannya di bawah dan putuskan.', en: 'Look at the statement below and decide.' },
  },
  refunding: {
    tone: 'good',
    word: { id: 'UANG SEDANG DIKEMBALIKAN', en: 'REFUND UNDER WAY' },
    meaning: { id: 'Ini dapat memerlukan beberapa hari.', en: 'This may take some days.' },
  },
  replacing: {
    tone: 'good',
    word: { id: 'PENGGANTI DISIAPKAN', en: 'REPLACEMENT UNDER WAY' },
    meaning: { id: 'Kami memberi kabar begitu dikirim.', en: 'We will write to you when it is sent.' },
  },
  manual_review: {
    tone: 'waiting',
    word: { id: 'KAMI SEDANG MENGURUSNYA', en: 'WE ARE LOOKING INTO IT' },
    meaning: {
      id: 'Petugas kami menentukan kelanjutannya dan memberi kabar. Tidak ada yang perlu Anda lakukan.',
      en: 'A person decides how it goes on and writes to you. There is nothing to do.',
    },
  },
  expired: {
    tone: 'bad',
    word: { id: 'WAKTUNYA HABIS', en: 'TIME IS OVER' },
    meaning: {
      id: 'Pengembalian ini ditutup. Bila paketnya sudah dalam perjalanan, pengembalian dibuka lagi begitu tiba.',
      en: 'This return is closed. If your parcel is on its way, it is opened again when it arrives.',
    },
  },
  closed_refunded: {
    tone: 'good',
    word: { id: 'SELESAI: UANG KEMBALI', en: 'DONE: REFUNDED' },
    meaning: { id: 'Pengembalian ini selesai.', en: 'This return is done.' },
  },
  closed_replaced: {
    tone: 'good',
    word: { id: 'SELESAI: DIGANTI', en: 'DONE: REPLACED' },
    meaning: { id: 'Pengembalian ini selesai.', en: 'This return is done.' },
  },
  closed_mixed: {
    tone: 'good',
    word: { id: 'SELESAI', en: 'DONE' },
    meaning: {
      id: 'Pengembalian ini selesai; rinciannya di bawah.',
      en: 'This return is done; see the statement below.',
    },
  },
  rejected: {
    tone: 'bad',
    word: { id: 'TIDAK DITERIMA', en: 'NOT ACCEPTED' },
    meaning: {
      id: 'Alasannya di bawah. Mohon jangan mengirim apa pun.',
      en: 'The reason is below. Please do not send anything.',
    },
  },
  cancelled: {
    tone: 'neutral',
    word: { id: 'DIBATALKAN', en: 'CANCELLED' },
    meaning: { id: 'Barangnya tetap pada Anda.', en: 'The items stay with you.' },
  },
};
