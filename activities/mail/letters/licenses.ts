/** Letters about a licence after it was granted: by law, or when its standing changes. */
import type { LicenseLetter } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';

type Words = Record<LicenseLetter | 'license_issued_by_law', Letter>;

const ABOUT = [
  ['Number', '{{licenseNumber}}'],
  ['Business', '{{companyName}}'],
  ['Reason', '{{#if note}}{{note}}{{else}}–{{/if}}'],
] as const;
const TENTANG = [
  ['Nomor', '{{licenseNumber}}'],
  ['Usaha', '{{companyName}}'],
  ['Alasan', '{{#if note}}{{note}}{{else}}–{{/if}}'],
] as const;

export const LICENSE_LETTERS_ENGLISH: Words = {
  license_issued_by_law: {
    subject: 'Your licence is granted by law: {{licenseNumber}}',
    happened:
      'Our legal time for the application of {{companyName}} was used up without a decision, so {{licenseName}} counts as granted by law (article 53 of Law 30/2014, deemed approval). The certificate is attached.',
    facts: [
      ['Number', '{{licenseNumber}}'],
      ['Valid from', '{{day validFrom}}'],
      ['Valid until', '{{#if validUntil}}{{lastDay validUntil}}{{else}}lifetime{{/if}}'],
    ],
    next: [
      'It counts like any other licence, and its certificate says how it was granted. The office looks through your application afterwards; keep your documents at hand.',
      'Anybody can check that it is genuine with the QR code on it or this link. What the law asks to be shown of such an approval stands with your application, under "evidence".',
    ],
    button: { label: 'Check authenticity', url: 'verifyUrl' },
  },
  license_suspended_by_office: {
    subject: 'Your licence is suspended: {{licenseNumber}}',
    happened:
      'The office has suspended the licence {{licenseName}} of {{companyName}} since {{instant at}}{{#if audited}}, because a check after its approval found it wanting{{/if}}.',
    facts: ABOUT,
    next: [
      'While it is suspended the licence does not count; whoever scans its QR code sees so.',
      'Please put right what the reason names and tell the office, which then reinstates it. You may object to this decision as the law provides.',
    ],
  },
  license_reinstated_by_office: {
    subject: 'Your licence is in force again: {{licenseNumber}}',
    happened: 'The licence {{licenseName}} of {{companyName}} has been in force again since {{instant at}}.',
    facts: ABOUT,
    next: ['There is nothing to do. The certificate that you have is still the right one.'],
  },
  license_revoked: {
    subject: 'Your licence is revoked: {{licenseNumber}}',
    happened: 'The office revoked the licence {{licenseName}} of {{companyName}} on {{instant at}}.',
    facts: ABOUT,
    next: [
      'The licence does not count any more; whoever scans its QR code sees so. Please stop what needs it.',
      'You may object to this decision as the law provides, or apply anew once the reason no longer stands.',
    ],
  },
  license_expired: {
    subject: 'Your licence has expired: {{licenseNumber}}',
    happened: 'The validity of the licence {{licenseName}} of {{companyName}} ended on {{instant at}}.',
    facts: [
      ['Number', '{{licenseNumber}}'],
      ['Business', '{{companyName}}'],
    ],
    next: ['If you still need it, please apply again. Whoever scans its QR code sees that it has expired.'],
  },
  license_superseded: {
    subject: 'Your licence is superseded: {{licenseNumber}}',
    happened:
      'Licence {{successorNumber}} has taken the place of {{licenseNumber}}, {{licenseName}} of {{companyName}}, since {{instant at}}.',
    facts: ABOUT,
    next: ['Please use the certificate of the newer licence from now on; the earlier one does not count any more.'],
  },
  license_suspension_proposed: {
    subject: 'Audit failed, please decide: {{licenseNumber}}',
    happened:
      'The audit after the approval of {{licenseName}} for {{companyName}} failed on {{instant at}}. It proposes to suspend the licence.',
    facts: [
      ['Number', '{{licenseNumber}}'],
      ['Business', '{{companyName}}'],
    ],
    next: [
      'Please decide within 7 days: suspend it, or dismiss the proposal with a note. Whoever made the audit does not decide on it. The findings are in the list of post-audits, where the proposal stays until it is decided.',
    ],
  },
};

export const LICENSE_LETTERS_INDONESIAN: Words = {
  license_issued_by_law: {
    subject: 'Perizinan Anda dikabulkan menurut hukum: {{licenseNumber}}',
    happened:
      'Jangka waktu kami untuk permohonan {{companyName}} habis tanpa keputusan, sehingga {{licenseName}} dianggap dikabulkan menurut hukum (Pasal 53 UU 30/2014, fiktif positif). Sertifikatnya terlampir.',
    facts: [
      ['Nomor', '{{licenseNumber}}'],
      ['Berlaku sejak', '{{day validFrom}}'],
      ['Berlaku sampai', '{{#if validUntil}}{{lastDay validUntil}}{{else}}seumur hidup{{/if}}'],
    ],
    next: [
      'Perizinan ini berlaku seperti perizinan lainnya, dan sertifikatnya menyebutkan cara pemberiannya. Kantor memeriksa permohonan Anda setelahnya; simpan dokumen Anda.',
      'Siapa pun dapat memeriksa keasliannya dengan kode QR atau tautan ini. Bukti yang diminta undang-undang tersimpan pada permohonan Anda, di bagian "evidence".',
    ],
    button: { label: 'Periksa keaslian', url: 'verifyUrl' },
  },
  license_suspended_by_office: {
    subject: 'Perizinan Anda dibekukan: {{licenseNumber}}',
    happened:
      'Kantor membekukan {{licenseName}} untuk {{companyName}} sejak {{instant at}}{{#if audited}}, karena pemeriksaan setelah persetujuan menemukan kekurangan{{/if}}.',
    facts: TENTANG,
    next: [
      'Selama dibekukan perizinan ini tidak berlaku; siapa pun yang memindai kode QR-nya melihat hal itu.',
      'Mohon perbaiki hal yang disebut dalam alasan lalu beri tahu kantor, yang akan memulihkannya. Anda dapat mengajukan keberatan sesuai peraturan perundang-undangan.',
    ],
  },
  license_reinstated_by_office: {
    subject: 'Perizinan Anda berlaku kembali: {{licenseNumber}}',
    happened: '{{licenseName}} untuk {{companyName}} berlaku kembali sejak {{instant at}}.',
    facts: TENTANG,
    next: ['Tidak ada yang perlu Anda lakukan. Sertifikat yang Anda miliki tetap berlaku.'],
  },
  license_revoked: {
    subject: 'Perizinan Anda dicabut: {{licenseNumber}}',
    happened: 'Kantor mencabut {{licenseName}} untuk {{companyName}} pada {{instant at}}.',
    facts: TENTANG,
    next: [
      'Perizinan ini tidak berlaku lagi; siapa pun yang memindai kode QR-nya melihat hal itu. Mohon hentikan kegiatan yang memerlukannya.',
      'Anda dapat mengajukan keberatan sesuai peraturan perundang-undangan, atau mengajukan permohonan baru setelah alasannya tidak ada lagi.',
    ],
  },
  license_expired: {
    subject: 'Perizinan Anda telah kedaluwarsa: {{licenseNumber}}',
    happened: 'Masa berlaku {{licenseName}} untuk {{companyName}} berakhir pada {{instant at}}.',
    facts: [
      ['Nomor', '{{licenseNumber}}'],
      ['Usaha', '{{companyName}}'],
    ],
    next: [
      'Bila masih memerlukannya, silakan ajukan permohonan lagi. Siapa pun yang memindai kode QR-nya melihat bahwa perizinan ini telah kedaluwarsa.',
    ],
  },
  license_superseded: {
    subject: 'Perizinan Anda digantikan: {{licenseNumber}}',
    happened:
      'Izin {{successorNumber}} menggantikan {{licenseNumber}}, {{licenseName}} milik {{companyName}}, sejak {{instant at}}.',
    facts: TENTANG,
    next: ['Mulai sekarang gunakan sertifikat izin yang lebih baru; yang lama tidak berlaku lagi.'],
  },
  license_suspension_proposed: {
    subject: 'Audit gagal, mohon diputuskan: {{licenseNumber}}',
    happened:
      'Audit setelah persetujuan {{licenseName}} untuk {{companyName}} gagal pada {{instant at}}. Audit mengusulkan pembekuan izin.',
    facts: [
      ['Nomor', '{{licenseNumber}}'],
      ['Usaha', '{{companyName}}'],
    ],
    next: [
      'Mohon putuskan dalam 7 hari: bekukan izin, atau tolak usulan dengan catatan. Pembuat audit tidak memutusnya. Temuannya ada di daftar audit, tempat usulan tetap tercatat sampai diputuskan.',
    ],
  },
};
