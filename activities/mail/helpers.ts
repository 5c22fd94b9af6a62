import Handlebars from 'handlebars';
import { isStage, type Stage } from '../../domain/licensing.ts';
import { type Locale, SECOND_FACTOR_CHANGES, type SecondFactorChange } from '../../domain/mail.ts';
import { formatMoney, isCurrency, money } from '../../domain/money.ts';
import { PAYMENT_CASE_KINDS, type PaymentCaseKind } from '../../domain/payments.ts';
import { REFUND_CHANNELS, type RefundChannel } from '../../domain/refunds.ts';
import { ROLES, type Role } from '../../domain/roles.ts';
import { formatDay, formatInstant, lastInstant } from '../documents/dates.ts';

const STAGE_NAMES: Record<Stage, Record<Locale, string>> = {
  document_verification: { id: 'verifikasi dokumen', en: 'document verification' },
  compliance_check: { id: 'pemeriksaan kepatuhan', en: 'compliance check' },
  approval: { id: 'persetujuan', en: 'approval' },
};

const ROLE_NAMES: Record<Role, Record<Locale, string>> = {
  owner: { id: 'pelaku usaha', en: 'business owner' },
  verifier: { id: 'verifikator', en: 'verifier' },
  examiner: { id: 'pemeriksa', en: 'examiner' },
  approver: { id: 'pemberi persetujuan', en: 'approver' },
  head: { id: 'kepala kantor', en: 'head of office' },
  supervisor: { id: 'penyelia', en: 'supervisor' },
  finance: { id: 'keuangan', en: 'finance' },
  seller: { id: 'penjual', en: 'seller' },
  warehouse: { id: 'gudang', en: 'warehouse' },
  ops: { id: 'operasional', en: 'operations' },
  admin: { id: 'administrator', en: 'administrator' },
  integrator: { id: 'integrator', en: 'integrator' },
};

const CHANGES: Record<SecondFactorChange, Record<Locale, string>> = {
  added: { id: 'verifikasi dua langkah dipasang', en: 'two-step verification was set up' },
  removed: { id: 'verifikasi dua langkah dilepas', en: 'two-step verification was removed' },
  backup_code_used: { id: 'kode cadangan dipakai untuk masuk', en: 'a backup code was used to sign in' },
  backup_codes_renewed: { id: 'kode cadangan dibuat ulang', en: 'the backup codes were renewed' },
  wrong_codes: {
    id: 'lima kali kode salah berturut-turut; untuk sementara tidak ada kode yang diterima',
    en: 'five wrong codes in a row; for a while no code is accepted',
  },
};

const REFUND_WAYS: Record<RefundChannel, Record<Locale, string>> = {
  gateway: {
    id: 'kembali ke cara bayar semula (dapat memerlukan beberapa hari sampai terlihat)',
    en: 'back the way it was paid (it may take some days to show)',
  },
  bank_transfer: { id: 'transfer ke rekening bank yang Anda beri', en: 'a transfer to the bank account you gave' },
  store_credit: { id: 'saldo untuk tagihan berikutnya', en: 'credit for later invoices' },
};

const CASE_NAMES: Record<PaymentCaseKind, Record<Locale, string>> = {
  late: { id: 'dibayar terlambat', en: 'paid late' },
  twice: { id: 'dibayar dua kali', en: 'paid twice' },
  short: { id: 'kurang bayar', en: 'paid too little' },
  over: { id: 'lebih bayar', en: 'paid too much' },
  wrong_currency: { id: 'mata uang salah', en: 'wrong currency' },
  unknown_object: { id: 'pemberitahuan tak dikenal', en: 'notice about nothing known' },
  reversed: { id: 'ditarik kembali', en: 'taken back' },
  unclear: { id: 'tidak jelas', en: 'unclear' },
  refund_failed: { id: 'pengembalian gagal', en: 'refund failed' },
  missing_here: { id: 'tidak ada di pembukuan', en: 'not in the books' },
  missing_there: { id: 'tidak ada di gerbang', en: 'not at the gateway' },
  amount_differs: { id: 'jumlah berbeda', en: 'another amount' },
  state_differs: { id: 'status berbeda', en: 'another state' },
  refund_differs: { id: 'pengembalian berbeda', en: 'another refund' },
  unmatched_settlement: { id: 'baris pencairan tak dikenal', en: 'payout of nothing known' },
  settlement_differs: { id: 'pencairan berbeda', en: 'another payout' },
  stuck_paid: { id: 'lunas tetapi belum aktif', en: 'paid and not active' },
  stuck_unknown: { id: 'lama tidak jelas', en: 'unclear for long' },
};

/** What templates may call. Handlebars passes its own options after the arguments; none here reads them. */
export function helpersFor({ locale, timeZone }: { locale: Locale; timeZone: string }) {
  return {
    instant: (iso: unknown) => formatInstant(text('instant', iso), timeZone, locale),
    day: (iso: unknown) => formatDay(text('day', iso), timeZone, locale),
    lastDay: (iso: unknown) => formatDay(lastInstant(text('lastDay', iso)), timeZone, locale),
    money: formatAmount,
    stage: (code: unknown) => stageName(text('stage', code), locale),
    roles: (codes: unknown) => roleNames(codes, locale),
    caseKind: (code: unknown) => caseName(text('caseKind', code), locale),
    secondFactorChange: (code: unknown) => changeName(text('secondFactorChange', code), locale),
    refundWay: (code: unknown) => wayName(text('refundWay', code), locale),
    button,
  };
}

function text(helper: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`{{${helper}}} needs a text, not ${typeof value}.`);
  return value;
}

function formatAmount(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'amountMinor' in value && 'currency' in value) {
    const { amountMinor, currency } = value;
    const whole = /^-?\d+$/.test(String(amountMinor));
    if (whole && typeof currency === 'string' && isCurrency(currency)) {
      return formatMoney(money(BigInt(String(amountMinor)), currency));
    }
  }
  throw new TypeError('{{money}} needs { amountMinor, currency } with whole minor units of a known currency.');
}

function stageName(code: string, locale: Locale): string {
  if (!isStage(code)) throw new TypeError(`{{stage}} does not know the stage "${code}".`);
  return STAGE_NAMES[code][locale];
}

function roleNames(codes: unknown, locale: Locale): string {
  if (!Array.isArray(codes)) throw new TypeError('{{roles}} needs a list of roles.');
  return codes.map((code) => roleName(text('roles', code), locale)).join(', ');
}

function roleName(code: string, locale: Locale): string {
  const role = ROLES.find((one) => one === code);
  if (!role) throw new TypeError(`{{roles}} does not know the role "${code}".`);
  return ROLE_NAMES[role][locale];
}

function changeName(code: string, locale: Locale): string {
  const change = SECOND_FACTOR_CHANGES.find((one) => one === code);
  if (!change) throw new TypeError(`{{secondFactorChange}} does not know the change "${code}".`);
  return CHANGES[change][locale];
}

function wayName(code: string, locale: Locale): string {
  const way = REFUND_CHANNELS.find((one) => one === code);
  if (!way) throw new TypeError(`{{refundWay}} does not know the way "${code}".`);
  return REFUND_WAYS[way][locale];
}

function caseName(code: string, locale: Locale): string {
  const kind = PAYMENT_CASE_KINDS.find((one) => one === code);
  if (!kind) throw new TypeError(`{{caseKind}} does not know the kind "${code}".`);
  return CASE_NAMES[kind][locale];
}

/** A link that looks like a button, and below it the same link to copy. */
function button(link: unknown, label: unknown): Handlebars.SafeString {
  const target = text('button', link);
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) {
    throw new TypeError('{{button}} needs an http(s) URL.');
  }
  const url = Handlebars.escapeExpression(target);
  const words = Handlebars.escapeExpression(text('button', label));
  return new Handlebars.SafeString(
    `<p><a class="button" href="${url}">${words}</a></p>\n<p class="small"><a href="${url}">${url}</a></p>`,
  );
}
