/** The public page behind the QR code of a certificate: read on a phone, at a counter, by somebody in a hurry. */
import type { z } from 'zod';
import type { Locale } from '../request.ts';
import type { verificationSchema } from '../schemas/licenses.ts';

export type Verification = z.infer<typeof verificationSchema>;

const STYLE = `
  body { margin: 0; font: 1.0625rem/1.5 system-ui, sans-serif; color: #1d2733; background: #f2f4f7; }
  main { max-width: 34rem; margin: 0 auto; padding: 1.25rem; }
  .status { margin: 1rem 0; padding: 1.25rem; border-radius: .75rem; color: #fff; background: #5b6573; }
  .status strong { display: block; font-size: 1.75rem; line-height: 1.2; }
  .valid { background: #0b6b3a; }
  .suspended { background: #8a5300; }
  .revoked, .unknown { background: #a3161d; }
  dl { margin: 0; padding: .25rem 1.25rem; border-radius: .75rem; background: #fff; }
  dt { margin-top: .9rem; font-size: .875rem; color: #5b6573; }
  dd { margin: 0 0 .9rem; font-weight: 600; overflow-wrap: anywhere; }
  p { color: #434d5b; }
`;

type Words = Readonly<Record<Locale, string>>;

const STATUS: Readonly<Record<Verification['status'] | 'unknown', { readonly word: Words; readonly meaning: Words }>> =
  {
    valid: {
      word: { id: 'BERLAKU', en: 'VALID' },
      meaning: { id: 'Izin ini asli dan sedang berlaku.', en: 'This licence is genuine and in force.' },
    },
    expired: {
      word: { id: 'KEDALUWARSA', en: 'EXPIRED' },
      meaning: {
        id: 'Izin ini asli, tetapi masa berlakunya sudah lewat.',
        en: 'This licence is genuine, but its validity has ended.',
      },
    },
    suspended: {
      word: { id: 'DIBEKUKAN', en: 'SUSPENDED' },
      meaning: {
        id: 'Izin ini asli, tetapi untuk sementara tidak berlaku.',
        en: 'This licence is genuine, but not in force for the time being.',
      },
    },
    revoked: {
      word: { id: 'DICABUT', en: 'REVOKED' },
      meaning: {
        id: 'Izin ini sudah dicabut dan tidak berlaku lagi.',
        en: 'This licence was revoked and is no longer in force.',
      },
    },
    superseded: {
      word: { id: 'DIGANTIKAN', en: 'SUPERSEDED' },
      meaning: {
        id: 'Izin ini sudah digantikan oleh izin yang lebih baru.',
        en: 'A newer licence has taken the place of this one.',
      },
    },
    unknown: {
      word: { id: 'TIDAK DIKENAL', en: 'UNKNOWN' },
      meaning: {
        id: 'Tidak ada izin dengan kode ini. Periksa kode pada sertifikat; bila sama, sertifikat itu bukan dari kami.',
        en: 'No licence has this code. Compare it with the certificate; if it is the same, the certificate is not ours.',
      },
    },
  };

const LABELS = {
  title: { id: 'Pemeriksaan izin', en: 'Licence check' },
  number: { id: 'Nomor izin', en: 'Licence number' },
  type: { id: 'Jenis izin', en: 'Type of licence' },
  company: { id: 'Pemegang izin', en: 'Holder' },
  from: { id: 'Berlaku sejak', en: 'Valid from' },
  until: { id: 'Berlaku sampai', en: 'Valid until' },
  forLife: { id: 'seterusnya', en: 'no end date' },
  compare: {
    id: 'Bandingkan keterangan ini dengan sertifikat yang ditunjukkan kepada Anda.',
    en: 'Compare this with the certificate that you were shown.',
  },
} as const;

export function verificationPage(found: Verification, locale: Locale): string {
  const row = (label: Words, value: string) => `<dt>${label[locale]}</dt><dd>${escapeHtml(value)}</dd>`;
  const facts = [
    row(LABELS.number, found.number),
    row(LABELS.type, found.typeName),
    row(LABELS.company, found.companyName),
    row(LABELS.from, dateOf(found.validFrom, locale)),
    row(LABELS.until, found.validUntil === null ? LABELS.forLife[locale] : dateOf(found.validUntil, locale)),
  ];
  return pageWith(found.status, locale, `<dl>${facts.join('')}</dl><p>${LABELS.compare[locale]}</p>`);
}

export const unknownPage = (locale: Locale): string => pageWith('unknown', locale, '');

const pageWith = (status: keyof typeof STATUS, locale: Locale, rest: string): string => `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${STATUS[status].word[locale]} · ${LABELS.title[locale]}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${LABELS.title[locale]}</h1>
<div class="status ${status}"><strong>${STATUS[status].word[locale]}</strong>${STATUS[status].meaning[locale]}</div>
${rest}
</main>
</body>
</html>
`;

/** The day in the west of Indonesia, where the licensing day is counted. */
const dateOf = (time: string, locale: Locale): string =>
  new Intl.DateTimeFormat(locale === 'id' ? 'id-ID' : 'en-GB', { dateStyle: 'long', timeZone: 'Asia/Jakarta' }).format(
    new Date(time),
  );

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
