/** A seat changes hands. */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { UserId } from '../domain/ids.ts';
import { refuseHandover, refuseOffer, seatMeant } from '../domain/review-rules.ts';
import { clock, refusal } from './answers.ts';
import { records } from './policies.ts';
import {
  attemptOf,
  followPlan,
  type Handover,
  notNow,
  type Offer,
  type ReviewCase,
  sentWith,
  show,
  situationOf,
} from './review-case.ts';
import type { OpenTask } from './review-details.ts';

const { offerSeat } = proxyActivities<Activities>({ ...records, summary: 'Give the waiting seat to whoever is free' });
const { reassignTask } = proxyActivities<Activities>({ ...records, summary: 'Hand the task to another person' });

export async function handOver(theCase: ReviewCase, task: OpenTask, handover: Handover): Promise<void> {
  const { input, round, post } = theCase;
  const { by, to, reason, kind } = handover.request;
  const situation = situationOf(theCase);
  const seat = seatMeant(situation, handover.request);
  // Somebody may have voted, or another hand-over may have come, since this one was accepted.
  const why = refuseHandover(situation, handover.request);
  if (why || !seat) {
    handover.outcome = why ?? notNow(theCase);
    return;
  }
  theCase.handoversDone += 1;
  const answer = await reassignTask({
    applicationId: input.applicationId,
    typeCode: input.typeCode,
    round,
    stage: task.stage,
    role: seat.role,
    seat: seat.seat,
    from: seat.assignee,
    by: by.userId,
    to,
    reason,
    ...(kind ? { kind } : {}),
    attempt: attemptOf(theCase, theCase.handoversDone),
    at: clock(),
    ...sentWith(handover.request),
  });
  if (answer.refused) {
    handover.outcome = refusal(answer.refused, NOT_ELIGIBLE);
    return;
  }
  if (answer.now) followPlan(theCase, task, answer.now);
  const assignee = answer.assignee === undefined ? to : answer.assignee;
  const held = task.seats.find((each) => each.seat === seat.seat);
  if (held) held.assignee = assignee;
  show(theCase);
  // Where many tasks of a person move at once, one letter tells of all.
  const toldOfAll = kind === 'bulk' || kind === 'absence';
  if (assignee && assignee !== by.userId && !toldOfAll)
    post.write('task_assigned', assignee, { stage: task.stage, dueAt: task.dueAt });
  if (!toldOfAll) alarm(theCase, task, answer.supervisors ?? []);
  handover.outcome = { assignee };
}

/** Nobody's word, so nobody is told but whoever has it now; where nobody is free after all, everybody was told before. */
export async function carryOutOffer(theCase: ReviewCase, task: OpenTask, offer: Offer): Promise<void> {
  const { input, round, post } = theCase;
  const why = refuseOffer(situationOf(theCase), offer.waiting);
  const held = task.seats.find(({ seat }) => seat === offer.waiting.seat);
  if (why || !held) {
    offer.outcome = why ?? notNow(theCase);
    return;
  }
  theCase.handoversDone += 1;
  const { assignee, isOffered, now } = await offerSeat({
    applicationId: input.applicationId,
    typeCode: input.typeCode,
    round,
    stage: task.stage,
    seat: held.seat,
    role: held.role,
    attempt: attemptOf(theCase, theCase.handoversDone),
    at: clock(),
  });
  followPlan(theCase, task, now);
  held.assignee = assignee;
  show(theCase);
  if (assignee && isOffered) post.write('task_assigned', assignee, { stage: task.stage, dueAt: task.dueAt });
  offer.outcome = { assignee };
}

const NOT_ELIGIBLE =
  'This person may not hold the task: not in its role, absent, the applicant, in conflict, or busy elsewhere in the case.';

/** Nobody was free: whoever may take it is told at once, and by the ladder after that. */
export function alarm({ post }: ReviewCase, task: OpenTask, supervisors: readonly UserId[]): void {
  for (const supervisor of supervisors)
    post.write('task_unassigned', supervisor, { stage: task.stage, dueAt: task.dueAt });
}
