/** The rungs of the escalation ladder: whom each tells, once. */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { RungFired } from '../activities/review-stages.ts';
import type { Rung } from '../domain/escalation.ts';
import type { UserId } from '../domain/ids.ts';
import type { StagePolicy } from '../domain/licensing.ts';
import { clock } from './answers.ts';
import { records } from './policies.ts';
import { followPlan, type ReviewCase, show } from './review-case.ts';
import type { OpenTask } from './review-details.ts';

const { fireRung } = proxyActivities<Activities>({ ...records, summary: 'Fire a rung of the escalation ladder' });

/** Fires the next rung. Only the record knows whether it is due: the calendar may have been changed. @returns false */
export async function escalate(theCase: ReviewCase, task: OpenTask, { stage }: StagePolicy): Promise<boolean> {
  const [rung] = task.rungs;
  if (!rung) return false;
  const { input, round } = theCase;
  const former = openHolders(task);
  const fired = await fireRung({
    applicationId: input.applicationId,
    typeCode: input.typeCode,
    round,
    stage,
    code: rung.code,
    handOver: rung.action === 'hand_over',
    assignee: former[0] ?? null,
    at: clock(),
  });
  if (fired.notYet) {
    followPlan(theCase, task, fired.notYet);
    show(theCase);
    return false;
  }
  task.rungs.shift();
  task.fired.add(rung.code);
  if (fired.now) followPlan(theCase, task, fired.now);
  takeOver(task, fired);
  show(theCase);
  tellOf(theCase, task, rung, { fired, former });
  return false;
}

const openHolders = ({ seats }: OpenTask): UserId[] =>
  seats.flatMap(({ assignee, vote }) => (assignee && vote === null ? [assignee] : []));

/** Histories of before know of one seat. */
function takeOver(task: OpenTask, { seats, assignee }: RungFired): void {
  for (const held of task.seats) {
    const now = seats ? seats.find(({ seat }) => seat === held.seat)?.assignee : assignee;
    if (now !== undefined) held.assignee = now;
  }
}

function tellOf(
  { post }: ReviewCase,
  task: OpenTask,
  { action }: Rung,
  { fired, former }: { fired: RungFired; former: readonly UserId[] },
): void {
  const about = { stage: task.stage, dueAt: task.dueAt, about: former[0] ?? null };
  switch (action) {
    case 'remind_assignee':
      for (const person of former) post.write('task_reminder', person, about);
      return;
    case 'warn_supervisor':
      for (const person of new Set([...former, ...fired.supervisors])) post.write('task_at_risk', person, about);
      return;
    case 'hand_over': {
      const took = openHolders(task).filter((person) => !former.includes(person));
      for (const person of took.length > 0 ? took : fired.supervisors) post.write('task_breached', person, about);
      return;
    }
    case 'tell_head':
    case 'tell_everybody': {
      const everybody = new Set([...(fired.heads ?? []), ...fired.supervisors, ...openHolders(task)]);
      const lastDay = action === 'tell_everybody';
      for (const person of everybody) post.write('task_overdue', person, { ...about, lastDay });
      return;
    }
  }
}
