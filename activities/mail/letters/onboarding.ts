/** Letters about the onboarding of a company. */
import type { OnboardingLetter } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';

type Words = Record<OnboardingLetter, Letter>;

const COMPANY = [
  ['Business', '{{companyName}}'],
  ['Number', '{{companyId}}'],
] as const;
const USAHA = [
  ['Usaha', '{{companyName}}'],
  ['Nomor', '{{companyId}}'],
] as const;

export const ONBOARDING_LETTERS_ENGLISH: Words = {
  onboarding_reminder: {
    subject: 'The registration of {{companyName}} is not finished yet',
    happened: 'You began to register {{companyName}} and have not finished. What you entered is kept.',
    facts: COMPANY,
    next: [
      'Please log in and go on where you left; it works from any device. After 30 days without a step the registration expires.',
      'If you do not need it any more, cancel it: then we write no further reminders.',
    ],
  },
  onboarding_asked_again: {
    subject: 'Please look once more at the registration of {{companyName}}',
    happened: 'Something in the registration of {{companyName}} has to be entered again.',
    facts: [...COMPANY, ['Reason', '{{#if note}}{{note}}{{else}}A document could not be accepted.{{/if}}']],
    next: ['Please log in; the steps that are asked again are marked. What was accepted stays.'],
  },
  onboarding_completed: {
    subject: 'Welcome: {{companyName}} is registered',
    happened: 'The registration of {{companyName}} is complete. You can apply for its licences now.',
    facts: [...COMPANY, ['Licences to begin with', '{{#if suggested}}{{suggested}}{{else}}none by your KBLI{{/if}}']],
    next: [
      'Next: log in and begin an application. {{#if suggested}}The licences above fit the business classification (KBLI) that you gave; there may be others.{{else}}By the business classification (KBLI) that you gave we cannot name one; please choose from all licences of the office.{{/if}}',
    ],
  },
  onboarding_expired: {
    subject: 'The registration of {{companyName}} has expired',
    happened: 'Nothing was entered for 30 days, so the registration of {{companyName}} has expired.',
    facts: [...COMPANY, ['Erased on', '{{#if eraseAt}}{{day eraseAt}}{{else}}–{{/if}}']],
    next: ['You can reopen it until that day and go on where you left. After it, what you entered is erased.'],
  },
};

export const ONBOARDING_LETTERS_INDONESIAN: Words = {
  onboarding_reminder: {
    subject: 'Pendaftaran {{companyName}} belum selesai',
    happened: 'Anda mulai mendaftarkan {{companyName}} dan belum menyelesaikannya. Isian Anda tetap tersimpan.',
    facts: USAHA,
    next: [
      'Silakan masuk dan lanjutkan dari langkah terakhir; dapat dari perangkat mana pun. Setelah 30 hari tanpa langkah baru, pendaftaran berakhir.',
      'Bila tidak memerlukannya lagi, batalkan saja: kami tidak akan mengirim pengingat lagi.',
    ],
  },
  onboarding_asked_again: {
    subject: 'Mohon lihat kembali pendaftaran {{companyName}}',
    happened: 'Ada bagian pendaftaran {{companyName}} yang perlu diisi kembali.',
    facts: [...USAHA, ['Alasan', '{{#if note}}{{note}}{{else}}Ada dokumen yang tidak dapat diterima.{{/if}}']],
    next: ['Silakan masuk; langkah yang diminta kembali sudah ditandai. Yang sudah diterima tetap berlaku.'],
  },
  onboarding_completed: {
    subject: 'Selamat datang: {{companyName}} sudah terdaftar',
    happened: 'Pendaftaran {{companyName}} sudah lengkap. Anda kini dapat mengajukan perizinannya.',
    facts: [
      ...USAHA,
      ['Perizinan untuk memulai', '{{#if suggested}}{{suggested}}{{else}}tidak ada menurut KBLI Anda{{/if}}'],
    ],
    next: [
      'Selanjutnya: masuk dan ajukan permohonan. {{#if suggested}}Perizinan di atas sesuai dengan klasifikasi usaha (KBLI) yang Anda beri; mungkin ada yang lain.{{else}}Dari klasifikasi usaha (KBLI) yang Anda beri kami belum dapat menyebutkannya; silakan pilih dari semua perizinan di kantor ini.{{/if}}',
    ],
  },
  onboarding_expired: {
    subject: 'Pendaftaran {{companyName}} telah berakhir',
    happened: 'Tidak ada isian baru selama 30 hari, sehingga pendaftaran {{companyName}} berakhir.',
    facts: [...USAHA, ['Dihapus pada', '{{#if eraseAt}}{{day eraseAt}}{{else}}–{{/if}}']],
    next: [
      'Anda dapat membukanya kembali sampai hari itu dan melanjutkan dari langkah terakhir. Setelahnya, isian Anda dihapus.',
    ],
  },
};
