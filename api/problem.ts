/** Refusals as RFC 9457 problem+json, in the reader's language. */
import type { Request } from 'express';
import { findUserNames } from '../db/users.ts';
import type { Failure, FailureFacts } from '../domain/failures.ts';
import { asId, type UserId } from '../domain/ids.ts';
import { isStaff } from '../domain/roles.ts';
import type { Answer } from './answer.ts';
import type { ApiDeps } from './deps.ts';
import { PROBLEM_TYPES } from './errors.ts';
import { isStillRunning, RETRY_AFTER_SECONDS, toFailure } from './failures.ts';
import { loggable } from './logging.ts';
import { type Locale, localeOf } from './request.ts';

/** Answers whatever was thrown; what a person must look into is logged with the request's ID. */
export async function answerToError(error: unknown, req: Request, deps: ApiDeps): Promise<Answer> {
  const locale = localeOf(req.headers['accept-language']);
  if (isStillRunning(error)) return accepted(req, locale);
  const failure = toFailure(error, req.gone);
  log(failure, req, deps);
  return problem(failure, req, locale, deps.publicUrl, await conflictOf(failure, req, deps));
}

/** Who came first, with the name, for staff; an owner does not learn who works on the case. */
interface Conflict {
  readonly decidedBy: { readonly id: string; readonly name: string | null };
  readonly decidedAt: string | undefined;
  readonly decision: string | undefined;
  readonly stage: string | undefined;
}

async function conflictOf({ facts }: Failure, req: Request, deps: ApiDeps): Promise<Conflict | undefined> {
  const { decidedBy, decidedAt, decision, stage } = facts;
  if (decidedBy === undefined || !req.actor || !isStaff(req.actor.roles)) return undefined;
  const id = asId<UserId>(decidedBy);
  const names = await findUserNames(deps.db, [id]);
  return { decidedBy: { id, name: names.get(id) ?? null }, decidedAt, decision, stage };
}

function problem(failure: Failure, req: Request, locale: Locale, publicUrl: string, conflict?: Conflict): Answer {
  const { code, facts } = failure;
  const { status, title } = PROBLEM_TYPES[code];
  const body = {
    type: `${publicUrl}/problems/${code}`,
    title: title[locale],
    status,
    detail: detailOf(failure, locale, conflict),
    code,
    instance: req.originalUrl.split('?', 1)[0],
    requestId: req.requestId,
    errors: facts.errors,
    state: facts.state,
    stage: facts.stage,
    applicationId: facts.applicationId,
    opensAt: facts.opensAt,
    reason: facts.reason,
    until: facts.until,
    conflict,
  };
  return {
    status,
    headers: {
      ...headersFor(status, facts),
      'Content-Type': 'application/problem+json; charset=utf-8',
      'Cache-Control': 'no-store',
    },
    body: JSON.stringify(body),
  };
}

function detailOf({ code, message }: Failure, locale: Locale, conflict?: Conflict): string {
  const { detail } = PROBLEM_TYPES[code];
  const known = locale === 'en' && message !== '' && code !== 'internal_error' ? message : detail[locale];
  return conflict?.decidedBy.name ? `${known} ${firstWas(conflict, conflict.decidedBy.name)[locale]}` : known;
}

const firstWas = ({ decision, decidedAt }: Conflict, name: string) => ({
  id: `Yang lebih dahulu: ${name} (${decision}, ${decidedAt}).`,
  en: `First was ${name} (${decision}, ${decidedAt}).`,
});

function headersFor(status: number, facts: FailureFacts): Record<string, string> {
  if (status === 401) return { 'WWW-Authenticate': 'Bearer' };
  const seconds = facts.retryAfterSeconds ?? (status === 503 ? RETRY_AFTER_SECONDS : undefined);
  return seconds === undefined ? {} : { 'Retry-After': String(seconds) };
}

/** The process has the message and works on it; the repeat with the same key gets its answer. */
function accepted(req: Request, locale: Locale): Answer {
  const sentences = {
    id: 'Permintaan sudah diterima dan masih diproses. Ulangi dengan Idempotency-Key yang sama untuk mendapat jawabannya.',
    en: 'The request is accepted and still being worked on. Repeat it with the same Idempotency-Key to get its answer.',
  };
  return {
    status: 202,
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'Retry-After': String(RETRY_AFTER_SECONDS) },
    body: JSON.stringify({ status: 'accepted', detail: sentences[locale], requestId: req.requestId }),
  };
}

function log(failure: Failure, req: Request, { logger }: ApiDeps): void {
  const context = { requestId: req.requestId, pattern: req.pattern, err: loggable(failure.cause ?? failure) };
  if (failure.code === 'internal_error') logger.error(context, 'a request failed unexpectedly');
  if (failure.code === 'temporarily_unavailable') logger.warn(context, 'Temporal or PostgreSQL is away');
}
