import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { TextMessageOutcome } from '../activities/sms/send.ts';
import { textMessages } from './policies.ts';

const { sendTextMessage } = proxyActivities<Activities>({ ...textMessages, summary: 'Send a code by SMS' });

/** One code on its way to a telephone. @param sentCodeId names it; neither code nor number is in here */
export async function textMessage(sentCodeId: string): Promise<TextMessageOutcome> {
  return sendTextMessage(sentCodeId);
}
