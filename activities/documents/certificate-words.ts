import type { GrantedBy } from '../../domain/licenses.ts';
import type { Risk } from '../../domain/licensing.ts';
import type { Bilingual } from './layout.ts';

export const RISK: Record<Risk, Bilingual> = {
  low: { id: 'Rendah', en: 'Low' },
  medium_low: { id: 'Menengah Rendah', en: 'Medium-low' },
  medium_high: { id: 'Menengah Tinggi', en: 'Medium-high' },
  high: { id: 'Tinggi', en: 'High' },
};

export const GRANT: Record<GrantedBy, Bilingual> = {
  decision: { id: 'Diberikan kepada', en: 'Granted to' },
  automatic: {
    id: 'Diberikan secara otomatis berdasarkan pernyataan pelaku usaha kepada',
    en: 'Granted automatically, on its own declaration, to',
  },
  law: {
    id: 'Permohonan dianggap dikabulkan menurut hukum (fiktif positif, Pasal 53 UU 30/2014 jo. Pasal 175 UU 11/2020) bagi',
    en: 'Application deemed granted by law, the legal time having passed (article 53 of Law 30/2014 with article 175 of Law 11/2020), for',
  },
};

// PP 71/2019 article 60: a signature without a registered provider is an uncertified one, and must not pass for more.
export const SIGNATURE: Record<'uncertified' | 'certified', Bilingual> = {
  uncertified: {
    id: 'Dokumen ini ditandatangani secara elektronik dengan kunci milik instansi. Menurut PP 71/2019 Pasal 60, ini adalah tanda tangan elektronik tidak tersertifikasi; periksa keasliannya melalui kode QR.',
    en: "This document is signed electronically with the office's own key. Under PP 71/2019, article 60, this is an uncertified electronic signature; check its authenticity through the QR code.",
  },
  certified: {
    id: 'Dokumen ini ditandatangani secara elektronik dengan sertifikat elektronik dari penyelenggara sertifikasi elektronik (PSrE) menurut PP 71/2019 Pasal 60.',
    en: 'This document is signed electronically with a certificate of a registered certification provider (PSrE) under PP 71/2019, article 60.',
  },
};
