/** What a form of the shop's pages may run into, told on the page; anything else is a failure of ours. */
import type { Failure } from '../domain/failures.ts';
import { PROBLEM_TYPES } from './errors.ts';
import { isStillRunning, RETRY_AFTER_SECONDS, toFailure } from './failures.ts';
import type { Words } from './pages/layout.ts';
import type { Locale } from './request.ts';

export interface PageTrouble {
  readonly status: 409 | 422 | 503;
  readonly problems: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

const AGAIN: Words = {
  id: 'Sistem belum menjawab. Tekan tombolnya lagi beberapa saat lagi; permintaan Anda tidak menjadi dua.',
  en: 'The system does not answer yet. Press the button again in a moment; your request does not become two.',
};

const REASONS: Readonly<Record<string, Words>> = {
  not_delivered: { id: 'Barangnya belum tiba.', en: 'It has not arrived yet.' },
  window_over: { id: 'Waktu untuk mengembalikannya sudah lewat.', en: 'The time to return it is over.' },
  final_sale: {
    id: 'Barang ini dijual tanpa hak pengembalian; kami menerimanya kembali hanya bila ada yang salah dengannya.',
    en: 'It was sold without a right to return; we take it back only when something is wrong with it.',
  },
  hygiene: {
    id: 'Segelnya sudah dibuka. Demi kebersihan barang ini hanya kami terima kembali bila belum dibuka atau bila ada yang salah dengannya.',
    en: 'Its seal is broken. For hygiene we take it back only unopened, or when something is wrong with it.',
  },
  claimed: { id: 'Barang ini sudah ada dalam pengembalian lain.', en: 'It is in another return already.' },
};

/** A refusal in words that a customer understands. */
export const wordsOf = (code: Failure['code'], reason: string | undefined, locale: Locale): string =>
  (REASONS[reason ?? ''] ?? PROBLEM_TYPES[code].detail)[locale];

/**
 * @param gone what it means that there is no process (any more)
 * @throws what was thrown, when a customer can do nothing about it
 */
export function troubleOf(
  error: unknown,
  locale: Locale,
  gone: 'return_not_open' | 'order_not_open' = 'return_not_open',
): PageTrouble {
  const failure = toFailure(error, gone);
  const isAway = isStillRunning(error) || failure.code === 'temporarily_unavailable';
  if (isAway) {
    return { status: 503, problems: [AGAIN[locale]], headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } };
  }
  const { status } = PROBLEM_TYPES[failure.code];
  const { reason } = failure.facts;
  const problems = [wordsOf(failure.code, typeof reason === 'string' ? reason : undefined, locale)];
  if (status === 409) return { status, problems, headers: {} };
  if (status >= 400 && status < 500) return { status: 422, problems, headers: {} };
  throw error;
}
