import type { MailTemplateCode } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';
import { LICENSE_LETTERS_INDONESIAN } from './licenses.ts';
import { ONBOARDING_LETTERS_INDONESIAN } from './onboarding.ts';
import { ORDER_LETTERS_INDONESIAN } from './orders.ts';
import { REFUND_LETTERS_INDONESIAN } from './refunds.ts';
import { RETURN_LETTERS_INDONESIAN } from './returns.ts';
import { STOCK_LETTERS_INDONESIAN } from './stock.ts';
import { SUBSCRIPTION_LETTERS_INDONESIAN } from './subscriptions.ts';

const APPLICATION = ['Nomor permohonan', '{{applicationId}}'] as const;
const COMPANY = ['Usaha', '{{companyName}}'] as const;
const LICENSE = ['Perizinan', '{{licenseName}}'] as const;
const CASE = [COMPANY, LICENSE, APPLICATION] as const;
const TASK = [...CASE, ['Tahap', '{{stage stage}}'], ['Tenggat', '{{instant dueAt}}']] as const;
const BILL = [
  ['Nomor tagihan', '{{invoiceNumber}}'],
  ['Jumlah', '{{money total}}'],
  ['Jatuh tempo', '{{instant dueAt}}'],
] as const;

export const INDONESIAN: Record<MailTemplateCode, Letter> = {
  welcome: {
    subject: 'Selamat datang di layanan perizinan {{officeName}}',
    happened: 'Akun Anda telah terdaftar dengan alamat surel {{email}}.',
    next: [
      'Langkah berikutnya: masuk ke akun Anda, lengkapi data usaha, lalu ajukan permohonan perizinan. Anda dapat berhenti kapan saja dan melanjutkannya kembali.',
      'Jika Anda tidak merasa mendaftar, abaikan surel ini atau beri tahu kami.',
    ],
  },
  application_submitted: {
    subject: 'Permohonan {{licenseName}} telah kami terima',
    happened: 'Permohonan {{licenseName}} untuk {{companyName}} telah kami terima pada {{instant submittedAt}}.',
    facts: [APPLICATION, ['Keputusan paling lambat', '{{instant dueAt}}']],
    next: [
      'Saat ini Anda tidak perlu melakukan apa pun. Kami akan menghubungi Anda bila ada yang perlu diperbaiki atau keputusan telah diambil.',
    ],
  },
  task_assigned: {
    subject: 'Tugas baru: {{stage stage}} {{companyName}}',
    happened: 'Permohonan {{licenseName}} dari {{companyName}} ditugaskan kepada Anda.',
    facts: TASK,
    next: [
      'Mohon periksa dan putuskan permohonan ini sebelum tenggat. Jika Anda memiliki benturan kepentingan, segera laporkan kepada penyelia.',
    ],
  },
  task_reminder: {
    subject: 'Pengingat: {{companyName}} menunggu keputusan Anda',
    happened: 'Setengah dari waktu kerja untuk permohonan {{licenseName}} dari {{companyName}} telah berlalu.',
    facts: TASK,
    next: ['Mohon putuskan permohonan ini paling lambat {{instant dueAt}}.'],
  },
  task_at_risk: {
    subject: 'Hampir lewat tenggat: {{companyName}}, {{stage stage}}',
    happened:
      'Sudah 80 % dari waktu kerja untuk permohonan {{licenseName}} dari {{companyName}} terpakai, dan keputusan belum ada.',
    facts: [...TASK, ['Petugas', '{{assigneeName}}']],
    next: [
      'Petugas: mohon putuskan paling lambat {{instant dueAt}}. Penyelia: alihkan tugas ini bila petugas berhalangan; setelah tenggat, tugas beralih kepada penyelia.',
    ],
  },
  task_breached: {
    subject: 'Tenggat terlewati: tugas {{companyName}} beralih kepada Anda',
    happened:
      'Tenggat permohonan {{licenseName}} dari {{companyName}} telah lewat, sehingga tugas {{formerAssigneeName}} beralih kepada Anda.',
    facts: TASK,
    next: [
      'Mohon putuskan permohonan ini hari ini, atau tugaskan kepada petugas lain. Keterlambatan ini telah dicatat.',
    ],
  },
  task_overdue: {
    subject:
      '{{#if lastDay}}Hari terakhir waktu layanan{{else}}Terlambat satu hari kerja{{/if}}: {{companyName}}, {{stage stage}}',
    happened:
      '{{#if lastDay}}Waktu layanan untuk permohonan {{licenseName}} dari {{companyName}} berakhir hari ini, dan keputusan belum ada.{{else}}Permohonan {{licenseName}} dari {{companyName}} sudah terlambat satu hari kerja, dan keputusan belum ada.{{/if}}',
    facts: [...TASK, ['Petugas', '{{assigneeName}}']],
    next: [
      'Mohon putuskan hari ini, atau alihkan kepada petugas yang dapat memutuskannya. Pemberitahuan ini telah dicatat.',
    ],
  },
  task_unassigned: {
    subject: 'Tidak ada petugas: {{companyName}}, {{stage stage}}',
    happened:
      'Permohonan {{licenseName}} dari {{companyName}} sampai pada tahap yang saat ini tidak memiliki petugas yang tersedia.',
    facts: TASK,
    next: [
      'Mohon ambil tugas ini atau tugaskan kepada petugas lain: tugas berada dalam antrean penyelia, dan waktunya berjalan.',
    ],
  },
  correction_reminder: {
    subject: 'Pengingat: mohon perbaiki permohonan {{licenseName}}',
    happened: 'Kami masih menunggu perbaikan permohonan {{licenseName}} untuk {{companyName}}.',
    facts: [APPLICATION, ['Perbaiki paling lambat', '{{instant respondBy}}']],
    next: [
      'Perbaiki hal-hal yang kami minta, lalu kirim ulang permohonan Anda paling lambat {{instant respondBy}}. Tanpa jawaban, permohonan menjadi gugur.',
    ],
  },
  rejection_announced: {
    subject: 'Rencana penolakan permohonan {{licenseName}}',
    happened:
      'Kami telah memeriksa permohonan {{licenseName}} untuk {{companyName}} dan berencana menolaknya. Sebelum keputusan diambil, Anda dapat menyampaikan tanggapan.',
    facts: [APPLICATION, ['Tanggapan paling lambat', '{{instant respondBy}}']],
    reasonsTitle: 'Alasan rencana penolakan:',
    next: [
      'Sampaikan tanggapan paling lambat {{instant respondBy}} bila Anda berpendapat lain. Selama itu waktu pemeriksaan berhenti; tanpa tanggapan, kami memutuskan berdasarkan data yang ada.',
    ],
  },
  application_reopened: {
    subject: 'Permohonan {{licenseName}} dibuka kembali',
    happened: 'Permohonan {{licenseName}} untuk {{companyName}} yang telah gugur dibuka kembali atas permintaan Anda.',
    facts: [APPLICATION, ['Perbaiki paling lambat', '{{instant respondBy}}']],
    next: [
      'Perbaiki hal-hal yang telah kami minta, lalu kirim ulang permohonan Anda paling lambat {{instant respondBy}}.',
    ],
  },
  application_cancelled: {
    subject: 'Permohonan {{licenseName}} dibatalkan',
    happened: 'Kantor membatalkan permohonan {{licenseName}} untuk {{companyName}} pada {{instant cancelledAt}}.',
    facts: [APPLICATION],
    next: ['Jika Anda tidak mengetahui alasannya, silakan hubungi kami.'],
  },
  correction_requested: {
    subject: 'Mohon perbaiki permohonan {{licenseName}}',
    happened:
      'Permohonan {{licenseName}} untuk {{companyName}} perlu diperbaiki sebelum dapat kami lanjutkan (putaran ke-{{round}}).',
    facts: [APPLICATION, ['Perbaiki paling lambat', '{{instant respondBy}}']],
    reasonsTitle: 'Yang perlu diperbaiki:',
    next: [
      'Perbaiki hal-hal tersebut, lalu kirim ulang permohonan Anda paling lambat {{instant respondBy}}. Selama kami menunggu Anda, waktu pemeriksaan berhenti; tanpa jawaban, permohonan menjadi gugur.',
    ],
  },
  application_rejected: {
    subject: 'Keputusan atas permohonan {{licenseName}}',
    happened: 'Mohon maaf, permohonan {{licenseName}} untuk {{companyName}} ditolak pada {{instant decidedAt}}.',
    facts: [APPLICATION],
    reasonsTitle: 'Alasan penolakan:',
    next: [
      'Anda dapat mengajukan permohonan baru setelah alasan tersebut dipenuhi, atau menempuh upaya administratif atas keputusan ini sesuai peraturan perundang-undangan.',
    ],
  },
  document_quarantined: {
    subject: 'Sebuah dokumen permohonan {{licenseName}} tidak dapat diterima',
    happened:
      'Pemindai virus menemukan perangkat lunak berbahaya dalam berkas “{{documentName}}” yang diunggah {{companyName}} sebagai “{{documentKind}}”. Berkas itu tidak dibuka oleh siapa pun di kantor kami dan sudah dikeluarkan dari permohonan.',
    facts: [['Dokumen', '{{documentKind}}'], ['Berkas', '{{documentName}}'], APPLICATION],
    next: [
      'Mohon buat kembali dokumen itu di komputer yang bebas virus, atau pindai lagi lembar aslinya, lalu unggah. Jika permohonan sudah kami terima, kami akan memintanya kepada Anda.',
      'Sebaiknya periksa juga komputer asal berkas tersebut.',
    ],
  },
  application_withdrawn: {
    subject: 'Permohonan {{licenseName}} telah dicabut',
    happened: 'Permohonan {{licenseName}} untuk {{companyName}} telah dicabut pada {{instant withdrawnAt}}.',
    facts: [APPLICATION],
    next: [
      'Tidak ada yang perlu Anda lakukan lagi. Anda dapat mengajukan permohonan baru kapan saja. Jika pencabutan ini bukan dari Anda, segera hubungi kami.',
    ],
  },
  invoice_issued: {
    subject: 'Tagihan {{invoiceNumber}}: {{money total}}',
    happened:
      '{{#if replaces}}Tagihan ini menggantikan {{replaces}}, yang dibatalkan; jangan membayar tagihan lama itu. Tagihan yang baru{{else}}{{#if byLaw}}Jangka waktu kami untuk permohonan {{licenseName}} atas nama {{companyName}} habis tanpa keputusan, sehingga dianggap dikabulkan menurut hukum (Pasal 53 UU 30/2014, fiktif positif){{else}}Permohonan {{licenseName}} untuk {{companyName}} disetujui{{/if}}. Tagihannya{{/if}} terlampir dalam surel ini.',
    facts: BILL,
    next: [
      'Mohon bayar paling lambat {{instant dueAt}}. Setelah pembayaran kami terima, sertifikat langsung diterbitkan dan dikirim kepada Anda.',
    ],
    button: { label: 'Bayar sekarang', url: 'payUrl' },
  },
  payment_reminder: {
    subject: 'Pengingat pembayaran tagihan {{invoiceNumber}}',
    happened: 'Pembayaran tagihan {{invoiceNumber}} untuk {{licenseName}} belum kami terima.',
    facts: BILL,
    next: [
      'Mohon bayar paling lambat {{instant dueAt}}; setelah itu tagihan dan permohonan menjadi gugur. Jika Anda baru saja membayar, abaikan surel ini.',
    ],
    button: { label: 'Bayar sekarang', url: 'payUrl' },
  },
  application_lapsed_unpaid: {
    subject: 'Permohonan {{licenseName}} gugur karena tidak dibayar',
    happened:
      'Tagihan {{invoiceNumber}} sebesar {{money total}} tidak dibayar, sehingga permohonan {{licenseName}} untuk {{companyName}} gugur pada {{instant lapsedAt}}.',
    facts: [APPLICATION],
    next: [
      'Mohon jangan membayar tagihan itu lagi. Jika Anda masih memerlukan perizinan ini, ajukan permohonan baru. Jika Anda sudah membayar, hubungi kami dengan bukti pembayarannya.',
    ],
  },
  invoice_voided: {
    subject: 'Tagihan {{invoiceNumber}} dibatalkan',
    happened:
      'Kantor membatalkan tagihan {{invoiceNumber}} sebesar {{money total}} pada {{instant voidedAt}} dan tidak menggantinya, sehingga permohonan {{licenseName}} untuk {{companyName}} ditutup.',
    facts: [APPLICATION],
    next: [
      'Mohon jangan membayar tagihan itu. Jika Anda sudah membayar atau tidak tahu alasannya, hubungi kami; jika perizinan ini masih diperlukan, ajukan permohonan baru.',
    ],
  },
  payment_received: {
    subject: 'Pembayaran diterima: {{money paid}}, kuitansi {{receiptNumber}}',
    happened:
      'Kami telah menerima pembayaran Anda sebesar {{money paid}} untuk tagihan {{invoiceNumber}}. Kuitansinya terlampir.',
    facts: [LICENSE, ['Total tagihan', '{{money total}}'], ['Sisa tagihan', '{{money outstanding}}']],
    next: [
      'Simpan kuitansi ini sebagai bukti pembayaran. Bila masih ada sisa, bayarlah sebelum jatuh tempo; sertifikat diterbitkan setelah tagihan lunas.',
    ],
  },
  subscription_payment_received: {
    subject: 'Pembayaran diterima: {{money paid}}, kuitansi {{receiptNumber}}',
    happened:
      'Kami telah menerima pembayaran Anda sebesar {{money paid}} untuk tagihan {{invoiceNumber}}. Kuitansinya terlampir.',
    facts: [
      ['Langganan', '{{planName}}'],
      ['Total tagihan', '{{money total}}'],
      ['Sisa tagihan', '{{money outstanding}}'],
    ],
    next: ['Simpan kuitansi ini sebagai bukti pembayaran. Bila masih ada sisa, bayarlah sebelum jatuh tempo.'],
  },
  payment_late: {
    subject: 'Pembayaran terlambat: tagihan {{invoiceNumber}}',
    happened:
      'Uang masuk untuk tagihan {{invoiceNumber}} yang sudah gugur atau dibatalkan. Pembayaran ini telah dicatat dan belum mengaktifkan apa pun.',
    facts: [...CASE, ['Diterima', '{{money paid}}'], ['Pada', '{{instant paidAt}}'], ['Melalui', '{{gateway}}']],
    next: [
      'Mohon putuskan pada hari kerja ini juga: kembalikan uangnya atau hubungi pemohon. Perkaranya ada di daftar rekonsiliasi.',
    ],
  },
  license_issued: {
    subject: 'Perizinan Anda telah terbit: {{licenseNumber}}',
    happened: 'Selamat! {{licenseName}} untuk {{companyName}} telah terbit. Sertifikatnya terlampir dalam surel ini.',
    facts: [
      ['Nomor', '{{licenseNumber}}'],
      ['Berlaku sejak', '{{day validFrom}}'],
      ['Berlaku sampai dengan', '{{#if validUntil}}{{lastDay validUntil}}{{else}}seumur hidup{{/if}}'],
    ],
    next: [
      'Simpan sertifikat ini dan tunjukkan bila diminta. Siapa pun dapat memeriksa keasliannya melalui kode QR pada sertifikat atau tautan berikut.',
    ],
    button: { label: 'Periksa keaslian', url: 'verifyUrl' },
  },
  license_suspended: {
    subject: 'Perizinan Anda dibekukan: {{licenseNumber}}',
    happened:
      '{{licenseName}} untuk {{companyName}} dibekukan sejak {{instant at}}, karena {{#if refunded}}biayanya telah dikembalikan seluruhnya{{else}}pembayaran biayanya ditarik kembali oleh bank atau penyedia pembayaran{{/if}}.',
    facts: [['Nomor', '{{licenseNumber}}']],
    next: [
      'Selama dibekukan perizinan ini tidak berlaku; siapa pun yang memindai kode QR-nya akan melihat hal itu.',
      '{{#if refunded}}Bila Anda tidak meminta pengembalian dana, hubungi kami.{{else}}Mohon selesaikan dengan bank Anda, atau hubungi kami. Begitu pembayaran itu sah kembali, perizinan ini berlaku lagi dengan sendirinya.{{/if}}',
    ],
  },
  license_reinstated: {
    subject: 'Perizinan Anda berlaku kembali: {{licenseNumber}}',
    happened:
      '{{licenseName}} untuk {{companyName}} berlaku kembali sejak {{instant at}}: pembayaran biayanya telah sah kembali.',
    facts: [['Nomor', '{{licenseNumber}}']],
    next: ['Tidak ada yang perlu Anda lakukan. Sertifikat yang Anda simpan tetap sah.'],
  },
  verify_email: {
    subject: 'Mohon konfirmasi alamat surel Anda',
    happened: 'Sebuah akun telah didaftarkan di {{officeName}} dengan alamat surel {{email}}.',
    next: [
      'Mohon konfirmasi bahwa alamat ini milik Anda paling lambat {{instant expiresAt}}. Tautan hanya dapat dipakai satu kali; Anda dapat meminta yang baru kapan saja.',
      'Jika Anda tidak merasa mendaftar, abaikan surel ini.',
    ],
    button: { label: 'Konfirmasi alamat', url: 'verifyUrl' },
  },
  password_reset: {
    subject: 'Buat kata sandi baru',
    happened: 'Ada permintaan kata sandi baru untuk akun Anda.',
    next: [
      'Jika Anda yang meminta, buat kata sandi baru paling lambat {{instant expiresAt}}. Tautan hanya dapat dipakai satu kali, dan semua perangkat harus masuk kembali.',
      'Jika bukan Anda, abaikan surel ini: kata sandi Anda tidak berubah.',
    ],
    button: { label: 'Buat kata sandi baru', url: 'resetUrl' },
  },
  password_changed: {
    subject: 'Kata sandi Anda telah diganti',
    happened: 'Kata sandi akun Anda diganti pada {{instant at}}.',
    facts: [['Alamat IP', '{{address}}']],
    next: [
      'Jika Anda yang menggantinya, tidak ada yang perlu dilakukan. Semua perangkat lain telah dikeluarkan.',
      'Jika bukan Anda, segera minta kata sandi baru dan beri tahu kami.',
    ],
  },
  sign_in_reused: {
    subject: 'Salah satu sesi Anda telah kami akhiri',
    happened:
      'Tanda masuk lama akun Anda dipakai untuk kedua kalinya pada {{instant at}}. Mungkin ada yang menyalinnya, sehingga sesi itu kami akhiri.',
    facts: [
      ['Perangkat', '{{device}}'],
      ['Alamat IP', '{{address}}'],
    ],
    next: [
      'Silakan masuk kembali. Jika Anda tidak mengenal perangkat atau alamat ini, ganti kata sandi Anda dan periksa daftar sesi Anda.',
    ],
  },
  finance_daily: {
    subject:
      'Pembayaran {{day dayStart}}: {{#if openCases}}ada kasus yang menunggu{{else}}tidak ada kasus terbuka{{/if}}',
    happened: 'Berikut perbandingan gerbang pembayaran dengan pembukuan untuk {{day dayStart}}.',
    facts: [
      [
        'Uang',
        '{{#each totals}}diterima {{money captured}}, dikembalikan {{money refunded}}, dicairkan {{money settled}}{{#unless @last}}; {{/unless}}{{else}}tidak ada pergerakan{{/each}}',
      ],
      [
        'Gerbang pembayaran',
        '{{#each walks}}{{gateway}}: {{#if failure}}TIDAK DAPAT DIBANDINGKAN ({{failure}}){{else}}{{compared}} dibandingkan, {{differences}} selisih{{/if}}{{#unless @last}}; {{/unless}}{{else}}tidak ada yang dibandingkan{{/each}}',
      ],
      [
        'Kasus terbuka',
        '{{#each openCases}}{{caseKind kind}}: {{count}}, tertua {{oldestHours}} jam{{#unless @last}}; {{/unless}}{{else}}tidak ada{{/each}}',
      ],
      ['Pengembalian menunggu', '{{refunds.awaitingApproval}} persetujuan, {{refunds.awaitingTransfer}} transfer'],
    ],
    next: [
      'Mohon periksa kasus Anda di daftar rekonsiliasi hari ini, mulai dari yang tertua. Gerbang yang tidak dapat dibandingkan dicoba lagi malam berikutnya, termasuk hari-hari itu; hubungi tim operasional jika gagal dua kali.',
    ],
  },
  account_locked: {
    subject: 'Akun Anda dikunci untuk sementara',
    happened: 'Kata sandi yang salah dimasukkan beberapa kali berturut-turut untuk akun Anda.',
    facts: [
      ['Dikunci sampai', '{{instant lockedUntil}}'],
      ['Alamat IP', '{{address}}'],
    ],
    next: [
      'Jika itu Anda, tunggu sampai waktu tersebut atau buka kunci akun dengan tautan ini, yang berlaku sampai {{instant expiresAt}}.',
      'Jika bukan Anda, kata sandi Anda belum tertebak. Gantilah bila pendek atau dipakai di tempat lain.',
    ],
    button: { label: 'Buka kunci akun', url: 'unlockUrl' },
  },
  new_device: {
    subject: 'Ada yang masuk ke akun Anda',
    happened: 'Akun Anda dimasuki pada {{instant at}} dari perangkat atau jaringan yang belum kami kenal.',
    facts: [
      ['Perangkat', '{{device}}'],
      ['Alamat IP', '{{address}}'],
    ],
    next: [
      'Jika itu Anda, tidak ada yang perlu dilakukan.',
      'Jika bukan Anda, segera ganti kata sandi Anda: semua perangkat akan dikeluarkan.',
    ],
  },
  second_factor_changed: {
    subject: 'Verifikasi dua langkah akun Anda',
    happened: 'Perubahan pada akun Anda, {{instant at}}: {{secondFactorChange change}}.',
    next: [
      'Jika itu Anda, tidak ada yang perlu dilakukan.',
      'Jika bukan Anda, segera ganti kata sandi Anda dan beri tahu kami.',
    ],
  },
  login_code: {
    subject: 'Kode masuk Anda untuk {{officeName}}',
    happened: 'Masukkan kode ini untuk melanjutkan: {{code}}',
    next: [
      'Kode berlaku satu kali, sampai {{instant expiresAt}}. Petugas {{officeName}} tidak pernah meminta kode ini.',
      'Jika Anda tidak sedang masuk, ada yang mengetahui kata sandi Anda: segera gantilah.',
    ],
  },
  join_staff: {
    subject: 'Akun Anda di {{officeName}}',
    happened: '{{inviterName}} mengundang Anda bekerja dalam layanan perizinan {{officeName}}.',
    facts: [['Peran', '{{roles roles}}']],
    next: [
      'Mohon buat kata sandi Anda paling lambat {{instant expiresAt}}. Tautan hanya dapat dipakai satu kali.',
      'Jika Anda tidak menunggu undangan ini, abaikan surel ini.',
    ],
    button: { label: 'Siapkan akun', url: 'joinUrl' },
  },
  money_stuck: {
    subject: 'Uang yang tidak bergerak: {{count}}',
    happened: 'Pembayaran atau pengembalian dana tidak bergerak selama 15 menit, per {{instant at}}.',
    facts: [
      ['Sudah dibayar, izin belum aktif (tagihan)', '{{paid}}'],
      ['Belum jelas di penyedia pembayaran', '{{unclear}}'],
    ],
    next: [
      'Mohon periksa daftar kasus. Kasus tertutup sendiri setelah persoalannya selesai.',
      'Jangan menagih atau mengembalikan untuk kedua kalinya selama belum jelas: tanyakan dahulu kepada penyedia pembayaran.',
    ],
  },
  join_company: {
    subject: 'Undangan mewakili {{companyName}}',
    happened: '{{inviterName}} mengundang Anda mewakili {{companyName}} dalam layanan perizinan {{officeName}}.',
    facts: [COMPANY],
    next: [
      'Mohon terima undangan ini paling lambat {{instant expiresAt}}. Jika belum memiliki akun, daftarkan diri dahulu dengan alamat surel ini.',
      'Jika Anda tidak mengenal usaha ini, abaikan surel ini.',
    ],
    button: { label: 'Lihat undangan', url: 'joinUrl' },
  },
  ...LICENSE_LETTERS_INDONESIAN,
  ...STOCK_LETTERS_INDONESIAN,
  ...SUBSCRIPTION_LETTERS_INDONESIAN,
  ...ORDER_LETTERS_INDONESIAN,
  ...RETURN_LETTERS_INDONESIAN,
  ...ONBOARDING_LETTERS_INDONESIAN,
  calendar_incomplete: {
    subject: 'Kalender belum memuat hari libur nasional tahun {{year}}',
    happened:
      'Kalender kerja {{calendarOffice}} belum memuat satu pun hari libur nasional tahun {{year}}. Tenggat yang jatuh pada tahun itu dihitung seakan-akan tidak ada hari libur.',
    next: [
      'Tampilkan usulan tahun {{year}}, cocokkan dengan Surat Keputusan Bersama para menteri, lalu terbitkan kalendernya. Sebelum terbit, pratinjau menunjukkan permohonan mana yang bergeser; sesudahnya semua permohonan berjalan dijadwalkan ulang dengan sendirinya.',
    ],
  },
  tasks_moved: {
    subject: 'Tugas yang kini menjadi milik Anda: {{count}}',
    happened:
      'Tugas seorang rekan dialihkan kepada petugas lain pada {{instant at}}; {{count}} di antaranya kini menjadi tugas Anda.',
    next: [
      'Tugas itu ada di kotak masuk Anda, yang paling mendesak di atas. Bila Anda memiliki benturan kepentingan pada salah satunya, nyatakan di sana.',
    ],
  },
  absence_began: {
    subject: 'Ketidakhadiran Anda telah dimulai',
    happened:
      'Anda tercatat tidak hadir sejak {{instant from}} sampai {{instant to}}. Selama itu tidak ada tugas yang diberikan kepada Anda.',
    facts: [
      ['Tugas terbuka yang dialihkan', '{{moved}}'],
      ['Tugas yang tetap pada Anda', '{{stayed}}'],
    ],
    next: [
      'Bila Anda kembali lebih awal, akhiri ketidakhadiran itu di Alur. Untuk tugas yang tetap pada Anda, hubungi penyelia.',
    ],
  },
  absence_of_staff: {
    subject: '{{absenteeName}} tidak hadir: {{moved}} tugas dialihkan',
    happened: '{{absenteeName}} tidak hadir sejak {{instant from}} sampai {{instant to}}.',
    facts: [
      ['Tugas terbuka yang dialihkan', '{{moved}}'],
      ['Di antaranya tanpa petugas (antrean Anda)', '{{queued}}'],
      ['Tugas yang tidak dapat dialihkan', '{{stayed}}'],
    ],
    next: ['Mohon ambil atau bagikan tugas yang ada di antrean Anda, dan tangani tugas yang tidak dapat dialihkan.'],
  },
  ...REFUND_LETTERS_INDONESIAN,
};
