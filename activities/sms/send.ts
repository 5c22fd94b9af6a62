/**
 * Sending a code by text message. A workflow's history is read by many, so it holds the ID only: the code is made from it,
 * and the number opened, here.
 */
import { ApplicationFailure } from '@temporalio/activity';
import { sentCode } from '../../db/one-time-secrets.ts';
import { SECRET_COLUMN, textMessageOf } from '../../db/second-factors.ts';
import type { Locale } from '../../domain/mail.ts';
import { SENT_CODE_SECONDS } from '../../domain/second-factors.ts';
import type { ActivityDeps } from '../deps.ts';
import { SmsError, type SmsSender } from './sender.ts';

/** `over`: used, replaced or too old before it could leave. */
export type TextMessageOutcome = 'sent' | 'over' | 'refused' | 'no_provider';

export function createTextMessageActivities(deps: Pick<ActivityDeps, 'db' | 'personalData' | 'secretKey' | 'sms'>) {
  return {
    async sendTextMessage(sentCodeId: string): Promise<TextMessageOutcome> {
      const message = await textMessageOf(deps.db, sentCodeId, new Date());
      if (!message) return 'over';
      if (!deps.sms) return 'no_provider';
      const code = sentCode(deps.secretKey, sentCodeId);
      return send(deps.sms, {
        id: sentCodeId,
        to: deps.personalData.open(message.secretEncrypted, SECRET_COLUMN),
        text: WORDS[message.locale](code),
      });
    },
  };
}

async function send(sms: SmsSender, message: Parameters<SmsSender['send']>[0]): Promise<'sent' | 'refused'> {
  try {
    await sms.send(message);
    return 'sent';
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    if (error.kind === 'refused') return 'refused';
    // Where it is unknown whether it left, the same code may come twice, which harms nobody.
    throw ApplicationFailure.retryable(error.message, 'text_message_delayed');
  }
}

const MINUTES = SENT_CODE_SECONDS / 60;
/** Fit one message of 160 characters. */
const WORDS: Readonly<Record<Locale, (code: string) => string>> = {
  id: (code) =>
    `${code} adalah kode Alur Anda, berlaku ${MINUTES} menit. Jangan berikan kepada siapa pun, juga petugas.`,
  en: (code) => `${code} is your Alur code, good for ${MINUTES} minutes. Give it to nobody, not even to the office.`,
};
