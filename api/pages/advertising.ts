/** Where the link in a letter leads that nobody needs. */
import { STOP_ADVERTISING_PAGE } from '../../db/advertising.ts';
import type { Locale } from '../request.ts';
import { publicPage } from './layout.ts';

const heading = { id: 'Surat pengingat', en: 'Reminders' };

/** Opening it changes nothing. */
export const askToStopPage = (token: string, locale: Locale): string =>
  publicPage(
    {
      heading,
      banner: {
        tone: 'waiting',
        word: { id: 'BERHENTI MENERIMA?', en: 'NO MORE OF THEM?' },
        meaning: {
          id: 'Tekan tombol bila tidak ingin lagi menerima pengingat keranjang dan permintaan ulasan. Surat tentang pesanan, pembayaran dan izin tetap dikirim.',
          en: 'Press the button if you want no more reminders of carts and requests for a review. Letters about orders, payments and licences still come.',
        },
      },
      form: {
        action: STOP_ADVERTISING_PAGE,
        hidden: { token },
        fields: [],
        button: { id: 'Berhenti menerima', en: 'Stop them' },
      },
    },
    locale,
  );

export const stoppedPage = (locale: Locale): string =>
  publicPage(
    {
      heading,
      banner: {
        tone: 'good',
        word: { id: 'TIDAK DIKIRIM LAGI', en: 'STOPPED' },
        meaning: {
          id: 'Surat semacam itu tidak dikirim lagi. Anda dapat mengizinkannya kembali di profil Anda.',
          en: 'Such letters are not sent any more. You can allow them again in your profile.',
        },
      },
    },
    locale,
  );

export const noSuchStopPage = (locale: Locale): string =>
  publicPage(
    {
      heading,
      banner: {
        tone: 'bad',
        word: { id: 'TAUTAN TIDAK BERLAKU', en: 'LINK NOT VALID' },
        meaning: {
          id: 'Salin tautan lengkap dari surat, atau masuk dan ubah di profil Anda.',
          en: 'Copy the whole link from the letter, or log in and change it in your profile.',
        },
      },
    },
    locale,
  );
