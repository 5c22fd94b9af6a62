/** Where the gateway leads back to after a card was given: what has become of it. */
import type { CardSetupState } from '../../domain/cards.ts';
import type { Locale } from '../request.ts';
import { type Banner, publicPage, type Words } from './layout.ts';

const HEADING: Words = { id: 'Kartu untuk langganan', en: 'Card for the subscription' };

const WAITING: Banner = {
  tone: 'waiting',
  word: { id: 'SEDANG DIPERIKSA', en: 'BEING CHECKED' },
  meaning: {
    id: 'Penyedia pembayaran sedang kami tanyakan. Halaman ini memuat ulang sendiri.',
    en: 'We are asking the payment provider. This page loads itself again.',
  },
};
const OVER: Banner = {
  tone: 'bad',
  word: { id: 'TIDAK TERSIMPAN', en: 'NOT STORED' },
  meaning: {
    id: 'Tidak ada kartu yang tersimpan lewat halaman ini. Mulailah lagi dari langganan Anda.',
    en: 'No card was stored through this page. Start again from your subscription.',
  },
};

const BANNERS: Readonly<Record<CardSetupState, Banner>> = {
  created: WAITING,
  open: WAITING,
  completed: {
    tone: 'good',
    word: { id: 'TERSIMPAN', en: 'STORED' },
    meaning: {
      id: 'Kartu Anda tersimpan pada penyedia pembayaran. Anda dapat menghapusnya kapan saja.',
      en: 'Your card is kept by the payment provider. You can take it off at any time.',
    },
  },
  expired: OVER,
  failed: OVER,
};

/** @param state null = nobody was ever led here from such a page */
export const cardPage = (state: CardSetupState | null, locale: Locale): string => {
  const banner = state === null ? OVER : BANNERS[state];
  return publicPage({ heading: HEADING, banner, ...(banner.tone === 'waiting' ? { refreshSeconds: 5 } : {}) }, locale);
};
