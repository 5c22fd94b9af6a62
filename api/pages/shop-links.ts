/** Where links of the shop lead that open nothing: never given out, or ended. */
import type { Locale } from '../request.ts';
import type { Banner, Words } from './layout.ts';
import { shopPage } from './shop-layout.ts';

const HEADING: Words = { id: 'Toko', en: 'Shop' };

/** Says nothing of what there might be: whoever guesses learns nothing. */
const UNKNOWN: Banner = {
  tone: 'bad',
  word: { id: 'TIDAK DITEMUKAN', en: 'NOT FOUND' },
  meaning: {
    id: 'Tidak ada apa pun di alamat ini. Bukalah tautan dari e-mail terakhir kami sekali lagi.',
    en: 'There is nothing at this address. Open the link in the last e-mail from us again.',
  },
};
const ENDED: Banner = {
  tone: 'caution',
  word: { id: 'TAUTAN SUDAH BERAKHIR', en: 'THE LINK HAS ENDED' },
  meaning: {
    id: 'Demi keamanan, tautan hanya berlaku selama 90 hari. Kami dapat mengirim tautan baru ke alamat e-mail semula.',
    en: 'For your safety a link is good for 90 days. We can send a new one to the e-mail address that this one went to.',
  },
};
const SENT: Banner = {
  tone: 'good',
  word: { id: 'TAUTAN BARU DIKIRIM', en: 'A NEW LINK IS ON ITS WAY' },
  meaning: {
    id: 'Periksa kotak surat Anda dalam beberapa menit. Permintaan lain dalam satu jam ini tidak mengirim surat lagi.',
    en: 'Look into your mailbox in a few minutes. Asking again within the hour sends no other letter.',
  },
};
const SEND: Words = { id: 'Kirim tautan baru', en: 'Send me a new link' };

export const unknownLinkPage = (path: string, locale: Locale): string =>
  shopPage({ heading: HEADING[locale], path, banner: UNKNOWN, sections: [] }, locale);

export const endedLinkPage = (path: string, locale: Locale): string =>
  shopPage(
    {
      heading: HEADING[locale],
      path,
      banner: ENDED,
      sections: [
        {
          title: SEND[locale],
          forms: [{ action: `${path}/link?lang=${locale}`, groups: [], button: SEND[locale] }],
        },
      ],
    },
    locale,
  );

export const newLinkSentPage = (path: string, locale: Locale): string =>
  shopPage({ heading: HEADING[locale], path, banner: SENT, sections: [] }, locale);
