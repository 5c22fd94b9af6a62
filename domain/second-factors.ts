/**
 * The rules of the second factor, without a clock of their own: which kinds there are, what a code looks like, how long
 * things last. TOTP follows RFC 6238 (SHA-1, six digits, steps of 30 seconds).
 */
export const FACTOR_KINDS = ['totp', 'email', 'sms'] as const;
/** What can be set up. */
export type FactorKind = (typeof FACTOR_KINDS)[number];

/** Kinds whose codes Alur sends. */
export const SENT_KINDS = ['email', 'sms'] as const satisfies readonly FactorKind[];
export type SentKind = (typeof SENT_KINDS)[number];

/** By what a code can be given; backup codes come with the first factor and go with the last. */
export const METHODS = [...FACTOR_KINDS, 'backup_code'] as const;
export type Method = (typeof METHODS)[number];

/** A log-in waits so long between the password and the code, and takes so many wrong codes. */
export const CHALLENGE_SECONDS = 5 * 60;
export const CHALLENGE_TRIES = 5;

/** A code that was sent: how long it is good, how many wrong ones it outlives, and how soon another follows. */
export const SENT_CODE_SECONDS = 10 * 60;
export const SENT_CODE_TRIES = 5;
export const SEND_PAUSE_SECONDS = 60;
export const SENDS_AN_HOUR = 5;

export const BACKUP_CODES = 10;
const BACKUP_CODE_LENGTH = 10;
/** Without 0, O, 1, I, L and U: nothing here is mistaken for something else, read aloud or written by hand. */
const UNAMBIGUOUS = '23456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * A backup code from random numbers, as it is shown: `K7TMQ-2XB9D`.
 * @param randomBelow an even random whole number, at least 0 and below the limit given
 */
export function newBackupCode(randomBelow: (limit: number) => number): string {
  const letters = Array.from({ length: BACKUP_CODE_LENGTH }, () => UNAMBIGUOUS.charAt(randomBelow(UNAMBIGUOUS.length)));
  return `${letters.slice(0, 5).join('')}-${letters.slice(5).join('')}`;
}

/** How a code is compared and hashed: without what people put between its letters, in capitals. */
export const bareCode = (typed: string): string => typed.replaceAll(/[\s-]/g, '').toUpperCase();

/** A code of an app, or one that was sent. */
export const SIX_DIGITS = /^\d{6}$/;
const BACKUP_CODE = new RegExp(`^[${UNAMBIGUOUS}]{${BACKUP_CODE_LENGTH}}$`);

/**
 * Which of a person's methods a code may be for, by its shape. `asked` narrows it to one.
 * @param typed as it came, blanks and hyphens included
 */
export function methodsFor(typed: string, has: readonly Method[], asked?: Method): Method[] {
  const code = bareCode(typed);
  return has.filter((method) => (asked === undefined || asked === method) && fits(method, code));
}

const fits = (method: Method, code: string): boolean =>
  (method === 'backup_code' ? BACKUP_CODE : SIX_DIGITS).test(code);

export const isSentKind = (method: Method): method is SentKind => SENT_KINDS.some((kind) => kind === method);

/**
 * When the next code may be sent; null = at once.
 * @param sentAt of the codes of one person and channel, in any order
 */
export function nextSendAt(sentAt: readonly Date[], now: Date): Date | null {
  const lastHour = sentAt.map((at) => at.getTime()).filter((at) => at > now.getTime() - HOUR_MS);
  const newest = Math.max(...lastHour);
  const afterPause = lastHour.length === 0 ? 0 : newest + SEND_PAUSE_SECONDS * 1000;
  // The oldest of those that fill the hour has to leave it first.
  const filling = lastHour.toSorted((a, b) => b - a)[SENDS_AN_HOUR - 1];
  const afterHour = filling === undefined ? 0 : filling + HOUR_MS;
  const next = Math.max(afterPause, afterHour);
  return next > now.getTime() ? new Date(next) : null;
}

const HOUR_MS = 3_600_000;

/** Whether a factor may go: who must have one keeps the last. */
export const mayRemove = (confirmed: readonly FactorKind[], kind: FactorKind, mustHaveOne: boolean): boolean =>
  !mustHaveOne || confirmed.some((other) => other !== kind);

/** What a telephone number is told when it is none. */
export type PhoneProblem = 'not_a_mobile_number';

/** E.164: a plus and 8 to 15 digits, the first not 0 (ITU-T E.164, 6.2). */
const E164 = /^\+[1-9]\d{7,14}$/;
/** Mobile numbers of Indonesia: 8, then 8 to 11 digits (Permenkominfo 14/2018). */
const INDONESIAN_MOBILE = /^\+628\d{8,11}$/;

/**
 * A telephone number as it is dialled from anywhere: `0812-3456-7890` → `+6281234567890`. A number without a country is
 * Indonesian; an Indonesian one has to be a mobile's, for no other takes text messages.
 * @returns null when no number can be read from it
 */
export function parsePhone(typed: string): string | null {
  const bare = typed.replaceAll(/[\s().-]/g, '');
  if (!/^\+?\d+$/.test(bare)) return null;
  const number = withCountry(bare);
  if (!E164.test(number)) return null;
  return number.startsWith('+62') && !INDONESIAN_MOBILE.test(number) ? null : number;
}

function withCountry(bare: string): string {
  if (bare.startsWith('+')) return bare.replace(/^\+620/, '+62');
  if (bare.startsWith('00')) return `+${bare.slice(2)}`;
  if (bare.startsWith('62')) return `+${bare}`;
  return `+62${bare.replace(/^0/, '')}`;
}

/** `+62•••••••7890`: enough for its owner to know it. @param number E.164 */
export const maskedPhone = (number: string): string =>
  `${number.slice(0, 3)}${'•'.repeat(number.length - 7)}${number.slice(-4)}`;
