/** Codes that Alur sends: one interface, by e-mail or by SMS. */
import { randomUUID } from 'node:crypto';
import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { sentCode } from '../db/one-time-secrets.ts';
import {
  addSentCode,
  dropSentCode,
  liveSentCode,
  methodsOf,
  noteWrongSentCode,
  queueForPerson,
  type SentCode,
  sendsSince,
  useSentCode,
} from '../db/second-factors.ts';
import { Failure } from '../domain/failures.ts';
import type { UserId } from '../domain/ids.ts';
import { nextSendAt, SEND_PAUSE_SECONDS, SENT_CODE_SECONDS, type SentKind } from '../domain/second-factors.ts';
import { textMessageId } from '../workflows/ids.ts';
import { dispatchLetter } from './account-letters.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';
import { isSameSecret } from './secrets.ts';

type Deps = Pick<ApiDeps, 'db' | 'temporal' | 'taskQueue' | 'logger' | 'secretKey' | 'smsOffered'>;

export interface CodeSent {
  readonly expiresInSeconds: number;
  /** Until another can be asked for. */
  readonly nextInSeconds: number;
}

export interface Channel {
  /**
   * Puts a code on its way; an earlier one counts no more.
   * @param prepare is done in the transaction of the code, before it, unless no code may be sent
   * @throws Failure `rate_limited`: one a minute and five an hour; `code_not_sent`
   */
  send(userId: UserId, prepare?: (trx: Knex.Transaction, at: Date) => Promise<void>): Promise<CodeSent>;
  /** Uses the code up when it is the newest one's; after five wrong ones that counts no more. @param code six digits */
  verify(trx: Knex.Transaction, userId: UserId, code: string, at: Date): Promise<boolean>;
}

export function channelFor(kind: SentKind, deps: Deps): Channel {
  return {
    send: async (userId, prepare) => {
      if (kind === 'sms' && !deps.smsOffered) throw noProvider();
      const code = newCode(userId, kind);
      await deps.db.transaction(async (trx) => {
        await queueForPerson(trx, userId);
        await refuseTooSoon(trx, code);
        await prepare?.(trx, code.createdAt);
        await addSentCode(trx, code);
        if (kind === 'email') await writeLetter(trx, letterOf(code));
      });
      await handOver(code, deps);
      return { expiresInSeconds: SENT_CODE_SECONDS, nextInSeconds: SEND_PAUSE_SECONDS };
    },
    verify: async (trx, userId, code, at) => {
      const id = await liveSentCode(trx, userId, kind, at);
      if (id === null) return false;
      if (isSameSecret(code, sentCode(deps.secretKey, id))) return useSentCode(trx, id, at);
      await noteWrongSentCode(trx, id);
      return false;
    },
  };
}

/** By a channel that this person has confirmed. @throws Failure also `second_factor_missing` */
export async function sendConfirmed(deps: Deps, userId: UserId, kind: SentKind): Promise<CodeSent> {
  if (!(await methodsOf(deps.db, userId)).includes(kind)) throw new Failure('second_factor_missing', '');
  return channelFor(kind, deps).send(userId);
}

function newCode(userId: UserId, kind: SentKind): SentCode {
  const createdAt = new Date();
  const expiresAt = new Date(createdAt.getTime() + SENT_CODE_SECONDS * 1000);
  return { id: randomUUID(), userId, kind, createdAt, expiresAt };
}

/** The letter makes the code from its ID. */
const letterOf = ({ id, userId, createdAt }: SentCode) =>
  ({ id, template: 'login_code', userId, data: {}, at: createdAt }) as const;

async function refuseTooSoon(trx: Knex.Transaction, { userId, kind, createdAt }: SentCode): Promise<void> {
  const hourAgo = new Date(createdAt.getTime() - 3_600_000);
  const next = nextSendAt(await sendsSince(trx, userId, kind, hourAgo), createdAt);
  if (!next) return;
  const retryAfterSeconds = Math.ceil((next.getTime() - createdAt.getTime()) / 1000);
  throw new Failure('rate_limited', 'Codes were sent a short while ago. Wait for Retry-After, then ask for another.', {
    retryAfterSeconds,
  });
}

/** A letter that is not handed over now is swept up; a text message is worth nothing later, so its failure is said. */
async function handOver(code: SentCode, deps: Deps): Promise<void> {
  if (code.kind === 'email') return void dispatchLetter(deps, code.id);
  try {
    await withinTime(deps.temporal, () => startTextMessage(code.id, deps));
  } catch (error) {
    deps.logger.warn({ code: toFailure(error).code }, 'a text message could not be handed over');
    await dropSentCode(deps.db, code.id);
    throw new Failure('code_not_sent', '', { retryAfterSeconds: 30 });
  }
}

const startTextMessage = (id: string, { temporal, taskQueue }: Deps) =>
  temporal.workflow.start('textMessage', {
    workflowId: textMessageId(id),
    taskQueue,
    args: [id],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    staticSummary: 'A code by SMS',
  });

const noProvider = () =>
  new Failure('code_not_sent', 'This office sends no text messages. Use an authenticator app, or codes by e-mail.');
