/** A case that is judged by another policy from now on. */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { clock } from './answers.ts';
import { records } from './policies.ts';
import { attemptOf, planAnew, type ReviewCase, sentWith, show } from './review-case.ts';
import type { OpenTask } from './review-details.ts';

const { movePolicy, readPlan } = proxyActivities<Activities>({
  ...records,
  summary: 'Judge the case by another policy, plan what is open anew',
});

/**
 * Carries out the first move that waits. The open stage keeps its seats and its votes; its time, the ladder, what comes after
 * it and what the applicant is asked follow the new policy.
 * @param task null = no stage is open
 */
export async function carryOutMove(theCase: ReviewCase, task: OpenTask | null): Promise<void> {
  const move = theCase.moves[0];
  if (!move) return;
  const { input, round, stage } = theCase;
  const { by, policy, reason } = move.request;
  theCase.movesDone += 1;
  const { applicationId, typeCode } = input;
  const open = task && stage ? (policy.stages.find((each) => each.stage === stage.stage) ?? stage) : null;
  await movePolicy({
    applicationId,
    typeCode,
    round,
    by: by.userId,
    policy,
    reason,
    stage: open,
    attempt: attemptOf(theCase, theCase.movesDone),
    at: clock(),
    ...sentWith(move.request),
  });
  theCase.policy = policy;
  const now = await readPlan({ applicationId, round, stage: task?.stage ?? null });
  theCase.legalDueAt = now.legalDueAt;
  if (task) planAnew(task, now);
  show(theCase, task ? null : now.dueAt);
  theCase.moves.shift();
  move.isDone = true;
}
