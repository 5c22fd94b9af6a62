/** The same key and body → the first answer, once done; see db/idempotency.ts for who does the work. */
import { createHash, createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Request } from 'express';
import { type Claim, claimKey, releaseClaim, storeAnswer } from '../../db/idempotency.ts';
import { derive } from '../../db/personal-data.ts';
import { Failure } from '../../domain/failures.ts';
import type { Answer } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { loggable } from '../logging.ts';
import type { UploadedFile } from '../route.ts';

const VISIBLE = /^[\x21-\x7e]{1,255}$/;
const WAIT_MS = 10_000;

/** @throws Failure `invalid_request` for a key that is not 1–255 visible characters. */
export function idempotencyKeyOf(req: Request): string | undefined {
  const key = req.get('idempotency-key');
  if (key === undefined || VISIBLE.test(key)) return key;
  throw new Failure('invalid_request', 'Idempotency-Key takes 1 to 255 visible ASCII characters, best a fresh UUID.', {
    errors: [{ pointer: '', code: 'invalid_idempotency_key', detail: '1–255' }],
  });
}

/** Does `work` unless this request was answered before; then that answer comes back, marked. */
export type Once = (scope: string, requestHash: string, work: () => Promise<Answer>) => Promise<Answer>;

export function createOnce({ db, logger }: Pick<ApiDeps, 'db' | 'logger'>): Once {
  return async (scope, requestHash, work) => {
    const claim = await claimOrWait(() => claimKey(db, scope, requestHash));
    switch (claim.state) {
      case 'answered':
        return { ...claim.answer, headers: { ...claim.answer.headers, 'Idempotency-Replayed': 'true' } };
      case 'reused':
        throw new Failure('idempotency_key_reused', '');
      case 'in_progress':
        throw new Failure('request_in_progress', '', { retryAfterSeconds: 2 });
      case 'claimed':
        return settle(await work(), claim.token);
    }

    async function settle(answer: Answer, token: string): Promise<Answer> {
      try {
        await (isFinal(answer) ? storeAnswer(db, scope, token, answer) : releaseClaim(db, scope, token));
      } catch (error) {
        // The work is done and its answer must go out; a repeat takes the claim over and meets its own rows.
        logger.warn({ err: loggable(error) }, 'an answer could not be kept for a repeat of its request');
      }
      return answer;
    }
  };
}

/** What may come out otherwise next time is not kept. */
const isFinal = ({ status }: Answer): boolean => status < 500 && status !== 202 && status !== 429;

/** Asks at growing intervals until the first request with this key is through, for 10 seconds at most. */
async function claimOrWait(claim: () => Promise<Claim>): Promise<Claim> {
  const giveUpAt = performance.now() + WAIT_MS;
  for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
    const found = await claim();
    if (found.state !== 'in_progress' || performance.now() + pause > giveUpAt) return found;
    await delay(pause);
  }
}

/** A keyed hash: bodies hold passwords and tax numbers, and a plain hash of a short one could be guessed. */
export function createRequestHash(secretKey: Buffer): (req: Request, file: UploadedFile | undefined) => string {
  const key = derive(secretKey, 'alur/idempotency/request-hash');
  return (req, file) => {
    const hmac = createHmac('sha256', key).update(JSON.stringify([req.query, req.body ?? null]));
    if (file) hmac.update(file.filename).update(createHash('sha256').update(file.content).digest());
    return hmac.digest('hex');
  };
}
