import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { SendMail } from '../activities/mail/send.ts';
import type { ApplicationId, UserId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { mail } from './policies.ts';

const { sendMail } = proxyActivities<Activities>({ ...mail, summary: 'Send a letter' });

export type Enclosed = Omit<SendMail, 'key' | 'template' | 'to' | 'applicationId' | 'at'>;

/**
 * The outgoing post of one process: letters leave in order, beside the story and never in its way. A mail server that
 * is away for a day must not hold up a decision.
 */
export function openPost(sender: string, applicationId: ApplicationId) {
  let written = 0;
  let left = 0;
  let underway: Promise<unknown> = Promise.resolve();
  return {
    /** @param about names the letter where one process may write the same more than once, in whichever order; else counted */
    write(template: SendMail['template'], to: UserId, enclosed: Enclosed = {}, about?: string): void {
      written += 1;
      const letter: SendMail = {
        key: about ? `mail/${about}/${template}/${to}` : `${sender}/mail/${written}/${template}`,
        template,
        to,
        applicationId,
        at: clock(),
        ...enclosed,
      };
      underway = underway.then(async () => {
        await sendMail.executeWithOptions({ ...mail, summary: `Mail: ${template}` }, [letter]);
        left += 1;
      });
    },
    /** Whether every letter written so far has left. */
    isEmpty: (): boolean => left === written,
    /** Resolves when every letter has left; a process ends only then. */
    delivered: async (): Promise<void> => {
      await underway;
    },
  };
}
