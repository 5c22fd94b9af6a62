/** Mail that arrives in the mailbox of this machine. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { DemoClient } from './client.ts';
import { DemoFailure } from './failure.ts';

const letterShape = z.object({
  id: z.string(),
  receivedAt: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  attachments: z.array(z.object({ filename: z.string(), bytes: z.number() })),
});
export type Letter = z.infer<typeof letterShape> & {
  /** Where a person reads it. */
  readonly url: string;
};

export interface Expected {
  readonly what: string;
  readonly to: string;
  /** ISO 8601; older ones are of an earlier story. */
  readonly since: string;
  readonly fits: (letter: z.infer<typeof letterShape>) => boolean;
}

const WITHIN_MS = 30_000;

/** The first letter that fits, be it there already or still to come. @throws DemoFailure when none comes in time */
export async function letterFrom(client: DemoClient, mailbox: string, expected: Expected): Promise<Letter> {
  const until = performance.now() + WITHIN_MS;
  const { to, since, fits } = expected;
  for (;;) {
    const letters = await client.get(z.array(letterShape), `${mailbox}/api/messages`);
    const found = letters.find((letter) => letter.to.includes(to) && letter.receivedAt >= since && fits(letter));
    if (found) return { ...found, url: `${mailbox}/messages/${found.id}` };
    if (performance.now() > until)
      throw new DemoFailure(
        `No mail with ${expected.what} has come to ${to}; look into ${mailbox} and the worker's log.`,
      );
    await setTimeout(200);
  }
}
