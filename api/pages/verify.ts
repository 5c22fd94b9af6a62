/** The public page behind the QR code of a certificate: read on a phone, at a counter, by somebody in a hurry. */
import type { z } from 'zod';
import type { Locale } from '../request.ts';
import type { verificationSchema } from '../schemas/licenses.ts';
import { type Banner, dayOf, publicPage, type Words } from './layout.ts';

export type Verification = z.infer<typeof verificationSchema>;

const STATUS: Readonly<Record<Verification['status'] | 'not_yet' | 'unknown', Banner>> = {
  not_yet: {
    tone: 'neutral',
    word: { id: 'BELUM BERLAKU', en: 'NOT YET VALID' },
    meaning: {
      id: 'Izin ini asli, tetapi masa berlakunya belum dimulai.',
      en: 'This licence is genuine, but its validity has not begun.',
    },
  },
  active: {
    tone: 'good',
    word: { id: 'BERLAKU', en: 'VALID' },
    meaning: { id: 'Izin ini asli dan sedang berlaku.', en: 'This licence is genuine and in force.' },
  },
  expired: {
    tone: 'neutral',
    word: { id: 'KEDALUWARSA', en: 'EXPIRED' },
    meaning: {
      id: 'Izin ini asli, tetapi masa berlakunya sudah lewat.',
      en: 'This licence is genuine, but its validity has ended.',
    },
  },
  suspended: {
    tone: 'caution',
    word: { id: 'DIBEKUKAN', en: 'SUSPENDED' },
    meaning: {
      id: 'Izin ini asli, tetapi untuk sementara tidak berlaku.',
      en: 'This licence is genuine, but not in force for the time being.',
    },
  },
  revoked: {
    tone: 'bad',
    word: { id: 'DICABUT', en: 'REVOKED' },
    meaning: {
      id: 'Izin ini sudah dicabut dan tidak berlaku lagi.',
      en: 'This licence was revoked and is no longer in force.',
    },
  },
  superseded: {
    tone: 'neutral',
    word: { id: 'DIGANTIKAN', en: 'SUPERSEDED' },
    meaning: {
      id: 'Izin ini sudah digantikan oleh izin yang lebih baru.',
      en: 'A newer licence has taken the place of this one.',
    },
  },
  unknown: {
    tone: 'bad',
    word: { id: 'TIDAK DIKENAL', en: 'UNKNOWN' },
    meaning: {
      id: 'Tidak ada izin dengan kode ini. Periksa kode pada sertifikat; bila sama, sertifikat itu bukan dari kami.',
      en: 'No licence has this code. Compare it with the certificate; if it is the same, the certificate is not ours.',
    },
  },
};

/** Since when, as the row of facts calls it; an active licence says it by its validity. */
const SINCE: Readonly<Record<Exclude<Verification['status'], 'active'>, Words>> = {
  suspended: { id: 'Dibekukan sejak', en: 'Suspended since' },
  revoked: { id: 'Dicabut pada', en: 'Revoked on' },
  expired: { id: 'Berakhir pada', en: 'Ended on' },
  superseded: { id: 'Digantikan pada', en: 'Superseded on' },
};

/** A person's decision is what everybody expects, and needs no words. */
const GRANTED: Readonly<Record<Exclude<Verification['grantedBy'], 'decision'>, Words>> = {
  law: {
    id: 'menurut hukum karena jangka waktu habis (fiktif positif, Pasal 53 UU 30/2014)',
    en: 'by law, the legal time having passed (deemed approval, article 53 of Law 30/2014)',
  },
  automatic: { id: 'secara otomatis berdasarkan pernyataan', en: 'automatically, on its own declaration' },
};

const HEADING = { id: 'Pemeriksaan izin', en: 'Licence check' } as const;
const LABELS = {
  number: { id: 'Nomor izin', en: 'Licence number' },
  type: { id: 'Jenis izin', en: 'Type of licence' },
  company: { id: 'Pemegang izin', en: 'Holder' },
  from: { id: 'Berlaku sejak', en: 'Valid from' },
  until: { id: 'Berlaku sampai', en: 'Valid until' },
  granted: { id: 'Dasar pemberian', en: 'Granted' },
  successor: { id: 'Digantikan oleh', en: 'Superseded by' },
  renews: { id: 'Perpanjangan dari', en: 'Renewal of' },
  next: { id: 'Diperpanjang dengan', en: 'Renewed by' },
  forLife: { id: 'seterusnya', en: 'no end date' },
  compare: {
    id: 'Bandingkan keterangan ini dengan sertifikat yang ditunjukkan kepada Anda.',
    en: 'Compare this with the certificate that you were shown.',
  },
} as const;

export function verificationPage(found: Verification, locale: Locale): string {
  const until = found.validUntil === null ? LABELS.forLife[locale] : dayOf(new Date(found.validUntil), locale);
  return publicPage(
    {
      heading: HEADING,
      banner: STATUS[found.status === 'active' && found.notYetValid ? 'not_yet' : found.status],
      facts: [
        [LABELS.number, found.number],
        [LABELS.type, found.typeName],
        [LABELS.company, found.companyName],
        [LABELS.from, dayOf(new Date(found.validFrom), locale)],
        [LABELS.until, until],
        ...standingOf(found, locale),
      ],
      note: LABELS.compare,
    },
    locale,
  );
}

function standingOf(found: Verification, locale: Locale): [Words, string][] {
  const { status, statusChangedAt, supersededByNumber, renewsNumber, renewedByNumber, grantedBy } = found;
  return [
    ...(status !== 'active' && statusChangedAt !== null
      ? [[SINCE[status], dayOf(new Date(statusChangedAt), locale)] satisfies [Words, string]]
      : []),
    ...(supersededByNumber === null ? [] : [[LABELS.successor, supersededByNumber] satisfies [Words, string]]),
    ...(renewsNumber === null ? [] : [[LABELS.renews, renewsNumber] satisfies [Words, string]]),
    ...(renewedByNumber === null || renewedByNumber === supersededByNumber
      ? []
      : [[LABELS.next, renewedByNumber] satisfies [Words, string]]),
    ...(grantedBy === 'decision' ? [] : [[LABELS.granted, GRANTED[grantedBy][locale]] satisfies [Words, string]]),
  ];
}

export const unknownPage = (locale: Locale): string => publicPage({ heading: HEADING, banner: STATUS.unknown }, locale);
