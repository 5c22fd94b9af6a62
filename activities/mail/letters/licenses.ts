/** Letters about a licence after it was granted: by law, or when its standing changes. */
import type { LicenseLetter } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';

type Words = Record<
  LicenseLetter | 'license_issued_by_law' | 'license_renewed' | 'license_renewal_open' | 'license_renewal_reminder',
  Letter
>;

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

/** Without a note nobody has decided it: its next term has taken its place. */
const FOLLOWED = [...ABOUT.slice(0, 2), ['Reason', '{{#if note}}{{note}}{{else}}Renewal{{/if}}']] as const;
const DILANJUTKAN = [...TENTANG.slice(0, 2), ['Alasan', '{{#if note}}{{note}}{{else}}Perpanjangan{{/if}}']] as const;

const DUE = [
  ['Number', '{{licenseNumber}}'],
  ['Business', '{{companyName}}'],
  ['Valid until', '{{lastDay validUntil}}'],
] as const;
const JATUH_TEMPO = [
  ['Nomor', '{{licenseNumber}}'],
  ['Usaha', '{{companyName}}'],
  ['Berlaku sampai dengan', '{{lastDay validUntil}}'],
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
  license_renewed: {
    subject: 'Your licence is renewed: {{licenseNumber}}',
    happened:
      '{{licenseName}} of {{companyName}} is renewed: licence {{licenseNumber}} follows {{renewedNumber}}. The new certificate is attached.',
    facts: [
      ['Number', '{{licenseNumber}}'],
      ['Renewal of', '{{renewedNumber}}'],
      ['Valid from', '{{day validFrom}}'],
      ['Valid until', '{{#if validUntil}}{{lastDay validUntil}}{{else}}lifetime{{/if}}'],
    ],
    next: [
      'Until it begins the earlier licence counts, with its own certificate. From that day on show the new one.',
      'Anybody can check that it is genuine with the QR code on it or this link.',
    ],
    button: { label: 'Check authenticity', url: 'verifyUrl' },
  },
  license_renewal_open: {
    subject: 'You can renew your licence now: {{licenseNumber}}',
    happened:
      'The licence {{licenseName}} of {{companyName}} ends on {{instant validUntil}}, in {{days}} days. It can be renewed from now on.',
    facts: DUE,
    next: [
      'If nothing has changed, ask for the renewal and pay: nobody reviews it again. What has changed we look at first, so please come early.',
      'The next term begins when this one ends, whenever you renew; no day is lost.{{#if lateDays}} After its end it can be renewed for {{lateDays}} days more, for {{lateFeePercent}} % on top, and does not count in the meantime.{{/if}}',
    ],
  },
  license_renewal_reminder: {
    subject: 'Your licence ends in {{days}} days: {{licenseNumber}}',
    happened: 'The licence {{licenseName}} of {{companyName}} ends on {{instant validUntil}}, and is not renewed yet.',
    facts: DUE,
    next: [
      '{{#if isUnderWay}}Your renewal is under way: please look at what it waits for, above all at its invoice.{{else}}If you still need it, please ask for the renewal and pay. If nothing has changed nobody reviews it again.{{/if}}',
      'The next term begins when this one ends.{{#if lateDays}} After its end it can be renewed for {{lateDays}} days more, for {{lateFeePercent}} % on top, and does not count in the meantime.{{/if}}',
    ],
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
    next: [
      'If you still need it, please renew it as soon as you can: for a while that is possible with a fee on top, afterwards only by applying anew. Whoever scans its QR code sees that it has expired.',
    ],
  },
  license_superseded: {
    subject: 'Your licence is superseded: {{licenseNumber}}',
    happened:
      'Licence {{successorNumber}} has taken the place of {{licenseNumber}}, {{licenseName}} of {{companyName}}, since {{instant at}}.',
    facts: FOLLOWED,
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
  license_renewed: {
    subject: 'Perizinan Anda telah diperpanjang: {{licenseNumber}}',
    happened:
      '{{licenseName}} untuk {{companyName}} telah diperpanjang: izin {{licenseNumber}} melanjutkan {{renewedNumber}}. Sertifikat barunya terlampir.',
    facts: [
      ['Nomor', '{{licenseNumber}}'],
      ['Perpanjangan dari', '{{renewedNumber}}'],
      ['Berlaku sejak', '{{day validFrom}}'],
      ['Berlaku sampai dengan', '{{#if validUntil}}{{lastDay validUntil}}{{else}}seumur hidup{{/if}}'],
    ],
    next: [
      'Sebelum tanggal mulai itu, izin yang lama masih berlaku dengan sertifikatnya sendiri. Sejak tanggal itu tunjukkan sertifikat yang baru.',
      'Siapa pun dapat memeriksa keasliannya melalui kode QR pada sertifikat atau tautan berikut.',
    ],
    button: { label: 'Periksa keaslian', url: 'verifyUrl' },
  },
  license_renewal_open: {
    subject: 'Perizinan Anda sudah dapat diperpanjang: {{licenseNumber}}',
    happened:
      '{{licenseName}} untuk {{companyName}} berakhir pada {{instant validUntil}}, {{days}} hari lagi. Mulai sekarang izin ini dapat diperpanjang.',
    facts: JATUH_TEMPO,
    next: [
      'Bila tidak ada yang berubah, ajukan perpanjangan lalu bayar: tidak ada peninjauan ulang. Perubahan kami tinjau dahulu, jadi ajukan lebih awal.',
      'Masa berlaku berikutnya dimulai saat yang ini berakhir, kapan pun Anda memperpanjang; tidak ada hari yang hilang.{{#if lateDays}} Setelah berakhir, izin masih dapat diperpanjang selama {{lateDays}} hari dengan tambahan {{lateFeePercent}} %, tetapi selama itu tidak berlaku.{{/if}}',
    ],
  },
  license_renewal_reminder: {
    subject: 'Perizinan Anda berakhir {{days}} hari lagi: {{licenseNumber}}',
    happened: '{{licenseName}} untuk {{companyName}} berakhir pada {{instant validUntil}} dan belum diperpanjang.',
    facts: JATUH_TEMPO,
    next: [
      '{{#if isUnderWay}}Perpanjangan Anda sedang berjalan: mohon periksa apa yang ditunggu, terutama tagihannya.{{else}}Bila masih memerlukannya, mohon ajukan perpanjangan lalu bayar. Bila tidak ada yang berubah, tidak ada peninjauan ulang.{{/if}}',
      'Masa berlaku berikutnya dimulai saat yang ini berakhir.{{#if lateDays}} Setelah berakhir, izin masih dapat diperpanjang selama {{lateDays}} hari dengan tambahan {{lateFeePercent}} %, tetapi selama itu tidak berlaku.{{/if}}',
    ],
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
      'Bila masih memerlukannya, mohon segera perpanjang: untuk sementara masih dapat dengan biaya tambahan, setelah itu hanya dengan permohonan baru. Siapa pun yang memindai kode QR-nya melihat bahwa perizinan ini telah kedaluwarsa.',
    ],
  },
  license_superseded: {
    subject: 'Perizinan Anda digantikan: {{licenseNumber}}',
    happened:
      'Izin {{successorNumber}} menggantikan {{licenseNumber}}, {{licenseName}} milik {{companyName}}, sejak {{instant at}}.',
    facts: DILANJUTKAN,
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
