/**
 * A licence application, from submission to its end:
 *
 *   submitted → completeness → document_verification → compliance_check → approval → payment → active
 *
 * Low risks go submitted → auto_check → payment → active. A reviewer may ask for corrections at any stage, which gives
 * the case back and stops the clock; the applicant may withdraw until the office has decided.
 * The stages, roles, shares of the legal time and the ladder come from the policy that the case pinned at submission.
 */
import {
  allHandlersFinished,
  condition,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { Sha256, UserId } from '../domain/ids.ts';
import {
  type Actor,
  type ApplicationState,
  type Decision,
  type DecisionMade,
  type DecisionRequest,
  isClosed,
  isFree,
  type Reason,
  type Refusal,
  type ReviewSituation,
  refuseDecision,
  refuseResubmission,
  refuseWithdrawal,
  type StagePolicy,
} from '../domain/licensing.ts';
import { activation } from './activation.ts';
import { clock, refusal, refused, refuseIf } from './answers.ts';
import { activationId } from './ids.ts';
import {
  approveSignal,
  type DecisionRecorded,
  decideUpdate,
  type LicenseReviewInput,
  progressQuery,
  type ReviewOutcome,
  reassignUpdate,
  rejectSignal,
  resubmitUpdate,
  type Sent,
  type SignalledDecision,
  withdrawUpdate,
} from './messages.ts';
import { records } from './policies.ts';
import { openPost } from './post.ts';
import { describeReview, type OpenTask } from './review-details.ts';
import {
  assigneeAttribute,
  companyAttribute,
  dueAtAttribute,
  stageAttribute,
  typeAttribute,
} from './search-attributes.ts';

const { receiveSubmission } = proxyActivities<Activities>({
  ...records,
  summary: 'Freeze the submission, check it for completeness',
});
const { openStage } = proxyActivities<Activities>({ ...records, summary: 'Open the stage: reviewer, task, deadlines' });
const { approveAutomatically } = proxyActivities<Activities>({
  ...records,
  summary: 'Approve a complete low-risk application',
});
const { recordDecision } = proxyActivities<Activities>({ ...records, summary: 'Record the decision' });
const { fireRung } = proxyActivities<Activities>({ ...records, summary: 'Fire a rung of the escalation ladder' });
const { askForCorrection } = proxyActivities<Activities>({ ...records, summary: 'Give the case back, stop the clock' });
const { closeCase } = proxyActivities<Activities>({ ...records, summary: 'Close the case' });
const { reassignTask } = proxyActivities<Activities>({ ...records, summary: 'Hand the task to another person' });
const { resolveActor } = proxyActivities<Activities>({ ...records, summary: 'Find who a signal speaks for' });
const { recordRefusal } = proxyActivities<Activities>({ ...records, summary: 'Record a refused decision' });

/** How a step of the review ended: the case goes on, or it is over. */
type Verdict = 'goes_on' | 'rejected' | 'withdrawn' | 'lapsed_no_response' | 'already_over';

/** A decision that was accepted and is being written down; `recorded` once it is durable. */
interface Ticket {
  readonly request: DecisionRequest & Sent;
  readonly made: DecisionMade;
  recorded: DecisionRecorded | null;
}

interface Handover extends Sent {
  readonly by: UserId;
  readonly to: UserId;
  readonly reason: string;
  outcome: FailureCode | 'done' | null;
}

export async function licenseReview(input: LicenseReviewInput): Promise<ReviewOutcome> {
  const { applicationId, policy, typeCode } = input;
  const post = openPost(workflowInfo().workflowId, applicationId);

  // ---- what the case is now ---------------------------------------------------------------------------------------
  let state: ApplicationState = 'submitted';
  let round = 0;
  let submissionHash: Sha256 | null = null;
  let task: OpenTask | null = null;
  let opening = false;
  let ticket: Ticket | null = null;
  let withdrawal: ({ by: Actor; reason: string } & Sent) | null = null;
  let resubmission: ({ by: Actor } & Sent) | null = null;
  const decisions: DecisionMade[] = [];
  const handovers: Handover[] = [];
  let handoversDone = 0;
  let signals = 0;

  const situation = (): ReviewSituation => ({
    applicationId,
    state,
    round,
    stage: task?.stage ?? null,
    stages: policy.stages,
    assignee: task?.assignee ?? null,
    applicant: input.applicant,
    submissionHash,
    decisions,
    maxCorrectionRounds: policy.correction.maxRounds,
  });

  // ---- messages: handlers stand before the first await, so none comes too early ---------------------------------------
  setHandler(
    decideUpdate,
    async (request) => {
      await condition(() => !opening);
      const taken = take(request);
      await condition(() => taken.recorded !== null);
      return taken.recorded ?? { ...taken.made, state };
    },
    {
      validator: (request) => {
        const why = whyNotDecide(request);
        // The record shows a new task a moment before this process hears of it: who is that quick waits for the moment.
        refuseIf(opening && why?.code === 'not_in_review' ? null : why);
      },
    },
  );

  const spokenFor = '{ "by": user ID or e-mail address of whoever decides, "note": text }';
  setHandler(approveSignal, (sent) => decideBySignal('approve', sent), {
    description: `Approve the open stage: ${spokenFor}`,
  });
  setHandler(rejectSignal, (sent) => decideBySignal('reject', sent), {
    description: `Reject the application: ${spokenFor}`,
  });

  setHandler(
    withdrawUpdate,
    async (request) => {
      withdrawal ??= request;
      await condition(() => withdrawal === null || state === 'withdrawn');
      // A decision that was being recorded when the withdrawal came has closed or approved the case.
      if (state !== 'withdrawn') throw refused(refuseWithdrawal(state) ?? notNow());
      return { state };
    },
    { validator: (_request) => refuseIf(refuseWithdrawal(state)) },
  );

  setHandler(
    resubmitUpdate,
    async (request) => {
      const next = round + 1;
      resubmission ??= request;
      await condition(() => round >= next || isClosed(state));
      // The time to answer ran out, or the applicant withdrew, while the case still looked open.
      if (round < next) throw refused(refuseResubmission(state) ?? notNow());
      return { state, round };
    },
    { validator: (_request) => refuseIf(refuseResubmission(state)) },
  );

  setHandler(
    reassignUpdate,
    async ({ by, to, reason, ...sent }) => {
      await condition(() => !opening);
      if (!task || ticket) throw refused(notNow());
      const handover: Handover = { by: by.userId, to, reason, ...sentWith(sent), outcome: null };
      handovers.push(handover);
      await condition(() => handover.outcome !== null);
      if (handover.outcome !== 'done') throw refused(refusal(handover.outcome ?? 'not_in_review', NOT_ELIGIBLE));
      return { assignee: to };
    },
    { validator: (_request) => refuseIf((task || opening) && !ticket ? null : notNow()) },
  );

  setHandler(progressQuery, () => ({
    state,
    stage: task?.stage ?? null,
    round,
    assignee: task?.assignee ?? null,
    dueAt: task?.dueAt ?? null,
    nextRung: task?.rungs[0] ?? null,
    decisions,
  }));

  // ---- the story ------------------------------------------------------------------------------------------------------
  let verdict = await receive(input.applicant, input.submittedAt, input);
  for (const stage of policy.stages) {
    if (verdict === 'goes_on') verdict = await review(stage);
  }
  if (verdict === 'goes_on') verdict = await approveAutomatic();
  if (verdict === 'goes_on') await activate();
  else await close(verdict);
  forgetWithdrawal();
  await post.delivered();
  await condition(allHandlersFinished);
  return { state };

  // ---- its steps ------------------------------------------------------------------------------------------------------

  /** Takes what the applicant sent. While something required is missing the applicant has the case back. */
  async function receive(by: UserId, at: string, sent: Sent): Promise<Verdict> {
    const to = policy.path === 'review' ? 'completeness' : 'auto_check';
    const { checklist, legalWorkingDays } = policy;
    const received = await receiveSubmission({
      applicationId,
      typeCode,
      round: round + 1,
      by,
      checklist,
      legalWorkingDays,
      to,
      at,
      ...sentWith(sent),
    });
    if (!received) {
      state = 'withdrawn';
      return 'already_over';
    }
    submissionHash = received.sha256;
    state = to;
    round += 1;
    tell();
    if (round === 1 && policy.path === 'review')
      post.write('application_submitted', input.applicant, { dueAt: received.legalDueAt });
    if (received.missing.length === 0) return 'goes_on';
    const reasons = received.missing.map(
      (kind): Reason => ({ code: 'document_missing', pointer: `/documents/${kind}` }),
    );
    return (await correct(reasons, null)).verdict;
  }

  /** One stage, in as many rounds of correction as it takes. */
  async function review(stage: StagePolicy): Promise<Verdict> {
    let usedMs = 0;
    let preferred: UserId | null = null;
    for (;;) {
      const decided: DecisionRequest | null = await decisionAt(stage, usedMs, preferred);
      if (!decided) return 'withdrawn';
      if (decided.decision === 'approve') return 'goes_on';
      if (decided.decision === 'reject') {
        post.write('application_rejected', input.applicant, { reasons: decided.reasons });
        return 'rejected';
      }
      const corrected = await correct(decided.reasons, stage);
      if (corrected.verdict !== 'goes_on') return corrected.verdict;
      usedMs = corrected.usedMs;
      preferred = decided.by.userId;
    }
  }

  /** Opens the stage and climbs its ladder until somebody decides; null when the applicant withdraws first. */
  async function decisionAt(
    stage: StagePolicy,
    usedMs: number,
    preferred: UserId | null,
  ): Promise<DecisionRequest | null> {
    if (withdrawal) return null;
    const { legalWorkingDays, ladder } = policy;
    opening = true;
    const opened = await openStage({
      applicationId,
      typeCode,
      round,
      ...stage,
      legalWorkingDays,
      ladder,
      usedMs,
      preferred,
      at: clock(),
    });
    const current: OpenTask = {
      stage: stage.stage,
      assignee: opened.assignee,
      dueAt: opened.plan.dueAt,
      rungs: [...opened.plan.rungs],
    };
    task = current;
    opening = false;
    state = stage.stage;
    show();
    if (current.assignee) post.write('task_assigned', current.assignee, { stage: stage.stage, dueAt: current.dueAt });
    while (!ticket && !withdrawal) await climb(current, stage);
    const decided = ticket ? await settle(ticket, stage) : null;
    task = null;
    while (handovers.length > 0) finish(handovers.shift(), 'not_in_review');
    return decided;
  }

  /** Waits for a message or the next rung, and acts on whichever comes first. */
  async function climb(current: OpenTask, stage: StagePolicy): Promise<void> {
    const spoken = () => ticket !== null || withdrawal !== null || handovers.length > 0;
    const [next] = current.rungs;
    if (!next) await condition(spoken);
    else {
      const wait = Math.max(1, Date.parse(next.at) - Date.now());
      const summary = `${stage.stage}: rung ${next.code}, ${next.percent} % of the working time`;
      if (!(await condition(spoken, wait, { summary }))) return escalate(current, stage);
    }
    const handover = ticket || withdrawal ? undefined : handovers.shift();
    if (handover) await handOver(current, stage, handover);
  }

  async function escalate(current: OpenTask, stage: StagePolicy): Promise<void> {
    const rung = current.rungs.shift();
    if (!rung) return;
    const former = current.assignee;
    const handOverTask = rung.action === 'hand_over';
    const fired = await fireRung({
      applicationId,
      typeCode,
      round,
      stage: stage.stage,
      code: rung.code,
      handOver: handOverTask,
      assignee: former,
      at: clock(),
    });
    current.assignee = fired.assignee;
    show();
    const about = { stage: stage.stage, dueAt: current.dueAt, about: former };
    switch (rung.action) {
      case 'remind_assignee':
        if (former) post.write('task_reminder', former, about);
        return;
      case 'warn_supervisor':
        for (const person of new Set([...(former ? [former] : []), ...fired.supervisors]))
          post.write('task_at_risk', person, about);
        return;
      case 'hand_over': {
        const moved = fired.assignee && fired.assignee !== former ? [fired.assignee] : fired.supervisors;
        for (const person of moved) post.write('task_breached', person, about);
        return;
      }
    }
  }

  async function handOver(current: OpenTask, stage: StagePolicy, handover: Handover): Promise<void> {
    handoversDone += 1;
    const { by, to, reason } = handover;
    const asked = {
      applicationId,
      typeCode,
      round,
      stage: stage.stage,
      role: stage.role,
      by,
      to,
      reason,
      attempt: `${handoversDone}`,
      at: clock(),
      ...sentWith(handover),
    };
    const answer = await reassignTask(asked);
    if (!answer.refused) {
      current.assignee = to;
      show();
      if (to !== by) post.write('task_assigned', to, { stage: stage.stage, dueAt: current.dueAt });
    }
    finish(handover, answer.refused ?? 'done');
  }

  /** Writes the decision down. From here on it is durable, and whoever took it gets the answer. */
  async function settle(current: Ticket, stage: StagePolicy): Promise<DecisionRequest> {
    const { request, made } = current;
    const following = policy.stages[policy.stages.indexOf(stage) + 1]?.stage ?? null;
    const to = destination(request.decision, following);
    const nextStage = request.decision === 'approve' ? following : null;
    const { decision, reasons, note = null } = request;
    if (submissionHash === null) throw new Error('a stage is open before anything was submitted');
    await recordDecision({
      applicationId,
      round,
      stage: stage.stage,
      decision,
      by: made.by,
      at: made.at,
      reasons,
      note,
      submissionHash,
      to,
      nextStage,
      bill: bill(to),
      ...sentWith(request),
    });
    state = to;
    task = null;
    ticket = null;
    current.recorded = { ...made, state };
    tell();
    return request;
  }

  function destination(decision: Decision, following: ApplicationState | null): ApplicationState {
    if (decision === 'reject') return 'rejected';
    if (decision === 'request_correction') return 'correction_requested';
    return following ?? (isFree(policy) ? 'activating' : 'pending_payment');
  }

  function bill(to: ApplicationState) {
    if (to !== 'pending_payment') return null;
    return { fee: policy.fee, dueAt: new Date(Date.now() + policy.payment.lapseAfterDays * DAY_MS).toISOString() };
  }

  /** The applicant has the case: the office's clock stands still until they answer, or their time is over. */
  async function correct(
    reasons: readonly Reason[],
    stage: StagePolicy | null,
  ): Promise<{ verdict: Verdict; usedMs: number }> {
    const { answerWithinWorkingDays } = policy.correction;
    const { answerBy, usedMs } = await askForCorrection({
      applicationId,
      typeCode,
      round,
      stage: stage?.stage ?? null,
      reasons,
      answerWithinWorkingDays,
      at: clock(),
    });
    state = 'correction_requested';
    show(answerBy);
    post.write('correction_requested', input.applicant, { reasons, round, respondBy: answerBy });
    const wait = Math.max(1, Date.parse(answerBy) - Date.now());
    await condition(() => resubmission !== null || withdrawal !== null, wait, {
      summary: 'The applicant corrects the submission',
    });
    if (withdrawal) return { verdict: 'withdrawn', usedMs };
    if (!resubmission) return { verdict: 'lapsed_no_response', usedMs };
    const sent = resubmission;
    resubmission = null;
    return { verdict: await receive(sent.by.userId, clock(), sent), usedMs };
  }

  /** Low risks have no stages: what is complete is approved. */
  async function approveAutomatic(): Promise<Verdict> {
    if (policy.stages.length > 0) return 'goes_on';
    if (withdrawal) return 'withdrawn';
    const to = destination('approve', null);
    await approveAutomatically({ applicationId, to, bill: bill(to), at: clock() });
    state = to;
    return 'goes_on';
  }

  async function activate(): Promise<void> {
    forgetWithdrawal();
    show();
    const { companyId, applicant } = input;
    const { payment, validityMonths } = policy;
    const ended = await executeChild(activation, {
      workflowId: activationId(applicationId),
      args: [{ applicationId, companyId, applicant, typeCode, isFree: isFree(policy), payment, validityMonths }],
      // A paid licence becomes active whatever happens to the review that led to it.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Activation of ${typeCode}`,
    });
    state = ended.state;
    show();
  }

  async function close(why: Exclude<Verdict, 'goes_on'>): Promise<void> {
    // The decision itself has closed a rejected case; a draft withdrawn while it was submitted was closed by its owner.
    if (why === 'rejected' || why === 'already_over') return show();
    const said = withdrawal ? { by: withdrawal.by.userId, reason: withdrawal.reason, ...sentWith(withdrawal) } : {};
    await closeCase({ applicationId, to: why, at: clock(), ...said });
    state = why;
    show();
    if (why === 'withdrawn') post.write('application_withdrawn', input.applicant);
  }

  // ---- what the handlers share ----------------------------------------------------------------------------------------

  function whyNotDecide(request: DecisionRequest): Refusal | null {
    const byRule = refuseDecision(situation(), request);
    return (
      byRule ??
      (withdrawal ? refusal('already_closed', 'The applicant has just withdrawn the application.', { state }) : null)
    );
  }

  /** Accepts a decision; from now on every other one is refused, naming this one. */
  function take(request: DecisionRequest & Sent): Ticket {
    const why = whyNotDecide(request);
    if (why || !task) throw refused(why ?? notNow());
    const made: DecisionMade = {
      stage: task.stage,
      round,
      decision: request.decision,
      by: request.by.userId,
      at: clock(),
    };
    decisions.push(made);
    ticket = { request, made, recorded: null };
    return ticket;
  }

  /** The same rule for tools that speak only Temporal; nobody waits for an answer, so a refusal is put on record. */
  async function decideBySignal(decision: 'approve' | 'reject', { by, note }: SignalledDecision): Promise<void> {
    signals += 1;
    const attempt = signals;
    const actor = await resolveActor({ by, applicationId });
    const said = note === undefined ? {} : { note };
    const reasons: Reason[] =
      decision === 'reject' ? [{ code: 'other', ...(note === undefined ? {} : { text: note }) }] : [];
    const request = actor ? { by: actor, decision, reasons, ownCase: actor.ownCase, ...said } : null;
    const why = request ? whyNotDecide(request) : refusal('not_found', 'Nobody active has this ID or address.');
    if (request && !why) take(request);
    else if (why)
      await recordRefusal({ applicationId, attempt, by: actor?.userId ?? null, decision, code: why.code, at: clock() });
  }

  /** A withdrawal that came too late must not keep its sender waiting. */
  function forgetWithdrawal(): void {
    if (state !== 'withdrawn') withdrawal = null;
  }

  function notNow(): Refusal {
    return refusal('not_in_review', `The case is ${state}: nobody is deciding on it now.`, { state });
  }

  /** What ops see in the Temporal UI: search attributes, and the details in words. */
  function show(answerBy: string | null = null): void {
    const dueAt = task?.dueAt ?? answerBy;
    upsertSearchAttributes([
      { key: stageAttribute, value: state },
      { key: typeAttribute, value: typeCode },
      { key: companyAttribute, value: input.companyId },
      { key: assigneeAttribute, value: task?.assignee ?? null },
      { key: dueAtAttribute, value: dueAt ? new Date(dueAt) : null },
    ]);
    tell(answerBy);
  }

  /** Words cost nothing, an attribute is a write to the visibility store: what lasts a moment is only told. */
  function tell(answerBy: string | null = null): void {
    setCurrentDetails(describeReview({ state, round, task, decisions, answerBy }));
  }
}

const DAY_MS = 86_400_000;

const NOT_ELIGIBLE =
  'This person may not hold the task: not in its role, the applicant, or busy on another stage of the case.';

/** Its origin and nothing else: absent stays absent, so that earlier histories replay as they are. */
const sentWith = ({ origin }: Sent): Sent => (origin ? { origin } : {});

function finish(handover: Handover | undefined, outcome: FailureCode | 'done'): void {
  if (handover) handover.outcome = outcome;
}
