/** The catalogue of reasons that a reviewer chooses from; free text may be added to any of them. */
import type { Reason } from './licensing.ts';

interface Wording {
  readonly id: string;
  readonly en: string;
}

const REASONS: Readonly<Record<string, Wording>> = {
  document_missing: { id: 'Dokumen belum dilampirkan', en: 'A document is missing' },
  document_unreadable: { id: 'Dokumen tidak terbaca', en: 'A document cannot be read' },
  document_expired: { id: 'Dokumen sudah tidak berlaku', en: 'A document has expired' },
  data_mismatch: { id: 'Data formulir tidak sesuai dengan dokumen', en: 'The form does not agree with the documents' },
  requirement_not_met: { id: 'Persyaratan tidak terpenuhi', en: 'A requirement is not met' },
  location_not_permitted: { id: 'Lokasi usaha tidak diperbolehkan', en: 'The location is not permitted' },
  other: { id: 'Lainnya', en: 'Other' },
};

export const REASON_CODES: readonly string[] = Object.keys(REASONS);

/** A reason as a person reads it: the catalogue's words, then the reviewer's own. A code of the office's own is shown as it is. */
export function reasonText(reason: Reason, locale: 'id' | 'en'): string {
  const wording = REASONS[reason.code];
  if (reason.code === 'other' && reason.text) return reason.text;
  const words = wording ? wording[locale] : reason.code;
  return reason.text ? `${words}: ${reason.text}` : words;
}
