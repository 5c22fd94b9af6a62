/** One stage of a review: opened, its ladder climbed, its seats handed over, until it is decided or something ends it. */
import { condition, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { OpenStage, StageNow } from '../activities/review-stages.ts';
import type { UserId } from '../domain/ids.ts';
import { type DecisionMade, type Reason, type Refusal, type StagePolicy, stageAfter } from '../domain/licensing.ts';
import { tally } from '../domain/quorum.ts';
import { clock, refusal } from './answers.ts';
import { records } from './policies.ts';
import { type AnswerHeard, waitForAnswer } from './review-announcement.ts';
import {
  billOf,
  destination,
  followPlan,
  notNow,
  type ReviewCase,
  sentWith,
  show,
  type Ticket,
  tell,
  until,
} from './review-case.ts';
import type { OpenTask, Seat } from './review-details.ts';
import { alarm, carryOutOffer, handOver } from './review-handover.ts';
import { escalate } from './review-ladder.ts';
import { byLaw, deems, isOverByLaw } from './review-law.ts';
import { carryOutMove } from './review-policy.ts';

const { openStage, readPlan } = proxyActivities<Activities>({
  ...records,
  summary: 'Open the stage: reviewers, tasks, deadlines',
});
const { recordDecision } = proxyActivities<Activities>({ ...records, summary: 'Record the decision' });

/** What a stage came to. */
export type StageEnd =
  | { readonly end: 'approved' | 'approved_by_law' | 'given_up' }
  | { readonly end: 'rejected'; readonly reasons: readonly Reason[] }
  | { readonly end: 'correction'; readonly reasons: readonly Reason[]; readonly by: UserId; readonly holders: Holders };

type Announced = { readonly end: 'announced'; readonly reasons: readonly Reason[]; readonly by: UserId };

/** Who had a stage, and shall have it again: of the only seat, or of each. */
export type Holders = Pick<OpenStage, 'preferred' | 'preferredSeats'>;

/** What a stage that is taken up again knows of the time before. */
export type Before = Holders & Pick<OpenStage, 'usedMs'>;

/** Opens the stage and waits until it is decided; `given_up` when the applicant withdraws first, or a supervisor cancels. */
export async function decideStage(theCase: ReviewCase, stage: StagePolicy, before: Before): Promise<StageEnd> {
  if (theCase.ending) return { end: 'given_up' };
  if (isOverByLaw(theCase) && (await byLaw(theCase, null))) return { end: 'approved_by_law' };
  let task = await open(theCase, stage, before);
  for (;;) {
    const ended = await waitForEnd(theCase, task, stage);
    if (ended.end !== 'announced') return ended;
    const answer = await waitForAnswer(theCase, stage, ended);
    if (!answer) return { end: 'given_up' };
    task = await open(theCase, stage, before, answer);
    answer.announcement.isOver = true;
  }
}

async function open(theCase: ReviewCase, stage: StagePolicy, before: Before, answer?: AnswerHeard): Promise<OpenTask> {
  const { input, policy, round, post } = theCase;
  const { legalWorkingDays, ladder } = policy;
  theCase.opening = true;
  const opened = await openStage({
    applicationId: input.applicationId,
    typeCode: input.typeCode,
    round,
    ...stage,
    legalWorkingDays,
    ladder,
    ...before,
    at: clock(),
    ...(answer ? { afterIntent: { response: answer.response }, ...sentWith(answer.sent) } : {}),
  });
  const task = openTask(theCase, stage, opened);
  theCase.task = task;
  theCase.stage = stage;
  theCase.opening = false;
  theCase.state = stage.stage;
  if (opened.legalDueAt !== undefined) theCase.legalDueAt = opened.legalDueAt;
  show(theCase);
  for (const { assignee, vote } of task.seats)
    if (assignee && vote === null) post.write('task_assigned', assignee, { stage: stage.stage, dueAt: task.dueAt });
  alarm(theCase, task, opened.supervisors ?? []);
  return task;
}

/** Histories of before know of one seat, and of nothing that had fired. */
function openTask({ decisions, round }: ReviewCase, stage: StagePolicy, opened: OldStageNow): OpenTask {
  const seats = opened.seats ?? [{ seat: 1, role: stage.role, assignee: opened.assignee }];
  const fired = opened.fired ?? [];
  return {
    stage: stage.stage,
    dueAt: opened.plan.dueAt,
    rungs: opened.plan.rungs.filter(({ code }) => !fired.includes(code)),
    fired: new Set(fired),
    rejections: [],
    seats: seats.map((seat) => ({
      ...seat,
      vote:
        decisions.find(
          (made) =>
            made.round === round &&
            made.stage === stage.stage &&
            made.decision !== 'intend_to_reject' &&
            (made.seat ?? 1) === seat.seat,
        )?.decision ?? null,
    })),
  };
}

type OldStageNow = Pick<StageNow, 'assignee' | 'plan'> & Partial<StageNow>;

async function waitForEnd(theCase: ReviewCase, task: OpenTask, stage: StagePolicy): Promise<StageEnd | Announced> {
  const { tickets } = theCase;
  for (;;) {
    while (tickets.length === 0 && !theCase.ending) {
      if (await attend(theCase, task, stage)) return leave(theCase, { end: 'approved_by_law' });
    }
    const ticket = tickets[0];
    if (!ticket) return leave(theCase, { end: 'given_up' });
    const ended = await settle(theCase, task, ticket, stage);
    if (ended) return leave(theCase, ended);
  }
}

/** Nobody who waits for an answer of this stage is left without one. */
function leave<End extends StageEnd | Announced>(theCase: ReviewCase, end: End): End {
  theCase.task = null;
  for (const handover of theCase.handovers.splice(0)) handover.outcome = notNow(theCase);
  for (const offer of theCase.offers.splice(0)) offer.outcome = notNow(theCase);
  for (const ticket of theCase.tickets.splice(0)) {
    theCase.decisions.splice(theCase.decisions.indexOf(ticket.made), 1);
    ticket.outcome = beaten(theCase, ticket);
  }
  return end;
}

function beaten(theCase: ReviewCase, { made }: Ticket): Refusal {
  const first = theCase.decisions.findLast(({ round, stage }) => round === made.round && stage === made.stage);
  if (!first) return notNow(theCase);
  const { by: decidedBy, at: decidedAt, decision, stage } = first;
  return refusal('already_decided', `This stage was decided a moment before: ${decision} at ${decidedAt}.`, {
    decidedBy,
    decidedAt,
    decision,
    stage,
  });
}

/** Waits for a message or for what fires next, and acts on whichever comes first. @returns whether the law has decided */
async function attend(theCase: ReviewCase, task: OpenTask, stage: StagePolicy): Promise<boolean> {
  const { tickets, handovers, offers, moves } = theCase;
  const mustAct = () => tickets.length > 0 || theCase.ending !== null;
  const spoken = () => mustAct() || handovers.length > 0 || offers.length > 0 || moves.length > 0 || theCase.replanned;
  const next = nextAlarm(theCase, task);
  if (!next) await condition(spoken);
  else if (!(await condition(spoken, until(next.at), { summary: next.summary }))) {
    return isOverByLaw(theCase) && next.isLegal ? byLaw(theCase, stage) : escalate(theCase, task, stage);
  }
  if (mustAct()) return false;
  const handover = handovers.shift();
  // What people say comes first: a supervisor who claims the seat has it.
  const offer = handover ? undefined : offers.shift();
  if (handover) await handOver(theCase, task, handover);
  else if (offer) await carryOutOffer(theCase, task, offer);
  else if (moves.length > 0) await carryOutMove(theCase, task);
  else if (theCase.replanned) await readAgain(theCase, task);
  return false;
}

function nextAlarm(theCase: ReviewCase, task: OpenTask): { at: string; summary: string; isLegal: boolean } | null {
  const [rung] = task.rungs;
  const { legalDueAt } = theCase;
  // What falls together with the end of the legal time is still told.
  if (deems(theCase) && legalDueAt && (!rung || Date.parse(legalDueAt) < Date.parse(rung.at))) {
    return { at: legalDueAt, summary: `${task.stage}: end of the legal time`, isLegal: true };
  }
  if (!rung) return null;
  const share = 'percent' in rung ? `, ${rung.percent} % of the working time` : '';
  return { at: rung.at, summary: `${task.stage}: rung ${rung.code}${share}`, isLegal: false };
}

async function readAgain(theCase: ReviewCase, task: OpenTask): Promise<void> {
  theCase.replanned = false;
  const { input, round } = theCase;
  const now = await readPlan({ applicationId: input.applicationId, round, stage: task.stage });
  followPlan(theCase, task, now);
  show(theCase);
}

/** Writes a decision down. From here on it is durable, and whoever took it gets the answer. null = the stage stays open. */
async function settle(
  theCase: ReviewCase,
  task: OpenTask,
  ticket: Ticket,
  stage: StagePolicy,
): Promise<StageEnd | Announced | null> {
  const { input, policy, round, submissionHash } = theCase;
  const { request, made } = ticket;
  if (submissionHash === null) throw new Error('a stage is open before anything was submitted');
  const ends = endsStage(task, made, stage);
  const following = stageAfter(policy.stages, stage.stage)?.stage ?? null;
  const to = ends ? destination(policy, request.decision, following) : stage.stage;
  const next = request.decision === 'approve' ? following : null;
  const answer = await recordDecision({
    applicationId: input.applicationId,
    round,
    stage: stage.stage,
    decision: request.decision,
    by: made.by,
    at: made.at,
    reasons: request.reasons,
    note: request.note ?? null,
    submissionHash,
    to,
    nextStage: ends ? next : stage.stage,
    bill: billOf(policy, to),
    ...(made.seat === undefined ? {} : { seat: made.seat }),
    ...(made.override ? { override: true } : {}),
    ...sentWith(request),
  });
  theCase.tickets.shift();
  if (answer?.refused) {
    theCase.decisions.splice(theCase.decisions.indexOf(made), 1);
    ticket.outcome = refusal(answer.refused, REFUSED_BY_RECORD, { stage: stage.stage });
    return null;
  }
  theCase.state = to;
  if (request.decision === 'reject') task.rejections.push(...request.reasons);
  const end = ends ? endOf(task, ticket) : null;
  if (end) theCase.task = null;
  if (end?.end === 'announced') theCase.announced = made;
  ticket.outcome = { ...made, state: to };
  if (end) tell(theCase);
  else noteVote(theCase, task, made);
  return end;
}

const REFUSED_BY_RECORD = 'By the records of this moment you may not decide here any more. Read the case again.';

/** By what is on record, and this one. */
function endsStage(task: OpenTask, made: DecisionMade, { quorum }: StagePolicy): boolean {
  if (made.override) return true;
  const cast = task.seats.flatMap(({ seat, vote }) => (vote ? [{ seat, decision: vote }] : []));
  return tally(quorum, task.seats, [...cast, { seat: made.seat ?? 1, decision: made.decision }]) !== 'open';
}

function endOf({ seats, rejections }: OpenTask, { request, made }: Ticket): StageEnd | Announced {
  const { reasons } = request;
  switch (made.decision) {
    case 'approve':
      return { end: 'approved' };
    case 'reject':
      return { end: 'rejected', reasons: rejections };
    case 'intend_to_reject':
      return { end: 'announced', reasons, by: made.by };
    case 'request_correction':
      return { end: 'correction', reasons, by: made.by, holders: holdersOf(seats, made) };
  }
}

/** Whoever asked for a correction gets the case back; where a supervisor did in somebody's place, that person does. */
function holdersOf(seats: readonly Seat[], made: DecisionMade): Holders {
  const held = seats.flatMap(({ seat, assignee }) => (assignee ? [{ seat, assignee }] : []));
  if (seats.length > 1) return { preferred: null, preferredSeats: held };
  return { preferred: made.override ? (held[0]?.assignee ?? null) : made.by };
}

function noteVote(theCase: ReviewCase, task: OpenTask, { seat: voted = 1, decision }: DecisionMade): void {
  const seat = task.seats.find(({ seat: number }) => number === voted);
  if (seat) seat.vote = decision;
  show(theCase);
}
