/**
 * The same messages for tools that speak only Temporal (its UI and CLI). Nobody waits for an answer, so a refusal is put on
 * record.
 */
import { condition, proxyActivities, setHandler } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { Actor, DecisionRequest, Reason, Refusal } from '../domain/licensing.ts';
import { refuseCancel } from '../domain/review-rules.ts';
import { clock, refusal } from './answers.ts';
import {
  approveSignal,
  cancelSignal,
  overrideSignal,
  type ReassignRequest,
  reassignSignal,
  rejectSignal,
  type SignalledDecision,
} from './messages.ts';
import { records } from './policies.ts';
import { attemptOf, type ReviewCase, situationOf, type Ticket } from './review-case.ts';
import {
  askHandover,
  cancel,
  take,
  takeOverride,
  whyNotDecide,
  whyNotHandOver,
  whyNotOverride,
} from './review-messages.ts';

const { resolveActor } = proxyActivities<Activities>({ ...records, summary: 'Find who a signal speaks for' });
const { recordRefusal } = proxyActivities<Activities>({ ...records, summary: 'Record what was refused' });

const SPOKEN_FOR = '"by": user ID or e-mail address of whoever decides, "note": text';

export function listenToSignals(theCase: ReviewCase): void {
  setHandler(approveSignal, (sent) => decideBySignal(theCase, 'approve', sent), {
    description: `Approve the open stage: { ${SPOKEN_FOR} }`,
  });
  setHandler(rejectSignal, (sent) => decideBySignal(theCase, 'reject', sent), {
    description: `Reject the application: { ${SPOKEN_FOR} }`,
  });
  setHandler(overrideSignal, (sent) => overrideBySignal(theCase, sent), {
    description: `Decide in place of whoever holds the stage, as a supervisor: { ${SPOKEN_FOR}, "decision": approve | reject | request_correction }`,
  });
  setHandler(reassignSignal, (sent) => reassignBySignal(theCase, sent), {
    description: `Give the open task to somebody, as a supervisor: { ${SPOKEN_FOR}, "to": user ID or e-mail address, null = whoever the rules choose }`,
  });
  setHandler(cancelSignal, (sent) => cancelBySignal(theCase, sent), {
    description: `Cancel a case that is none, as a supervisor: { ${SPOKEN_FOR}, "code": duplicate | fraud | other }`,
  });
}

type Found = Actor & { readonly ownCase: boolean };

/** Finds who speaks, asks the rule, and acts or records the refusal. */
async function onBehalf(
  theCase: ReviewCase,
  { by }: SignalledDecision,
  what: string,
  act: (actor: Found) => Refusal | null | Promise<Refusal | null>,
): Promise<void> {
  theCase.signals += 1;
  const attempt = theCase.again ? attemptOf(theCase, theCase.signals) : theCase.signals;
  const { applicationId } = theCase.input;
  const actor = await resolveActor({ by, applicationId });
  const why = actor ? await act(actor) : NOBODY;
  if (why) await noteRefusal(theCase, { attempt, by: actor, what, code: why.code });
}

const noteRefusal = (
  { input: { applicationId } }: ReviewCase,
  refused: { attempt: number | string; by: Actor | null; what: string; code: FailureCode },
): Promise<void> =>
  recordRefusal({
    applicationId,
    attempt: refused.attempt,
    by: refused.by?.userId ?? null,
    decision: refused.what,
    code: refused.code,
    at: clock(),
  });

const NOBODY = refusal('not_found', 'Nobody active has this ID or address.');

const worded = ({ note }: SignalledDecision): Reason[] => [
  { code: 'other', ...(note === undefined ? {} : { text: note }) },
];

/** What the records say against it comes later, to the same place. */
async function outcomeOf(ticket: Ticket): Promise<Refusal | null> {
  await condition(() => ticket.outcome !== null);
  return ticket.outcome && 'code' in ticket.outcome ? ticket.outcome : null;
}

const decideBySignal = (theCase: ReviewCase, decision: 'approve' | 'reject', sent: SignalledDecision): Promise<void> =>
  onBehalf(theCase, sent, decision, (actor) => {
    const note = sent.note === undefined ? {} : { note: sent.note };
    const reasons = decision === 'reject' ? worded(sent) : [];
    const request: DecisionRequest = { by: actor, decision, reasons, ownCase: actor.ownCase, ...note };
    return whyNotDecide(theCase, request) ?? outcomeOf(take(theCase, request));
  });

const overrideBySignal = (
  theCase: ReviewCase,
  sent: SignalledDecision & { readonly decision: 'approve' | 'reject' | 'request_correction' },
): Promise<void> =>
  onBehalf(theCase, sent, 'override', (actor) => {
    const { decision, note: reason = '' } = sent;
    const reasons = decision === 'approve' ? [] : worded(sent);
    const request = { by: actor, decision, reasons, reason, ownCase: actor.ownCase };
    return whyNotOverride(theCase, request) ?? outcomeOf(takeOverride(theCase, request));
  });

const reassignBySignal = (
  theCase: ReviewCase,
  sent: SignalledDecision & { readonly to: string | null },
): Promise<void> =>
  onBehalf(theCase, sent, 'reassign', async (actor) => {
    if (!actor.roles.includes('supervisor')) return SUPERVISORS_ONLY;
    const { applicationId } = theCase.input;
    const to = sent.to === null ? null : await resolveActor({ by: sent.to, applicationId });
    if (sent.to !== null && !to) return NOBODY;
    await condition(() => !theCase.opening);
    const request: ReassignRequest = { by: actor, to: to?.userId ?? null, reason: sent.note ?? '', kind: 'reassign' };
    const why = whyNotHandOver(theCase, request);
    if (why) return why;
    const handover = askHandover(theCase, request);
    await condition(() => handover.outcome !== null);
    return handover.outcome && 'code' in handover.outcome ? handover.outcome : null;
  });

const cancelBySignal = (
  theCase: ReviewCase,
  sent: SignalledDecision & { readonly code: 'duplicate' | 'fraud' | 'other' },
): Promise<void> =>
  onBehalf(theCase, sent, 'cancel', (actor) => {
    const why = refuseCancel(situationOf(theCase), actor);
    if (why) return why;
    cancel(theCase, { by: actor, code: sent.code, reason: sent.note ?? '' });
    return null;
  });

const SUPERVISORS_ONLY = refusal('forbidden', 'Only a supervisor may do this. Ask one.');
