import type { Stage } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import type { Bilingual } from './layout.ts';

export const TITLE: Bilingual = { id: 'Bukti persetujuan menurut hukum', en: 'Evidence of an approval by law' };

/** A code that is not named here stands as it is. */
export type Names = Readonly<Record<string, Bilingual>>;

export const STAGE_NAMES: Record<Stage, Bilingual> = {
  document_verification: { id: 'Verifikasi dokumen', en: 'Document verification' },
  compliance_check: { id: 'Pemeriksaan kepatuhan', en: 'Compliance check' },
  approval: { id: 'Persetujuan', en: 'Approval' },
};

export const ROLE_NAMES: Record<Role, Bilingual> = {
  owner: { id: 'pelaku usaha', en: 'business owner' },
  verifier: { id: 'verifikator', en: 'verifier' },
  examiner: { id: 'pemeriksa', en: 'examiner' },
  approver: { id: 'pemberi persetujuan', en: 'approver' },
  head: { id: 'kepala kantor', en: 'head of office' },
  supervisor: { id: 'penyelia', en: 'supervisor' },
  finance: { id: 'keuangan', en: 'finance' },
  seller: { id: 'penjual', en: 'seller' },
  warehouse: { id: 'gudang', en: 'warehouse' },
  ops: { id: 'operasional', en: 'operations' },
  admin: { id: 'administrator', en: 'administrator' },
  integrator: { id: 'integrator', en: 'integrator' },
};

export const RUNG_NAMES: Names = {
  half: { id: '50 % waktu kerja', en: '50 % of the working time' },
  at_risk: { id: '80 % waktu kerja', en: '80 % of the working time' },
  breach: { id: 'waktu kerja habis', en: 'working time used up' },
  head: { id: 'satu hari kerja sesudahnya', en: 'one working day later' },
  last_day: { id: 'hari terakhir jangka waktu', en: 'last day of the legal time' },
};

export const SUSPENSION_NAMES: Names = {
  correction: { id: 'perbaikan oleh pemohon', en: 'correction by the applicant' },
  intent_to_reject: { id: 'tanggapan atas rencana penolakan', en: 'answer to an announced rejection' },
  appeal: { id: 'setelah penolakan, sebelum keberatan', en: 'after a rejection, before the objection' },
};

export const TASK_STATES: Names = {
  open: { id: 'terbuka', en: 'open' },
  decided: { id: 'diputus', en: 'decided' },
  cancelled: { id: 'berakhir tanpa putusan', en: 'ended without a decision' },
};

export const DECISION_NAMES: Names = {
  approve: { id: 'disetujui', en: 'approved' },
  reject: { id: 'ditolak', en: 'rejected' },
  request_correction: { id: 'diminta perbaikan', en: 'correction requested' },
  intend_to_reject: { id: 'rencana penolakan', en: 'rejection announced' },
};

/** Of a letter at that moment. */
export const LETTER_STATES: Names = {
  queued: { id: 'belum terkirim', en: 'not sent yet' },
  sent: { id: 'terkirim', en: 'sent' },
  refused: { id: 'ditolak server surel', en: 'refused by the mail server' },
  expired: { id: 'tidak terkirim', en: 'not sent' },
};

export const LABELS = {
  company: { id: 'Pemohon', en: 'Applicant' },
  nib: { id: 'NIB', en: 'NIB' },
  type: { id: 'Jenis izin', en: 'Type of licence' },
  application: { id: 'Nomor permohonan', en: 'Application' },
  submitted: { id: 'Diajukan', en: 'Submitted' },
  complete: { id: 'Dinyatakan lengkap', en: 'Complete' },
  budget: { id: 'Jangka waktu menurut hukum', en: 'Legal time' },
  used: { id: 'Terpakai oleh kantor', en: 'Used by the office' },
  spared: { id: 'Di tangan pemohon (jam kerja)', en: 'With the applicant (working hours)' },
  due: { id: 'Jangka waktu habis', en: 'Legal time used up' },
  granted: { id: 'Dianggap dikabulkan', en: 'Deemed granted' },
  basis: { id: 'Dasar hukum', en: 'Legal basis' },
  calendar: { id: 'Kalender kantor', en: "The office's calendar" },
} as const satisfies Record<string, Bilingual>;

export const HEADINGS = {
  days: { id: 'Hari kerja yang dihitung', en: 'Working days counted' },
  suspensions: { id: 'Penghentian waktu', en: 'Suspensions of the clock' },
  tasks: { id: 'Tugas dan pemegangnya', en: 'Tasks and who held them' },
  decisions: { id: 'Putusan', en: 'Decisions' },
  rungs: { id: 'Peringatan dan penerimanya', en: 'Escalations and who was told' },
} as const satisfies Record<string, Bilingual>;

export const WORDS = {
  none: { id: 'tidak ada', en: 'none' },
  nobody: { id: 'tidak ada yang bertugas', en: 'nobody was free' },
  round: { id: 'putaran', en: 'round' },
  workingDays: { id: 'hari kerja', en: 'working days' },
  hours: { id: 'jam', en: 'h' },
  version: { id: 'versi', en: 'version' },
  holidays: { id: 'hari libur', en: 'holidays' },
} as const satisfies Record<string, Bilingual>;
