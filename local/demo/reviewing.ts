/** The office's part: each stage is found in somebody's inbox, and decided there; of a quorum, seat by seat. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import { isStage, type Stage } from '../../domain/licensing.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import type { DemoAccount } from '../demo-data.ts';
import { DemoFailure } from './failure.ts';
import { jakartaTime, type Story, statusOnce, workflowLink } from './story.ts';

const REVIEWERS = [
  'verifier',
  'examiner',
  'approver',
  'approver2',
  'head',
  'supervisor',
] as const satisfies readonly DemoAccount[];
const FOUND_WITHIN_MS = 30_000;

/** Approves stage by stage, a seat at a time, until the office has nothing left to decide. */
export async function review(story: Story, id: string): Promise<void> {
  const past = 'the office had decided';
  for (;;) {
    const { state } = await statusOnce(
      story,
      id,
      past,
      (now) => isStage(now.state) || now.invoice !== undefined || now.license !== undefined,
    );
    if (!isStage(state)) return;
    await approve(story, id, state);
  }
}

async function approve(story: Story, id: string, stage: Stage): Promise<void> {
  const { client, narrator } = story;
  const { account, dueAt, seat, seats } = await holderOf(story, id, stage);
  const found = seats > 1 ? `finds it in the inbox (seat ${seat} of ${seats})` : 'finds it in the inbox';
  await narrator.step({ who: account, what: `${found}, due ${jakartaTime(dueAt)}`, state: stage });
  const decided = z.object({ state: z.string() });
  const { state } = await client.post(decided, `licenses/approve/${id}`, {
    as: account,
    body: { note: 'Checked in the demonstration.' },
  });
  await narrator.step({
    who: account,
    what: `${seats > 1 ? 'votes to approve at' : 'approves'} the ${stage.replaceAll('_', ' ')}`,
    state,
    more: workflowLink(story, licenseReviewId(asId(id))),
  });
}

/** Whose inbox it is in; assignment follows the state by a moment. */
async function holderOf(story: Story, id: string, stage: Stage): Promise<Task & { account: DemoAccount }> {
  const giveUpAt = performance.now() + FOUND_WITHIN_MS;
  for (;;) {
    for (const account of REVIEWERS) {
      const item = (await inboxOf(story, account)).find((one) => one.applicationId === id && one.stage === stage);
      if (item) return { ...item, account };
    }
    if (performance.now() > giveUpAt)
      throw new DemoFailure(`Nobody of ${REVIEWERS.join(', ')} has the ${stage} of ${id} in the inbox.`);
    await setTimeout(200);
  }
}

const taskShape = z.object({
  applicationId: z.string(),
  stage: z.string(),
  dueAt: z.string(),
  seat: z.number(),
  seats: z.number(),
});
type Task = z.infer<typeof taskShape>;
const inboxShape = z.object({ items: z.array(taskShape), nextCursor: z.string().nullable() });

async function inboxOf({ client }: Story, account: DemoAccount) {
  await client.logIn(account);
  const items: Task[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: z.infer<typeof inboxShape> = await client.get(inboxShape, `licenses/assigned?limit=100${after}`, {
      as: account,
    });
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}
