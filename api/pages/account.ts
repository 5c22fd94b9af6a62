/** Where the links in letters about accounts lead: a page that asks, and one that says what has become of it. */
import { LINK_PAGES, type LinkPurpose } from '../../domain/mail.ts';
import type { PasswordPolicy } from '../../domain/passwords.ts';
import type { Locale } from '../request.ts';
import { type Banner, type FormField, type PublicPage, publicPage, type Words } from './layout.ts';

interface Page {
  readonly heading: Words;
  readonly ask: Omit<Banner, 'tone'>;
  readonly button: Words;
  readonly done: Omit<Banner, 'tone'>;
}

const PAGES: Readonly<Record<LinkPurpose, Page>> = {
  verify_email: {
    heading: { id: 'Alamat surel', en: 'E-mail address' },
    ask: {
      word: { id: 'KONFIRMASI ALAMAT', en: 'CONFIRM THE ADDRESS' },
      meaning: {
        id: 'Tekan tombol untuk mengonfirmasi bahwa alamat surel ini milik Anda.',
        en: 'Press the button to confirm that this e-mail address is yours.',
      },
    },
    button: { id: 'Konfirmasi', en: 'Confirm' },
    done: {
      word: { id: 'TERKONFIRMASI', en: 'CONFIRMED' },
      meaning: {
        id: 'Alamat surel Anda telah dikonfirmasi. Silakan lanjutkan di aplikasi.',
        en: 'Your e-mail address is confirmed. Please go on in the application.',
      },
    },
  },
  reset_password: {
    heading: { id: 'Kata sandi', en: 'Password' },
    ask: {
      word: { id: 'KATA SANDI BARU', en: 'NEW PASSWORD' },
      meaning: {
        id: 'Pilih kata sandi baru. Semua perangkat harus masuk kembali.',
        en: 'Choose a new password. All devices will have to sign in again.',
      },
    },
    button: { id: 'Simpan kata sandi', en: 'Save the password' },
    done: {
      word: { id: 'KATA SANDI DIGANTI', en: 'PASSWORD CHANGED' },
      meaning: {
        id: 'Kata sandi baru Anda berlaku. Silakan masuk dengan kata sandi itu.',
        en: 'Your new password is in force. Please sign in with it.',
      },
    },
  },
  unlock_account: {
    heading: { id: 'Akun terkunci', en: 'Locked account' },
    ask: {
      word: { id: 'BUKA KUNCI AKUN', en: 'UNLOCK THE ACCOUNT' },
      meaning: {
        id: 'Tekan tombol untuk membuka kunci akun Anda.',
        en: 'Press the button to unlock your account.',
      },
    },
    button: { id: 'Buka kunci', en: 'Unlock' },
    done: {
      word: { id: 'KUNCI TERBUKA', en: 'UNLOCKED' },
      meaning: {
        id: 'Anda dapat masuk kembali. Bila lupa kata sandi, minta yang baru.',
        en: 'You can sign in again. If you have forgotten the password, ask for a new one.',
      },
    },
  },
  join_staff: {
    heading: { id: 'Akun baru', en: 'New account' },
    ask: {
      word: { id: 'SIAPKAN AKUN ANDA', en: 'SET UP YOUR ACCOUNT' },
      meaning: {
        id: 'Periksa nama Anda dan pilih kata sandi.',
        en: 'Check your name and choose a password.',
      },
    },
    button: { id: 'Siapkan akun', en: 'Set up the account' },
    done: {
      word: { id: 'AKUN SIAP', en: 'ACCOUNT READY' },
      meaning: { id: 'Silakan masuk dengan kata sandi Anda.', en: 'Please sign in with your password.' },
    },
  },
  join_company: {
    heading: { id: 'Undangan', en: 'Invitation' },
    ask: {
      word: { id: 'TERIMA UNDANGAN?', en: 'ACCEPT THE INVITATION?' },
      meaning: {
        id: 'Tekan tombol untuk mewakili usaha ini dengan akun Anda.',
        en: 'Press the button to act for this business with your account.',
      },
    },
    button: { id: 'Terima undangan', en: 'Accept the invitation' },
    done: {
      word: { id: 'UNDANGAN DITERIMA', en: 'INVITATION ACCEPTED' },
      meaning: {
        id: 'Anda sekarang dapat bertindak untuk usaha ini. Masuk ke akun Anda untuk melanjutkan.',
        en: 'You can now act for this business. Sign in to your account to go on.',
      },
    },
  },
};

const NOT_VALID: Banner = {
  tone: 'bad',
  word: { id: 'TAUTAN TIDAK BERLAKU', en: 'LINK NOT VALID' },
  meaning: {
    id: 'Tautan ini salah, sudah dipakai, digantikan yang lebih baru, atau sudah lewat waktunya. Minta yang baru.',
    en: 'The link is wrong, was used before, has been replaced by a newer one, or is too old. Ask for a new one.',
  },
};

const LABELS = {
  account: { id: 'Akun', en: 'Account' },
  company: { id: 'Usaha', en: 'Business' },
  inviter: { id: 'Diundang oleh', en: 'Invited by' },
  name: { id: 'Nama', en: 'Name' },
  password: { id: 'Kata sandi baru', en: 'New password' },
} as const;

/** What the page shows of what its link is about. */
export interface Asked {
  readonly token: string;
  readonly passwords: PasswordPolicy;
  readonly email?: string | undefined;
  /** In the field, to be mended. */
  readonly name?: string | undefined;
  readonly companyName?: string | undefined;
  readonly inviterName?: string | undefined;
}

/** What went wrong with the last try. */
export type Trouble = Pick<PublicPage, 'alert' | 'problems'>;

/** The page with the button; opening it changes nothing, for mail servers open links too. */
export function askPage(purpose: LinkPurpose, asked: Asked, locale: Locale, trouble: Trouble = {}): string {
  const { heading, ask, button } = PAGES[purpose];
  const facts = [
    [LABELS.account, asked.email],
    [LABELS.company, asked.companyName],
    [LABELS.inviter, asked.inviterName],
  ] as const;
  return publicPage(
    {
      ...trouble,
      heading,
      banner: { tone: 'waiting', ...ask },
      facts: facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const])),
      form: {
        action: LINK_PAGES[purpose],
        hidden: { token: asked.token },
        fields: fieldsOf(purpose, asked),
        button,
      },
    },
    locale,
  );
}

export const donePage = (purpose: LinkPurpose, locale: Locale): string =>
  publicPage({ heading: PAGES[purpose].heading, banner: { tone: 'good', ...PAGES[purpose].done } }, locale);

export const notValidPage = (purpose: LinkPurpose, locale: Locale): string =>
  publicPage({ heading: PAGES[purpose].heading, banner: NOT_VALID }, locale);

function fieldsOf(purpose: LinkPurpose, asked: Asked): FormField[] {
  switch (purpose) {
    case 'verify_email':
    case 'unlock_account':
    case 'join_company':
      return [];
    case 'reset_password':
      return [passwordField(asked.passwords)];
    case 'join_staff':
      return [nameField(asked.name), passwordField(asked.passwords)];
  }
}

const nameField = (value: string | undefined): FormField => ({
  name: 'name',
  label: LABELS.name,
  type: 'text',
  autocomplete: 'name',
  maxLength: 200,
  value,
});

const passwordField = ({ minLength, passphraseLength }: PasswordPolicy): FormField => ({
  name: 'password',
  label: LABELS.password,
  type: 'password',
  autocomplete: 'new-password',
  maxLength: 256,
  hint: {
    id: `Sedikitnya ${minLength} karakter dengan huruf besar, huruf kecil, angka dan simbol, atau ${passphraseLength} karakter tanpa syarat lain.`,
    en: `At least ${minLength} characters with upper and lower case, a digit and a symbol, or ${passphraseLength} without further rules.`,
  },
});
