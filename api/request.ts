/** What the frame knows of a request besides what Express does. Set once, by the middleware that each field names. */
import type { Request } from 'express';
import type { Origin } from '../domain/events.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { Actor } from '../domain/licensing.ts';
import type { Scope } from '../domain/roles.ts';

export const LOCALES = ['id', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** Who calls, and by what credential. */
export interface Caller extends Actor {
  /** Absent for an API key. */
  readonly sessionId?: string | undefined;
  readonly tokenVersion: number;
  readonly emailVerified: boolean;
  /** May set up a second factor, and nothing else. */
  readonly setupOnly: boolean;
  readonly key?: KeyOfCaller | undefined;
}

/** The API key that was sent, or that the token was got with. */
export interface KeyOfCaller {
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly requestsPerMinute: number;
  /** CIDR blocks; absent or empty = from anywhere. */
  readonly networks?: readonly string[] | undefined;
  readonly endsAt?: Date | null | undefined;
}

/** For the events that a request gives rise to. */
export const originOf = (req: Request): Origin => ({ address: addressOf(req), requestId: req.requestId });

/** The caller's IP address, as far as the proxies in front are trusted. */
export const addressOf = (req: Request): string => (req.ip ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');

declare global {
  namespace Express {
    interface Request {
      /** middleware/request-id.ts */
      requestId: string;
      /** middleware/authentication.ts; absent on a public route. */
      actor?: Caller;
      /** Of the declared route: what it says when the process it speaks to has ended. */
      gone?: FailureCode;
      /** The declared pattern, `/api/v1/licenses/status/:id`: what metrics and the log tell apart. */
      pattern?: string;
    }
  }
}

/** Aborts when the caller hangs up or the answer is out: for what waits on behalf of a request. */
export function hangUpSignal(req: Request): AbortSignal {
  const controller = new AbortController();
  req.res?.once('close', () => controller.abort());
  return controller.signal;
}

/** The first language of `Accept-Language` that Alur speaks; Indonesian when there is none. */
export function localeOf(acceptLanguage: string | undefined): Locale {
  if (acceptLanguage === undefined) return 'id';
  const ranked = acceptLanguage
    .split(',', 20)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
      const q = parameters.map((text) => /^\s*q=([\d.]+)/.exec(text)?.[1]).find((value) => value !== undefined);
      return { language: tag.split('-')[0], q: q === undefined ? 1 : Number(q) };
    })
    .toSorted((a, b) => b.q - a.q);
  return (
    LOCALES.find((locale) => locale === ranked.find(({ language, q }) => q > 0 && isLocale(language))?.language) ?? 'id'
  );
}

const isLocale = (value: string | undefined): value is Locale => LOCALES.some((locale) => locale === value);
