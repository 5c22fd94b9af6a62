/**
 * The one table of refusals: what HTTP calls them, and what to do next in both languages. A Failure's own message, which
 * is English and knows more, takes the place of the English sentence.
 */
import type { FailureCode } from '../domain/failures.ts';
import type { Locale } from './request.ts';

type Sentence = Readonly<Record<Locale, string>>;

export interface ProblemType {
  readonly status: number;
  readonly title: Sentence;
  readonly detail: Sentence;
}

const problem = (status: number, title: [id: string, en: string], detail: [id: string, en: string]): ProblemType => ({
  status,
  title: { id: title[0], en: title[1] },
  detail: { id: detail[0], en: detail[1] },
});

export const PROBLEM_TYPES: Readonly<Record<FailureCode, ProblemType>> = {
  // who and what
  unauthenticated: problem(
    401,
    ['Belum masuk', 'Not logged in'],
    [
      'Masuk dahulu, lalu kirim Authorization: Bearer <token akses>.',
      'Log in, then send Authorization: Bearer <access token>.',
    ],
  ),
  invalid_credentials: problem(
    401,
    ['Gagal masuk', 'Log-in failed'],
    [
      'E-mail atau kata sandi salah. Periksa, lalu coba lagi.',
      'The e-mail address or the password is wrong. Check them and try again.',
    ],
  ),
  invalid_code: problem(
    401,
    ['Kode salah', 'Wrong code'],
    [
      'Kode salah, sudah dipakai, atau sudah lewat waktunya. Pakai kode yang baru.',
      'The code is wrong, was used before or is too old. Use a fresh one.',
    ],
  ),
  challenge_ended: problem(
    401,
    ['Proses masuk berakhir', 'Log-in over'],
    [
      'Proses masuk ini sudah dipakai, lewat waktunya, atau terlalu sering salah kode. Masuk lagi dengan e-mail dan kata sandi.',
      'This log-in was used, took too long, or saw too many wrong codes. Log in again with e-mail address and password.',
    ],
  ),
  second_factor_locked: problem(
    429,
    ['Kode belum diterima', 'Codes have to wait'],
    [
      'Terlalu banyak kode salah. Tunggu selama Retry-After, lalu coba lagi. Jika bukan Anda yang mencoba, segera ganti kata sandi Anda.',
      'Too many wrong codes. Wait for Retry-After, then try again. If it was not you who tried, change your password at once.',
    ],
  ),
  account_locked: problem(
    429,
    ['Akun menunggu', 'Account waits'],
    [
      'Terlalu banyak percobaan gagal untuk akun ini. Tunggu selama Retry-After, atau buka tautan di e-mail yang kami kirim.',
      'Too many failed attempts for this account. Wait for Retry-After, or use the link in the mail that we sent.',
    ],
  ),
  link_not_valid: problem(
    422,
    ['Tautan tidak berlaku', 'Link not valid'],
    [
      'Tautan ini salah, sudah dipakai, atau sudah lewat waktunya. Minta yang baru.',
      'The link is wrong, was used before or is too old. Ask for a new one.',
    ],
  ),
  wrong_password: problem(
    422,
    ['Kata sandi salah', 'Wrong password'],
    [
      'Kata sandi yang sekarang tidak cocok. Periksa, lalu coba lagi.',
      'The present password does not match. Check it and try again.',
    ],
  ),
  forbidden: problem(
    403,
    ['Tidak diizinkan', 'Not allowed'],
    [
      'Peran Anda tidak berhak atas tindakan ini. Hubungi administrator kantor.',
      'Your role may not do this. Ask an administrator of the office.',
    ],
  ),
  email_not_verified: problem(
    403,
    ['E-mail belum dipastikan', 'E-mail not verified'],
    [
      'Buka tautan di e-mail yang kami kirim saat Anda mendaftar, atau minta yang baru.',
      'Open the link in the mail that we sent when you registered, or ask for a new one.',
    ],
  ),
  step_up_required: problem(
    403,
    ['Perlu faktor kedua', 'Second factor required'],
    [
      'Tindakan ini memerlukan faktor kedua yang tidak lebih lama dari 10 menit. Kirim kode ke POST /api/v1/auth/step-up, lalu ulangi.',
      'This wants a second factor not older than 10 minutes. Send a code to POST /api/v1/auth/step-up, then repeat it.',
    ],
  ),
  second_factor_setup_required: problem(
    403,
    ['Pasang faktor kedua dahulu', 'Set up a second factor first'],
    [
      'Kantor mewajibkan faktor kedua. Pasang dengan POST /api/v1/auth/mfa/totp, lalu masuk lagi.',
      'The office requires a second factor. Set one up with POST /api/v1/auth/mfa/totp, then log in again.',
    ],
  ),
  second_factor_missing: problem(
    409,
    ['Belum ada faktor kedua', 'No second factor'],
    [
      'Akun ini belum memiliki faktor kedua jenis itu. Pasang dahulu.',
      'The account has no second factor of this kind. Set one up first.',
    ],
  ),
  second_factor_exists: problem(
    409,
    ['Faktor kedua sudah ada', 'Second factor exists'],
    [
      'Faktor kedua jenis ini sudah terpasang. Hapus dahulu untuk menggantinya.',
      'A second factor of this kind is set up already. Remove it first to replace it.',
    ],
  ),
  second_factor_needed: problem(
    409,
    ['Faktor kedua wajib', 'Second factor needed'],
    [
      'Kantor mewajibkan faktor kedua untuk peran Anda. Pasang yang lain dahulu.',
      'The office requires a second factor of your role. Set up another first.',
    ],
  ),
  code_not_sent: problem(
    503,
    ['Kode tidak terkirim', 'Code not sent'],
    [
      'Kode belum dapat dikirim. Coba lagi sebentar lagi, atau pakai cara lain.',
      'The code could not be sent. Try again shortly, or use another way.',
    ],
  ),
  address_not_allowed: problem(
    403,
    ['Alamat jaringan tidak diizinkan', 'Network not allowed'],
    [
      'Kunci ini tidak boleh dipakai dari alamat jaringan ini. Minta administrator menambahkannya.',
      'The key may not be used from this network address. Ask the administrator to add it.',
    ],
  ),
  https_required: problem(
    403,
    ['Perlu HTTPS', 'HTTPS required'],
    ['Kirim permintaan lewat https://.', 'Send the request over https://.'],
  ),
  not_found: problem(
    404,
    ['Tidak ditemukan', 'Not found'],
    [
      'Alamat ini tidak ada, atau Anda tidak berhak melihatnya. Periksa ID-nya.',
      'There is nothing here, or nothing that you may see. Check the address and the ID.',
    ],
  ),
  email_taken: problem(
    409,
    ['E-mail sudah terdaftar', 'E-mail address taken'],
    [
      'Sudah ada akun dengan e-mail ini. Silakan masuk.',
      'There is an account with this e-mail address. Log in instead.',
    ],
  ),
  company_taken: problem(
    409,
    ['Perusahaan sudah terdaftar', 'Company already registered'],
    [
      'Perusahaan dengan NPWP ini sudah terdaftar. Minta akses kepada pengurus perusahaan, atau hubungi kantor perizinan dengan bukti kuasa.',
      'A company with this tax number is registered. Ask whoever acts for the company to add you, or show the licensing office proof that you may act for it.',
    ],
  ),
  number_taken: problem(
    409,
    ['Nomor sudah terdaftar', 'Number taken'],
    [
      'Nomor ini sudah terdaftar pada akun lain. Hubungi kantor bila itu keliru.',
      'The number belongs to another account. Ask the office if that is a mistake.',
    ],
  ),
  own_account: problem(
    403,
    ['Akun sendiri', 'Your own account'],
    [
      'Tidak seorang pun mengubah peran atau status akunnya sendiri. Minta administrator lain.',
      'Nobody changes roles or status of their own account. Ask another administrator.',
    ],
  ),
  last_admin: problem(
    409,
    ['Administrator terakhir', 'Last administrator'],
    [
      'Kantor memerlukan sedikitnya satu administrator. Angkat yang lain dahulu.',
      'The office needs at least one administrator. Appoint another first.',
    ],
  ),
  last_member: problem(
    409,
    ['Anggota terakhir', 'Last member'],
    [
      'Perusahaan memerlukan sedikitnya satu anggota. Undang yang lain dahulu.',
      'A company needs at least one member. Invite another first.',
    ],
  ),
  already_member: problem(
    409,
    ['Sudah menjadi anggota', 'Already a member'],
    [
      'Orang ini sudah menjadi anggota perusahaan, atau sudah diundang.',
      'This person is a member of the company already, or has been invited.',
    ],
  ),
  not_invited: problem(
    409,
    ['Tidak ada undangan', 'No open invitation'],
    [
      'Akun ini sudah dipakai atau dinonaktifkan, jadi tidak ada undangan yang dapat dikirim lagi.',
      'The account has been taken up already, or is disabled: there is no invitation to send again.',
    ],
  ),
  key_not_active: problem(
    409,
    ['Kunci tidak berlaku', 'Key not active'],
    [
      'Kunci ini sudah dicabut atau lewat waktunya. Buat yang baru.',
      'The key was revoked or has expired. Create a new one.',
    ],
  ),
  key_rotated_before: problem(
    409,
    ['Sudah diganti', 'Rotated before'],
    [
      'Kunci ini sudah memiliki pengganti. Pakai penggantinya, atau cabut pengganti itu lalu ulangi.',
      'This key has a successor already. Use that one, or revoke it and repeat this.',
    ],
  ),
  provider_sign_in_refused: problem(
    401,
    ['Gagal masuk', 'Log-in failed'],
    [
      'Penyedia identitas kantor tidak dapat memasukkan Anda. Mulai lagi dari GET /api/v1/auth/oidc/login, atau hubungi administrator kantor.',
      "The office's identity provider could not log you in. Begin again at GET /api/v1/auth/oidc/login, or ask an administrator of the office.",
    ],
  ),
  rotation_running: problem(
    409,
    ['Sedang berjalan', 'Already running'],
    [
      'Penggantian kunci sedang berjalan. Lihat kemajuannya.',
      'The rotation is under way already. Look at its progress.',
    ],
  ),
  key_missing: problem(
    409,
    ['Kunci tidak ada', 'A key is missing'],
    [
      'Sebagian data tersegel dengan kunci yang tidak dikonfigurasi. Tambahkan ke ALUR_PERSONAL_DATA_PREVIOUS_KEYS, lalu ulangi.',
      'Something is sealed with a key that is not configured. Add it to ALUR_PERSONAL_DATA_PREVIOUS_KEYS, then repeat.',
    ],
  ),

  // the request
  malformed_request: problem(
    400,
    ['Permintaan tidak terbaca', 'Malformed request'],
    [
      'Isi permintaan bukan JSON yang sah. Perbaiki, lalu kirim lagi.',
      'The body is not valid JSON. Mend it and send it again.',
    ],
  ),
  invalid_request: problem(
    422,
    ['Isian tidak sah', 'Invalid values'],
    [
      'Ada isian yang salah; lihat errors. Perbaiki, lalu kirim lagi.',
      'Some values are wrong; see errors. Mend them and send the request again.',
    ],
  ),
  unsupported_media_type: problem(
    415,
    ['Jenis isi tidak diterima', 'Unsupported media type'],
    [
      'Jenis isi ini tidak diterima di sini. Lihat /docs untuk jenis yang diterima.',
      'This kind of content is not accepted here. See /docs for what is.',
    ],
  ),
  file_too_large: problem(
    413,
    ['Terlalu besar', 'Too large'],
    [
      'Isi permintaan atau berkas melebihi batas. Perkecil, lalu kirim lagi.',
      'The body or the file is over the limit. Make it smaller and send it again.',
    ],
  ),
  too_many_files: problem(
    422,
    ['Terlalu banyak berkas', 'Too many files'],
    [
      'Jumlah berkas sudah mencapai batas. Hapus salah satu, lalu coba lagi.',
      'The limit of files is reached. Remove one and try again.',
    ],
  ),
  weak_password: problem(
    422,
    ['Kata sandi terlalu lemah', 'Password too weak'],
    [
      'Pilih kata sandi lain; errors menyebutkan apa yang kurang.',
      'Choose another password; errors says what is missing.',
    ],
  ),
  precondition_failed: problem(
    412,
    ['Sudah berubah', 'Changed meanwhile'],
    [
      'Data sudah berubah sejak Anda membacanya. Baca lagi, lalu ulangi perubahan Anda.',
      'It has changed since you read it. Read it again, then repeat your change.',
    ],
  ),
  idempotency_key_reused: problem(
    422,
    ['Idempotency-Key sudah dipakai', 'Idempotency-Key used before'],
    [
      'Kunci ini sudah dipakai untuk permintaan lain. Pakai kunci baru untuk permintaan baru.',
      'This key was used with another request. Take a new key for a new request.',
    ],
  ),
  request_in_progress: problem(
    409,
    ['Permintaan sedang diproses', 'Request in progress'],
    [
      'Permintaan pertama dengan kunci ini masih diproses. Ulangi sebentar lagi dengan kunci yang sama.',
      'The first request with this key is still running. Repeat it shortly with the same key.',
    ],
  ),
  rate_limited: problem(
    429,
    ['Terlalu sering', 'Too many requests'],
    [
      'Terlalu banyak permintaan. Tunggu selama Retry-After, lalu coba lagi.',
      'Too many requests. Wait for Retry-After, then try again.',
    ],
  ),

  // the application
  incomplete_application: problem(
    422,
    ['Permohonan belum lengkap', 'Application incomplete'],
    [
      'Permohonan belum lengkap; errors menyebutkan apa yang kurang. Lengkapi, lalu ajukan lagi.',
      'The application is not complete; errors says what is missing. Complete it, then submit it again.',
    ],
  ),
  not_a_draft: problem(
    409,
    ['Bukan draf', 'Not a draft'],
    [
      'Permohonan sudah diajukan dan tidak dapat diubah lagi.',
      'The application has been submitted and can no longer be changed.',
    ],
  ),
  already_submitted: problem(
    409,
    ['Sudah diajukan', 'Already submitted'],
    ['Permohonan ini sudah diajukan. Pantau statusnya.', 'This application was submitted before. Follow its status.'],
  ),
  not_in_review: problem(
    409,
    ['Tidak sedang diperiksa', 'Not in review'],
    [
      'Tidak ada yang dapat diputuskan sekarang. Baca lagi permohonannya.',
      'There is nothing to decide now. Read the case again.',
    ],
  ),
  not_assigned: problem(
    403,
    ['Bukan tugas Anda', 'Not assigned to you'],
    [
      'Permohonan ini tidak ditugaskan kepada Anda. Lihat daftar tugas Anda.',
      'This case is not assigned to you. Look at your inbox.',
    ],
  ),
  own_application: problem(
    403,
    ['Permohonan sendiri', 'Your own application'],
    [
      'Tidak seorang pun memutus permohonannya sendiri. Minta supervisor mengalihkannya.',
      'Nobody decides on an application of their own. Ask the supervisor to reassign it.',
    ],
  ),
  already_acted: problem(
    403,
    ['Sudah menangani tahap lain', 'Acted on another stage'],
    [
      'Anda sudah menangani tahap lain dari permohonan ini. Minta supervisor mengalihkannya.',
      'You acted on another stage of this case. Ask the supervisor to reassign it.',
    ],
  ),
  already_decided: problem(
    409,
    ['Sudah diputuskan', 'Already decided'],
    [
      'Tahap ini sudah diputuskan. Baca lagi permohonannya sebelum melanjutkan.',
      'This stage was already decided. Read the case again before you go on.',
    ],
  ),
  submission_changed: problem(
    409,
    ['Pengajuan sudah berubah', 'Submission changed'],
    [
      'Pemohon mengubah pengajuan sejak Anda membacanya. Baca lagi, lalu putuskan.',
      'The applicant has changed the submission since you read it. Read it again, then decide.',
    ],
  ),
  stage_changed: problem(
    409,
    ['Tahap sudah berganti', 'Stage changed'],
    [
      'Permohonan sudah berada di tahap lain. Baca lagi permohonannya.',
      'The case is at another stage now. Read it again.',
    ],
  ),
  reasons_required: problem(
    422,
    ['Alasan wajib diisi', 'Reasons required'],
    [
      'Sebutkan sedikitnya satu alasan: pemohon berhak mengetahuinya.',
      'Give at least one reason: the applicant has a right to know it.',
    ],
  ),
  correction_rounds_exhausted: problem(
    409,
    ['Batas perbaikan tercapai', 'No more corrections'],
    [
      'Perbaikan sudah diminta sebanyak yang diperbolehkan. Setujui atau tolak.',
      'Corrections were asked for as often as allowed. Approve or reject.',
    ],
  ),
  not_awaiting_correction: problem(
    409,
    ['Tidak menunggu perbaikan', 'Not awaiting a correction'],
    [
      'Permohonan hanya dapat diajukan ulang setelah perbaikan diminta.',
      'A case can be resubmitted only after a correction was requested.',
    ],
  ),
  already_closed: problem(
    409,
    ['Sudah selesai', 'Already closed'],
    ['Permohonan ini sudah selesai dan tidak dapat diubah.', 'The case is closed; nothing can be changed any more.'],
  ),
  reviewer_not_eligible: problem(
    422,
    ['Petugas tidak memenuhi syarat', 'Reviewer not eligible'],
    [
      'Orang ini tidak boleh menangani tahap tersebut. Pilih petugas lain.',
      'This person may not work on the stage. Choose another.',
    ],
  ),
  conflict_declared: problem(
    409,
    ['Ada benturan kepentingan', 'Conflict of interest'],
    [
      'Orang ini telah menyatakan benturan kepentingan pada kasus ini. Serahkan kepada petugas lain.',
      'This person has declared a conflict of interest in the case. Hand it to somebody else.',
    ],
  ),
  not_your_task: problem(
    403,
    ['Bukan tugas Anda', 'Not your task'],
    [
      'Hanya pemegang tugas yang dapat melakukannya. Minta penyelia.',
      'Only whoever holds the task may do this. Ask a supervisor.',
    ],
  ),
  reason_unknown: problem(
    422,
    ['Alasan tidak dikenal', 'Unknown reason'],
    [
      'Kode ini tidak ada di katalog. Pilih dari GET /api/v1/licenses/reasons, atau sertakan teksnya.',
      'The code is not in the catalogue. Choose one of GET /api/v1/licenses/reasons, or say it in a text.',
    ],
  ),
  intent_required: problem(
    409,
    ['Beri tahu pemohon dahulu', 'Announce it first'],
    [
      'Jenis izin ini mewajibkan pemberitahuan rencana penolakan. Kirim decision intend_to_reject; pemohon dapat menjawab lebih dahulu.',
      'This licence type wants the rejection announced first. Send the decision intend_to_reject; the applicant may answer before you decide.',
    ],
  ),
  not_awaiting_response: problem(
    409,
    ['Tidak menunggu jawaban', 'No answer awaited'],
    [
      'Kantor tidak sedang menunggu jawaban Anda pada kasus ini. Lihat statusnya.',
      'The office does not wait for your answer in this case. Look at its status.',
    ],
  ),
  field_not_open: problem(
    409,
    ['Bagian ini tidak diminta', 'Not asked for'],
    [
      'Hanya bagian yang diminta kantor yang dapat diubah sekarang. Lihat alasan pada permintaan perbaikan.',
      'Only what the office has asked for can be changed now. Look at the reasons of the correction.',
    ],
  ),
  not_reopenable: problem(
    409,
    ['Tidak dapat dibuka kembali', 'Cannot be reopened'],
    [
      'Ini tidak dapat dibuka kembali, atau batas waktunya sudah lewat. Mulailah yang baru.',
      'It cannot be taken up again, or the time to ask for it is over. Begin a new one.',
    ],
  ),
  document_not_clean: problem(
    409,
    ['Dokumen belum dapat dibuka', 'Document not to be opened'],
    [
      'Dokumen ini belum diperiksa terhadap virus, atau terkena virus. Coba lagi nanti, atau minta pemohon menggantinya.',
      'The document was not scanned yet, or is infected. Try again later, or ask the applicant for another.',
    ],
  ),
  license_not_active: problem(
    409,
    ['Izin tidak berlaku', 'Licence not active'],
    ['Izin ini tidak sedang berlaku.', 'The licence is not in force.'],
  ),
  license_not_suspended: problem(
    409,
    ['Izin tidak dibekukan', 'Licence not suspended'],
    [
      'Hanya izin yang dibekukan kantor yang dapat dipulihkan di sini.',
      'Only a licence that the office has suspended can be reinstated here.',
    ],
  ),
  license_ended: problem(
    409,
    ['Izin sudah berakhir', 'Licence over'],
    [
      'Izin ini sudah dicabut, habis masa berlakunya, atau digantikan; tidak dapat diubah lagi.',
      'The licence is revoked, expired or superseded; it cannot be changed any more.',
    ],
  ),

  // what lives for years
  onboarding_not_open: problem(
    409,
    ['Pendaftaran tidak berjalan', 'Onboarding not open'],
    [
      'Pendaftaran usaha ini sudah selesai, berakhir, atau dibatalkan. Muat ulang; yang berakhir dapat dibuka kembali.',
      'The onboarding of this company is completed, expired or cancelled. Read it again; one that expired or was cancelled can be reopened.',
    ],
  ),
  step_not_open: problem(
    409,
    ['Langkah belum terbuka', 'Step not open yet'],
    [
      'Selesaikan langkah sebelumnya dahulu; urutannya ada di steps.',
      'Complete the steps before it first; their order is that of steps.',
    ],
  ),
  step_not_possible: problem(
    409,
    ['Langkah tidak dikerjakan di sini', 'Step not done here'],
    [
      'Langkah ini tidak dikerjakan lewat permintaan ini: review dilakukan petugas, completed terjadi dengan sendirinya.',
      'This step is not done by this request: review is done by the office, completed comes by itself.',
    ],
  ),
  company_not_active: problem(
    409,
    ['Usaha belum aktif', 'Company not active'],
    [
      'Selesaikan pendaftaran usaha ini dahulu: GET onboarding/{companyId} menunjukkan langkah berikutnya.',
      'Finish the onboarding of this company first: GET onboarding/{companyId} shows the next step.',
    ],
  ),
  company_onboarded: problem(
    409,
    ['Usaha sudah terdaftar', 'Company registered already'],
    [
      'Nomor ini milik usaha yang sudah terdaftar. Minta salah satu anggotanya mengundang Anda (POST users/companies/{id}/members), atau hubungi kantor perizinan dengan dokumen usaha.',
      'This number belongs to a company that is registered already. Ask one of its members to invite you (POST users/companies/{id}/members), or go to the licensing office with the papers of the company.',
    ],
  ),
  address_not_verified: problem(
    409,
    ['Alamat e-mail belum dipastikan', 'Address not verified yet'],
    [
      'Buka tautan di e-mail yang kami kirim, atau kirim tokennya sebagai code. E-mail baru: POST /api/v1/auth/verify-email/resend.',
      'Open the link in the mail that we sent, or send its token as code. For another mail: POST /api/v1/auth/verify-email/resend.',
    ],
  ),
  already_subscribed: problem(
    409,
    ['Sudah berlangganan', 'Subscribed already'],
    [
      'Usaha ini sudah memiliki langganan. Ubah paketnya, atau batalkan dahulu.',
      'This company has a subscription already. Change its plan, or cancel it first.',
    ],
  ),
  subscription_not_open: problem(
    409,
    ['Langganan tidak dapat diubah', 'Subscription does not allow it'],
    [
      'Keadaan langganan tidak mengizinkan ini. Muat ulang; state menunjukkan keadaannya.',
      'The subscription is in a state that does not allow this. Read it again; state says which.',
    ],
  ),
  plan_not_offered: problem(
    409,
    ['Paket tidak ditawarkan', 'Plan not on offer'],
    [
      'Paket ini tidak ditawarkan, atau sudah dipakai. Pilih dari GET plans.',
      'This plan is not on offer, or is the one in use. Choose another from GET plans.',
    ],
  ),
  plan_limit_reached: problem(
    409,
    ['Batas paket tercapai', 'Limit of the plan reached'],
    [
      'Paket usaha ini tidak mengizinkan lebih banyak. Naikkan paketnya, atau tutup yang tidak dipakai.',
      'The plan of this company allows no more. Change to a larger plan, or close what is not used.',
    ],
  ),
  renewal_not_open: problem(
    409,
    ['Perpanjangan belum dibuka', 'Renewal not open yet'],
    [
      'Perpanjangan dibuka menjelang habisnya masa berlaku; renewal.opensAt menunjukkan tanggalnya.',
      'Renewal opens before the licence expires; renewal.opensAt says when.',
    ],
  ),
  renewal_not_possible: problem(
    409,
    ['Izin tidak dapat diperpanjang', 'Licence cannot be renewed'],
    [
      'Izin seumur hidup tidak perlu diperpanjang; izin yang dibekukan, dicabut, atau digantikan, atau yang terlalu lama berakhir, tidak dapat diperpanjang. Ajukan izin baru.',
      'A licence for life needs no renewal; one that is suspended, revoked, superseded, or expired for too long cannot be renewed. Apply for a new one.',
    ],
  ),
  renewal_under_way: problem(
    409,
    ['Perpanjangan sedang berjalan', 'Renewal under way'],
    [
      'Izin ini sedang atau sudah diperpanjang; buka permohonannya.',
      'This licence is being renewed, or has been: open the application that does it.',
    ],
  ),
  card_declined: problem(
    402,
    ['Kartu ditolak', 'Card declined'],
    [
      'Bank menolak kartu ini. Pakai kartu lain, atau bayar dengan cara lain.',
      'The bank has declined this card. Use another one, or pay in another way.',
    ],
  ),
  no_card_on_file: problem(
    409,
    ['Tidak ada kartu tersimpan', 'No card on file'],
    ['Simpan kartu dahulu, atau pilih cara bayar lain.', 'Add a card first, or choose another way to pay.'],
  ),
  // the office's rules
  absence_not_valid: problem(
    422,
    ['Ketidakhadiran tidak sah', 'Absence not valid'],
    [
      'Waktu berakhir harus setelah waktu mulai dan belum lewat, dan tidak boleh tumpang tindih dengan ketidakhadiran lain.',
      'It has to end after it begins and not in the past, and must not overlap another absence of the person.',
    ],
  ),
  audit_not_open: problem(
    409,
    ['Audit tidak terbuka', 'Audit not open'],
    ['Audit ini sudah diputuskan. Baca kembali.', 'The audit was decided before. Read it again.'],
  ),
  rules_not_valid: problem(
    422,
    ['Aturan tidak sah', 'Rules not valid'],
    [
      'Perbaiki baris dan kolom yang disebut, lalu kirim lagi. Tidak ada yang diterbitkan.',
      'Mend the rows and columns that are named and send it again. Nothing was published.',
    ],
  ),
  calendar_not_valid: problem(
    422,
    ['Kalender tidak sah', 'Calendar not valid'],
    ['Perbaiki bagian yang disebut, lalu kirim lagi.', 'Mend what is named and send it again.'],
  ),
  calendar_changed: problem(
    409,
    ['Kalender sudah berubah', 'Calendar changed'],
    [
      'Kalender diubah orang lain sejak Anda melihat pratinjaunya. Ambil pratinjau baru.',
      'Somebody has changed the calendar since your preview. Make another preview.',
    ],
  ),

  // money
  invoice_not_open: problem(
    409,
    ['Tagihan tidak terbuka', 'Invoice not open'],
    [
      'Tagihan ini tidak dapat dibayar lagi. Baca lagi tagihannya.',
      'This invoice can no longer be paid. Read it again.',
    ],
  ),
  gateway_not_available: problem(
    422,
    ['Kanal pembayaran tidak tersedia', 'Gateway not offered'],
    ['Kanal pembayaran ini tidak tersedia. Pilih yang lain.', 'This payment gateway is not offered. Choose another.'],
  ),
  gateway_refused: problem(
    422,
    ['Pembayaran ditolak', 'Payment refused'],
    [
      'Penyedia pembayaran menolak permintaan ini. Pilih cara lain, atau hubungi kantor.',
      'The payment provider refused the request. Choose another way, or ask the office.',
    ],
  ),
  gateway_unavailable: problem(
    503,
    ['Penyedia pembayaran tidak menjawab', 'Gateway unavailable'],
    [
      'Penyedia pembayaran tidak dapat dihubungi. Coba lagi sebentar lagi.',
      'The payment provider cannot be reached. Try again shortly.',
    ],
  ),
  payment_unclear: problem(
    409,
    ['Pembayaran belum jelas', 'Payment unclear'],
    [
      'Percobaan sebelumnya belum jelas hasilnya; kami sedang memeriksanya. Jangan membayar dua kali.',
      'What became of the attempt before is not clear yet; it is being looked up. Do not pay twice.',
    ],
  ),
  bad_signature: problem(
    401,
    ['Tanda tangan salah', 'Bad signature'],
    [
      'Tanda tangan pemberitahuan tidak cocok. Periksa kunci server.',
      'The signature of the notification does not match. Check the server key.',
    ],
  ),
  method_not_available: problem(
    422,
    ['Cara bayar tidak tersedia', 'Payment method not offered'],
    [
      'Cara bayar ini tidak tersedia untuk tagihan ini. Lihat GET /api/v1/payments/methods.',
      'This method is not offered for this invoice. See GET /api/v1/payments/methods.',
    ],
  ),
  amount_not_payable: problem(
    422,
    ['Jumlah tidak dapat dibayar', 'Amount cannot be paid'],
    [
      'Jumlah ini di luar batas cara bayar yang dipilih. Pilih cara lain.',
      'The amount is outside the limits of that method. Choose another.',
    ],
  ),
  product_unknown: problem(
    422,
    ['Produk tidak ada', 'No such product'],
    [
      'Tidak ada produk dengan SKU ini, atau tidak lagi dijual. Pilih dari GET products.',
      'There is no product of this SKU, or it is no longer sold. Choose from GET products.',
    ],
  ),
  out_of_stock: problem(
    409,
    ['Stok habis', 'Out of stock'],
    [
      'Stok tidak cukup. Kurangi jumlahnya, atau tunggu barang datang.',
      'There is not enough in stock. Ask for fewer, or wait until more has come.',
    ],
  ),
  order_not_open: problem(
    409,
    ['Pesanan tidak dapat diubah', 'Order does not allow it'],
    [
      'Keadaan pesanan tidak mengizinkan ini. Muat ulang; state menunjukkan keadaannya.',
      'The order is in a state that does not allow this. Read it again; state says which.',
    ],
  ),
  order_held: problem(
    409,
    ['Pesanan ditahan', 'Order on hold'],
    [
      'Pesanan ini sedang diperiksa. Lepaskan dahulu: POST orders/{id}/release.',
      'This order is being looked at. Release it first: POST orders/{id}/release.',
    ],
  ),
  order_not_shippable: problem(
    409,
    ['Belum dapat dikirim', 'Not ready to ship'],
    [
      'Tidak ada barang pesanan ini yang siap pada langkah itu. Muat ulang; units menunjukkan keadaannya.',
      'Nothing of this order is ready for that step. Read it again; units says how each one stands.',
    ],
  ),
  order_too_large: problem(
    422,
    ['Pesanan terlalu besar', 'Order too large'],
    [
      'Satu pesanan memuat paling banyak 200 baris dan 1.000 unit. Bagilah menjadi beberapa pesanan.',
      'An order holds at most 200 lines and 1,000 units. Split it into several.',
    ],
  ),
  items_not_known: problem(
    422,
    ['Barang tidak cocok', 'Items do not fit'],
    [
      'Salah satu barang bukan bagian pesanan ini, atau jumlahnya melebihi yang ada. Muat ulang dan pilih dari items.',
      'One of the items is not in this order, or there are not as many. Read it again and choose from items.',
    ],
  ),
  serial_not_valid: problem(
    422,
    ['Nomor seri tidak cocok', 'Serial number does not fit'],
    [
      'Nomor seri atau batch tidak ada, kurang, atau milik unit lain. Periksa labelnya.',
      'A serial or batch number is missing, unknown, or belongs to another unit. Check the label.',
    ],
  ),
  shipment_not_known: problem(
    422,
    ['Kiriman tidak ada', 'No such shipment'],
    [
      'Kiriman ini bukan bagian pesanan itu. Pilih dari shipments.',
      'That shipment does not belong to it. Choose from shipments.',
    ],
  ),
  tracking_taken: problem(
    409,
    ['Nomor resi sudah dipakai', 'Tracking number in use'],
    [
      'Nomor resi ini sudah tercatat pada kiriman lain. Periksa nomornya.',
      'This tracking number stands on another shipment. Check the number.',
    ],
  ),
  stock_not_enough: problem(
    409,
    ['Stok tidak cukup', 'Not enough stock'],
    [
      'Stok di lokasi ini tidak cukup untuk perubahan itu; sebagian dipesan. Muat ulang stoknya.',
      'There is not enough at this location for that change; some of it is reserved. Read the stock again.',
    ],
  ),
  alert_not_open: problem(
    409,
    ['Peringatan sudah selesai', 'Alert is over'],
    ['Peringatan stok ini sudah selesai. Muat ulang daftarnya.', 'This stock alert is over. Read the list again.'],
  ),
  not_returnable: problem(
    409,
    ['Tidak dapat dikembalikan', 'Not returnable'],
    ['Barang ini tidak dapat dikembalikan; reason menunjukkan alasannya.', 'This cannot be returned; reason says why.'],
  ),
  unit_claimed: problem(
    409,
    ['Sudah diminta kembali', 'Asked back already'],
    [
      'Sebagian unit ini sudah ada dalam pengembalian lain. Muat ulang pesanan; returnable menunjukkan sisanya.',
      'Some of these units are in another return. Read the order again; returnable says what is left.',
    ],
  ),
  return_not_open: problem(
    409,
    ['Pengembalian tidak dapat diubah', 'Return does not allow it'],
    [
      'Keadaan pengembalian tidak mengizinkan ini. Muat ulang; state menunjukkan keadaannya.',
      'The return is in a state that does not allow this. Read it again; state says which.',
    ],
  ),
  statement_changed: problem(
    409,
    ['Rincian telah berubah', 'Statement has changed'],
    [
      'Rincian potongan sudah berubah. Muat ulang dan setujui versi yang baru.',
      'The statement of deductions has changed. Read it again and accept the new version.',
    ],
  ),
  exchange_not_possible: problem(
    409,
    ['Tidak dapat ditukar', 'Exchange not possible'],
    [
      'Barang pengganti tidak tersedia untuk penukaran ini. Pilih produk lain, atau pengembalian dana.',
      'The other product cannot be had for this exchange. Choose another one, or a refund.',
    ],
  ),
  not_your_return: problem(
    403,
    ['Bukan wewenang Anda', 'Not for you to decide'],
    [
      'Orang lain harus memutuskan: yang memeriksa barang tidak memutuskan keberatannya.',
      'Somebody else has to decide: whoever inspected the goods does not decide on what is disputed.',
    ],
  ),
  carrier_unavailable: problem(
    503,
    ['Kurir tidak dapat dihubungi', 'Carrier not available'],
    [
      'Sistem kurir sedang tidak menjawab. Coba lagi sebentar.',
      'The system of the carrier does not answer at the moment. Try again shortly.',
    ],
  ),
  invoice_of_order: problem(
    409,
    ['Tagihan pesanan', 'Invoice of an order'],
    [
      'Tagihan ini milik pesanan dan tidak dibatalkan tersendiri. Batalkan atau ubah pesanannya.',
      'This invoice belongs to an order and is not voided by itself. Cancel or edit the order instead.',
    ],
  ),
  invoice_of_subscription: problem(
    409,
    ['Tagihan langganan', 'Invoice of a subscription'],
    [
      'Tagihan ini milik sebuah langganan dan tidak dibatalkan sendiri. Ubah atau akhiri langganannya; yang sudah dibayar dapat dikembalikan.',
      'This invoice belongs to a subscription and is not voided by itself. Change or cancel the subscription; what was paid can be refunded.',
    ],
  ),
  invoice_part_paid: problem(
    409,
    ['Tagihan sudah dibayar sebagian', 'Invoice partly paid'],
    [
      'Tagihan ini sudah dibayar sebagian dan tidak dapat dibatalkan. Kembalikan dananya lebih dahulu.',
      'A part of this invoice has been paid, so it cannot be voided. Refund that part first.',
    ],
  ),
  payment_not_refundable: problem(
    409,
    ['Pembayaran tidak dapat dikembalikan', 'Payment not refundable'],
    [
      'Hanya pembayaran yang sudah diterima yang dapat dikembalikan. Baca lagi pembayarannya.',
      'Only money that was received can be refunded. Read the payment again.',
    ],
  ),
  refund_exceeds_payment: problem(
    422,
    ['Melebihi pembayaran', 'More than was paid'],
    [
      'Jumlahnya melebihi sisa pembayaran yang dapat dikembalikan. Kurangi jumlahnya.',
      'The amount exceeds what is left of the payment. Ask for less.',
    ],
  ),
  refund_not_open: problem(
    409,
    ['Pengembalian sudah diputuskan', 'Refund not open'],
    [
      'Pengembalian dana ini tidak dapat diubah lagi. Baca lagi statusnya.',
      'This refund cannot be changed any more. Read it again.',
    ],
  ),
  refund_channel_not_possible: problem(
    422,
    ['Cara pengembalian tidak mungkin', 'Refund not possible that way'],
    [
      'Cara bayar aslinya tidak dapat menerima pengembalian. Pilih transfer bank atau saldo.',
      'The way the money came cannot take it back. Choose a bank transfer or store credit.',
    ],
  ),
  own_refund: problem(
    403,
    ['Pengembalian sendiri', 'Own refund'],
    [
      'Tidak seorang pun memutuskan pengembalian yang dimintanya sendiri. Minta rekan di bagian keuangan.',
      'Nobody decides on a refund of their own. Ask a colleague in finance.',
    ],
  ),
  refund_needs_destination: problem(
    409,
    ['Tujuan pengembalian belum ada', 'Destination missing'],
    [
      'Pemohon belum memberi tahu ke mana dana dikembalikan. Tunggu jawabannya.',
      'The payer has not said where to send the money. Wait for the answer.',
    ],
  ),
  bank_account_not_valid: problem(
    422,
    ['Rekening tidak valid', 'Bank account not valid'],
    [
      'Nomor rekening tidak cocok dengan banknya. Periksa lagi.',
      'The account number does not fit the bank. Check it again.',
    ],
  ),
  name_differs: problem(
    409,
    ['Nama pemilik rekening berbeda', 'Account holder differs'],
    [
      'Nama pemilik rekening tidak sama dengan pembayar. Periksa, lalu kirim lagi dengan nameChecked: true.',
      'The account is in another name than the payer. Check it, then send it again with nameChecked: true.',
    ],
  ),
  no_store_credit: problem(
    409,
    ['Saldo tidak cukup', 'Not enough credit'],
    [
      'Perusahaan ini tidak punya saldo yang dapat dipakai untuk tagihan ini.',
      'The company has no credit that this invoice could be paid with.',
    ],
  ),
  case_not_open: problem(
    409,
    ['Kasus sudah ditutup', 'Case closed'],
    ['Kasus ini sudah diselesaikan. Baca lagi.', 'This case has been resolved. Read it again.'],
  ),
  resolution_not_possible: problem(
    422,
    ['Penyelesaian tidak mungkin', 'Resolution not possible'],
    [
      'Kasus ini tidak dapat diselesaikan dengan cara itu. Lihat suggestedResolution.',
      'The case cannot be resolved that way. See its suggestedResolution.',
    ],
  ),
  settlement_not_valid: problem(
    422,
    ['Laporan penyelesaian tidak valid', 'Settlement not valid'],
    [
      'Laporan ini tidak dapat dibaca. errors menyebut baris dan kolomnya.',
      'The report cannot be read. errors names row and column.',
    ],
  ),
  settlement_known: problem(
    409,
    ['Laporan sudah diimpor', 'Settlement imported before'],
    [
      'Laporan dengan nomor ini sudah diimpor dengan isi lain. Periksa nomornya.',
      'A settlement of this reference was imported before with other content. Check the reference.',
    ],
  ),

  // the house
  temporarily_unavailable: problem(
    503,
    ['Sementara tidak tersedia', 'Temporarily unavailable'],
    [
      'Sebagian sistem sedang tidak tersedia. Coba lagi setelah Retry-After dengan Idempotency-Key yang sama.',
      'A part of the system is away. Try again after Retry-After, with the same Idempotency-Key.',
    ],
  ),
  internal_error: problem(
    500,
    ['Kesalahan di pihak kami', 'Our mistake'],
    [
      'Terjadi kesalahan di pihak kami. Hubungi kantor dengan menyebutkan requestId.',
      'Something went wrong on our side. Tell the office the requestId.',
    ],
  ),
};
