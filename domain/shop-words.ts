/** What codes of the shop are called to people; the same in letters and on pages. */
import type { RiskReason } from './orders.ts';
import type { Condition, Resolution, ReturnReason } from './returns.ts';
import type { CancelReason, StaffReason } from './shop-mail.ts';

export interface Named {
  readonly id: string;
  readonly en: string;
}

/** After "how": "the way you choose is …". */
export const RESOLUTION_WORDS: Readonly<Record<Resolution, Named>> = {
  refund: { id: 'uang kembali dengan cara Anda membayar', en: 'a refund the way you paid' },
  store_credit: { id: 'saldo toko', en: 'store credit' },
  replacement: { id: 'penggantian dengan barang yang sama', en: 'a replacement' },
  exchange: { id: 'penukaran dengan barang lain', en: 'an exchange for something else' },
};

export const RETURN_REASON_WORDS: Readonly<Record<ReturnReason, Named>> = {
  damaged: { id: 'Rusak waktu tiba', en: 'Damaged when it arrived' },
  defective: { id: 'Tidak berfungsi', en: 'Does not work' },
  wrong_item: { id: 'Barang yang dikirim salah', en: 'The wrong item was sent' },
  not_as_described: { id: 'Tidak sesuai keterangan', en: 'Not as described' },
  arrived_late: { id: 'Tiba terlambat', en: 'Arrived late' },
  no_longer_needed: { id: 'Tidak diperlukan lagi', en: 'No longer needed' },
  other: { id: 'Alasan lain', en: 'Another reason' },
};

export const CONDITION_WORDS: Readonly<Record<Condition, Named>> = {
  unopened: { id: 'Belum dibuka', en: 'Unopened' },
  as_new: { id: 'Seperti baru', en: 'As new' },
  used: { id: 'Sudah dipakai', en: 'Used' },
  damaged: { id: 'Rusak', en: 'Damaged' },
  incomplete: { id: 'Tidak lengkap', en: 'Incomplete' },
  not_ours: { id: 'Bukan barang kami', en: 'Not one of ours' },
};

/** After "because". */
export const CANCEL_WORDS: Readonly<Record<CancelReason, Named>> = {
  asked: { id: 'diminta', en: 'this was asked for' },
  unpaid: { id: 'tidak dibayar sampai batas waktunya', en: 'it was not paid in time' },
  refused: { id: 'tidak lolos pemeriksaan kami', en: 'it did not pass our check' },
  out_of_stock: { id: 'persediaannya habis', en: 'it is out of stock' },
  lost: { id: 'paketnya hilang di jalan', en: 'the parcel was lost on its way' },
};

export const RISK_WORDS: Readonly<Record<RiskReason, Named>> = {
  amount: { id: 'jumlahnya besar', en: 'a large amount' },
  new_customer: { id: 'pelanggan baru', en: 'a new customer' },
  address_mismatch: {
    id: 'alamat kirim lain dari alamat usaha',
    en: 'shipped to another address than the business has',
  },
  velocity: { id: 'banyak pesanan dalam waktu singkat', en: 'many orders in a short time' },
};

export const STAFF_REASON_WORDS: Readonly<Record<StaffReason, Named>> = {
  review_due: { id: 'Permintaan ini menunggu keputusan', en: 'The request waits for a decision' },
  review_overdue: { id: 'Keputusan atas permintaan ini sudah terlambat', en: 'The decision on the request is overdue' },
  info_due: {
    id: 'Pelanggan belum menjawab; sesudah batas waktunya pengembalian ditutup',
    en: 'The customer has not answered; when the time is over the return is closed',
  },
  info_provided: { id: 'Pelanggan sudah menjawab', en: 'The customer has answered' },
  shipment_due: {
    id: 'Paketnya belum dikirim; sesudah batas waktunya pengembalian ditutup',
    en: 'The parcel was not sent yet; when the time is over the return is closed',
  },
  label_failed: { id: 'Kurir tidak memberi label', en: 'The carrier gives no label' },
  lost_in_transit: { id: 'Paketnya tidak kunjung tiba', en: 'The parcel has not arrived' },
  lost_for_good: {
    id: 'Paket yang hilang kami tanggung; pelanggan diganti',
    en: 'The lost parcel is ours to bear; the customer is made whole',
  },
  receipt_overdue: { id: 'Barang yang tiba belum diperiksa', en: 'What arrived has not been inspected' },
  inspection_overdue: { id: 'Pemeriksaan belum selesai', en: 'The inspection is not finished' },
  rest_due: {
    id: 'Sebagian barang belum tiba; sesudah batas waktunya dianggap tidak dikirim',
    en: 'Some of it has not arrived; when the time is over it counts as not sent',
  },
  rest_missing: {
    id: 'Sebagian barang tidak tiba; perhitungannya dibuat tanpa barang itu',
    en: 'Some of it never arrived; the statement is written without it',
  },
  resolution_due: {
    id: 'Pelanggan belum memilih; sesudah batas waktunya aturan toko yang berlaku',
    en: 'The customer has not chosen; when the time is over it goes as the rules say',
  },
  defaulted: {
    id: 'Pelanggan tidak memilih; dilanjutkan menurut aturan toko',
    en: 'The customer did not choose; it went as the rules say',
  },
  disputed: { id: 'Pelanggan menyanggah potongan', en: 'The customer disputes the deductions' },
  out_of_stock: { id: 'Barang pengganti tidak tersedia', en: 'There is no stock for the replacement' },
  refund_failed: { id: 'Pengembalian uang gagal', en: 'The refund failed' },
  refund_overdue: { id: 'Pengembalian uang belum selesai', en: 'The refund is not done' },
  replacement_overdue: {
    id: 'Barang pengganti belum berangkat',
    en: 'The goods that replace it have not left',
  },
  expired: { id: 'Batas waktu lewat dan pengembalian ditutup', en: 'The time is over and the return is closed' },
  reopened: {
    id: 'Paketnya tiba setelah pengembalian ditutup; pengembalian dibuka lagi',
    en: 'The parcel arrived after the return was closed; it is open again',
  },
  photo_infected: {
    id: 'Pemindai virus menemukan sesuatu dalam foto pemeriksaan; fotonya tidak ditampilkan',
    en: 'The virus scanner found something in a photograph of the inspection; it is not shown',
  },
  undo_failed: {
    id: 'Yang sudah dilakukan tidak dapat dibatalkan seluruhnya',
    en: 'What was done could not be undone completely',
  },
  carrier_unclear: { id: 'Kabar dari kurir tidak jelas', en: 'What the carrier says is unclear' },
  arrived_after_refund: {
    id: 'Paket yang sudah kami ganti karena hilang ternyata tiba; catat barangnya di gudang',
    en: 'A parcel that was paid back as lost has arrived; put its goods on record in the warehouse',
  },
  serial_differs: { id: 'Nomor seri tidak cocok', en: 'A serial number does not match' },
  manual_review: { id: 'Seseorang harus menentukan kelanjutannya', en: 'A person has to say how it goes on' },
};
