/** What can be said to a case under review: each message is judged by the rules, and taken down for the story to act on. */
import { condition, setHandler } from '@temporalio/workflow';
import {
  type DecisionMade,
  type DecisionRequest,
  isClosed,
  type Refusal,
  refuseResponse,
  refuseResubmission,
  refuseWithdrawal,
} from '../domain/licensing.ts';
import {
  refuseCancel,
  refuseDecision,
  refuseHandover,
  refuseOffer,
  refuseOverride,
  type SeatWaiting,
  seatHeldBy,
  seatsTaken,
} from '../domain/review-rules.ts';
import { clock, refusal, refused, refuseIf } from './answers.ts';
import {
  type CancelRequest,
  cancelUpdate,
  type DecisionRecorded,
  decideUpdate,
  documentScannedSignal,
  movePolicyUpdate,
  type OverrideRequest,
  offerSeatUpdate,
  overrideUpdate,
  progressQuery,
  type ReassignRequest,
  reassignUpdate,
  replannedSignal,
  respondUpdate,
  resubmitUpdate,
  type Sent,
  withdrawUpdate,
} from './messages.ts';
import {
  type Handover,
  holderOf,
  notNow,
  type Offer,
  type PolicyMove,
  type ReviewCase,
  sentWith,
  situationOf,
  type Ticket,
} from './review-case.ts';

/** Registers every handler: to be called before the first await, so that no message comes too early. */
export function listen(theCase: ReviewCase, listenToSignals: () => void): void {
  setHandler(
    decideUpdate,
    async (request) => {
      await condition(() => !theCase.opening);
      return recorded(take(theCase, request));
    },
    { validator: (request) => refuseIf(inAMoment(theCase, whyNotDecide(theCase, request))) },
  );

  listenToSignals();

  setHandler(
    withdrawUpdate,
    async ({ by, reason, ...sent }) => {
      theCase.ending ??= { to: 'withdrawn', by: by.userId, reason, ...sentWith(sent) };
      await given(theCase);
      // A decision that was being recorded when the withdrawal came has closed or approved the case.
      if (theCase.state !== 'withdrawn') throw refused(refuseWithdrawal(theCase.state) ?? notNow(theCase));
      return { state: theCase.state };
    },
    { validator: (_request) => refuseIf(refuseWithdrawal(theCase.state)) },
  );

  setHandler(
    resubmitUpdate,
    async ({ by, ...sent }) => {
      const next = theCase.round + 1;
      theCase.resubmission ??= { by: by.userId, ...sentWith(sent) };
      await condition(() => theCase.round >= next || isClosed(theCase.state));
      // The time to answer ran out, or the applicant withdrew, while the case still looked open.
      if (theCase.round < next) throw refused(refuseResubmission(theCase.state) ?? notNow(theCase));
      return { state: theCase.state, round: theCase.round };
    },
    { validator: (_request) => refuseIf(refuseResubmission(theCase.state)) },
  );

  setHandler(
    reassignUpdate,
    async (request) => {
      await condition(() => !theCase.opening);
      const outcome = await handedOver(askHandover(theCase, request));
      if (!outcome || !('assignee' in outcome)) throw refused(outcome ?? notNow(theCase));
      return outcome;
    },
    { validator: (request) => refuseIf(inAMoment(theCase, whyNotHandOver(theCase, request))) },
  );

  setHandler(
    offerSeatUpdate,
    async (waiting) => {
      await condition(() => !theCase.opening);
      const outcome = await offered(theCase, waiting);
      if (!outcome || !('assignee' in outcome)) throw refused(outcome ?? notNow(theCase));
      return outcome;
    },
    { validator: (waiting) => refuseIf(whyNotOffer(theCase, waiting)) },
  );

  setHandler(progressQuery, () => progressOf(theCase));

  setHandler(
    respondUpdate,
    async ({ by, statementId, ...sent }) => {
      const { announcement } = theCase;
      if (!announcement) throw refused(notNow(theCase));
      announcement.response ??= { by: by.userId, statementId, ...sentWith(sent) };
      await condition(() => announcement.isOver);
      // The time to answer ran out, or the case was given up, at the same moment.
      if (!announcement.hasCounted) throw refused(notAwaited(theCase));
      return { state: theCase.state };
    },
    {
      validator: (_request) => {
        refuseIf(refuseResponse(theCase.state));
        if (theCase.announcement?.isClosed) throw refused(notAwaited(theCase));
      },
    },
  );

  setHandler(
    cancelUpdate,
    async (request) => {
      cancel(theCase, request);
      await given(theCase);
      if (theCase.state !== 'cancelled') {
        throw refused(refuseCancel(situationOf(theCase), request.by) ?? notNow(theCase));
      }
      return { state: theCase.state };
    },
    { validator: ({ by }) => refuseIf(refuseCancel(situationOf(theCase), by)) },
  );

  setHandler(
    overrideUpdate,
    async (request) => {
      await condition(() => !theCase.opening);
      return recorded(takeOverride(theCase, request));
    },
    { validator: (request) => refuseIf(inAMoment(theCase, whyNotOverride(theCase, request))) },
  );

  setHandler(
    movePolicyUpdate,
    async (request) => {
      const move: PolicyMove = { request, isDone: false };
      theCase.moves.push(move);
      await condition(() => move.isDone || refuseWithdrawal(theCase.state) !== null);
      if (!move.isDone) throw refused(refuseWithdrawal(theCase.state) ?? notNow(theCase));
      return { state: theCase.state };
    },
    { validator: (_request) => refuseIf(refuseWithdrawal(theCase.state)) },
  );

  setHandler(replannedSignal, () => {
    theCase.replanned = true;
  });
  setHandler(documentScannedSignal, () => {
    theCase.scans += 1;
  });
}

/** The record shows a new task a moment before this process hears of it: who is that quick waits for the moment. */
const inAMoment = ({ opening }: ReviewCase, why: Refusal | null): Refusal | null =>
  opening && why?.code === 'not_in_review' ? null : why;

/** Until the case has ended in the way that was asked for, or has gone another way. */
const given = (theCase: ReviewCase): Promise<void> =>
  condition(() => theCase.ending === null || theCase.state === theCase.ending.to);

async function recorded(ticket: Ticket): Promise<DecisionRecorded> {
  await condition(() => ticket.outcome !== null);
  const { outcome } = ticket;
  if (!outcome) throw new Error('a decision was answered before it had an outcome');
  if ('code' in outcome) throw refused(outcome);
  return outcome;
}

async function handedOver(handover: Handover): Promise<Handover['outcome']> {
  await condition(() => handover.outcome !== null);
  return handover.outcome;
}

/** Asked again: the case may have gone on while the offer waited for its stage. */
async function offered(theCase: ReviewCase, waiting: SeatWaiting): Promise<Offer['outcome']> {
  const why = whyNotOffer(theCase, waiting);
  if (why) return why;
  const offer: Offer = { waiting, outcome: null };
  theCase.offers.push(offer);
  await condition(() => offer.outcome !== null);
  return offer.outcome;
}

const givenUp = ({ ending, state }: ReviewCase): Refusal | null =>
  ending && refusal('already_closed', `The case has just been ${ending.to}.`, { state });

export const whyNotDecide = (theCase: ReviewCase, request: DecisionRequest): Refusal | null =>
  refuseDecision(situationOf(theCase), request) ?? givenUp(theCase);

export const whyNotOverride = (theCase: ReviewCase, request: OverrideRequest): Refusal | null =>
  refuseOverride(situationOf(theCase), request) ?? givenUp(theCase);

export const whyNotHandOver = (theCase: ReviewCase, request: ReassignRequest): Refusal | null =>
  refuseHandover(situationOf(theCase), request) ?? givenUp(theCase);

const whyNotOffer = (theCase: ReviewCase, waiting: SeatWaiting): Refusal | null =>
  refuseOffer(situationOf(theCase), waiting) ?? givenUp(theCase);

/** Accepts a decision; from now on every other one of the stage is refused, naming this one, unless it is one vote of some. */
export function take(theCase: ReviewCase, request: DecisionRequest & Sent): Ticket {
  const why = whyNotDecide(theCase, request);
  const seat = seatHeldBy(situationOf(theCase), request.by.userId);
  if (why || !seat) throw refused(why ?? notNow(theCase));
  return accept(theCase, request, theCase.stage?.quorum ? { seat: seat.seat } : {});
}

/** Every seat that has not voted falls to the supervisor, who has one voice: the first of them carries it. */
export function takeOverride(theCase: ReviewCase, request: OverrideRequest): Ticket {
  const why = whyNotOverride(theCase, request);
  const open = theCase.task?.seats.find(({ vote }) => vote === null);
  if (why || !open) throw refused(why ?? notNow(theCase));
  const { reason: note, ...rest } = request;
  const seat = theCase.stage?.quorum ? { seat: open.seat } : {};
  return accept(theCase, { ...rest, note }, { ...seat, override: true });
}

function accept(
  theCase: ReviewCase,
  request: Ticket['request'] & Pick<DecisionRequest, 'by'>,
  as: Pick<DecisionMade, 'seat' | 'override'>,
): Ticket {
  const { task, round } = theCase;
  if (!task) throw refused(notNow(theCase));
  const { by, decision } = request;
  const made: DecisionMade = { stage: task.stage, round, decision, by: by.userId, at: clock(), ...as };
  theCase.decisions.push(made);
  const ticket: Ticket = { request, made, outcome: null };
  theCase.tickets.push(ticket);
  return ticket;
}

/** @throws the refusal, when somebody has decided, or the stage is over, since it was asked */
export function askHandover(theCase: ReviewCase, request: ReassignRequest): Handover {
  const why = whyNotHandOver(theCase, request);
  if (why) throw refused(why);
  const handover: Handover = { request, outcome: null };
  theCase.handovers.push(handover);
  return handover;
}

export function cancel(theCase: ReviewCase, { by, code, reason, ...sent }: CancelRequest): void {
  theCase.ending ??= { to: 'cancelled', by: by.userId, code, reason, ...sentWith(sent) };
}

const notAwaited = ({ state }: ReviewCase): Refusal =>
  refusal('not_awaiting_response', `The case is ${state}; the time to answer is over.`, { state });

function progressOf(theCase: ReviewCase) {
  const { state, task, round, decisions, legalDueAt } = theCase;
  return {
    state,
    stage: task?.stage ?? null,
    round,
    assignee: holderOf(task),
    ...(task
      ? {
          seats: seatsTaken(situationOf(theCase)).map(({ seat, assignee }) => ({
            seat,
            assignee,
            vote: voteOf(theCase, seat),
          })),
        }
      : {}),
    legalDueAt,
    dueAt: task?.dueAt ?? null,
    nextRung: task?.rungs[0] ?? null,
    decisions,
  };
}

const voteOf = ({ task }: ReviewCase, number: number) => task?.seats.find(({ seat }) => seat === number)?.vote ?? null;
