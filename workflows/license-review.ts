/**
 * A licence application, from submission to its end:
 *
 *   submitted → completeness → document_verification → compliance_check → approval → payment → active
 *
 * Low risks go submitted → auto_check → payment → active; what that cannot answer goes to a person. A reviewer may ask for
 * corrections at any stage, which gives the case back and stops the clock, or announce a rejection, which the applicant may
 * answer; the applicant may withdraw, and a supervisor cancel, until the office has decided. A case that lapsed unanswered is
 * reopened, and a rejection appealed, by another run under the same ID.
 * The stages, roles, shares of the legal time and the ladder come from the policy that the case pinned at submission, or was
 * moved to since.
 */
import { allHandlersFinished, condition, executeChild, ParentClosePolicy, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { UserId } from '../domain/ids.ts';
import { isFree, type Reason, type Stage, type StagePolicy, stageAfter, stageLeft } from '../domain/licensing.ts';
import { activation } from './activation.ts';
import { clock } from './answers.ts';
import { activationId } from './ids.ts';
import type { LicenseReviewInput, ReviewOutcome, Sent } from './messages.ts';
import { records } from './policies.ts';
import { askUntilSettled } from './registry-asking.ts';
import { afterApproval, billOf, openCase, sentWith, show, tell } from './review-case.ts';
import { type Correction, correct, waitForCorrection } from './review-correction.ts';
import { listen } from './review-messages.ts';
import { carryOutMove } from './review-policy.ts';
import { listenToSignals } from './review-signals.ts';
import { type Before, decideStage } from './review-stage.ts';

const { receiveSubmission } = proxyActivities<Activities>({
  ...records,
  summary: 'Freeze the submission, check it for completeness',
});
const { approveAutomatically } = proxyActivities<Activities>({
  ...records,
  summary: 'Approve a complete low-risk application',
});
const { closeCase } = proxyActivities<Activities>({ ...records, summary: 'Close the case' });
const { reopenCase } = proxyActivities<Activities>({
  ...records,
  summary: 'Give the lapsed case back to the applicant',
});

/** How a step of the review ended: the case goes on, is approved, or is over. */
type Verdict = 'goes_on' | 'approved' | 'rejected' | 'given_up' | 'lapsed_no_response' | 'already_over';

/** A documents' scanner whose word did not reach this process is asked after in the record. */
const LOOK_AT_SCANS_AGAIN_MS = 900_000;

export async function licenseReview(input: LicenseReviewInput): Promise<ReviewOutcome> {
  const theCase = openCase(input);
  const { applicationId, typeCode } = input;
  const { post } = theCase;
  /** What the automatic path leaves to a person: compliance rules that are not met, by the submission of the moment. */
  let notMet: readonly string[] = [];
  listen(theCase, () => listenToSignals(theCase));

  // ---- the story ------------------------------------------------------------------------------------------------------
  const begun = await begin();
  let verdict = begun.verdict;
  let stage = begun.stage;
  let before = begun.before;
  const isAutomatic = stage === null;
  while (verdict === 'goes_on' && stage) {
    verdict = await review(stage, before);
    stage = stageAfter(theCase.policy.stages, stage.stage);
    before = FRESH;
  }
  if (verdict === 'goes_on' && isAutomatic) verdict = await approveAutomatic();
  if (verdict === 'goes_on' || verdict === 'approved') await activate();
  else await close(verdict);
  forgetEnding();
  await post.delivered();
  await condition(allHandlersFinished);
  return { state: theCase.state };

  // ---- its steps ------------------------------------------------------------------------------------------------------

  /** A case begins with its submission; one that is taken up again begins where it was left. */
  async function begin(): Promise<{ verdict: Verdict; stage: StagePolicy | null; before: Before }> {
    const { again, applicant: by, submittedAt } = input;
    if (again?.kind === 'reopened') return reopen(again.stage, again.statementId);
    const verdict = await receive(by, submittedAt, input);
    return { verdict, stage: theCase.policy.stages[0] ?? null, before: FRESH };
  }

  async function reopen(at: Stage | null, statementId: string) {
    const { stages, correction } = theCase.policy;
    const stage = stages.find((policy) => policy.stage === at) ?? fallbackAt(at) ?? stageLeft(stages, at);
    const { answerWithinWorkingDays, remindAtPercent } = correction;
    const reopened = await reopenCase({
      applicationId,
      typeCode,
      round: theCase.round,
      stage: at,
      statementId,
      answerWithinWorkingDays,
      ...(remindAtPercent ? { remindAtPercent } : {}),
      at: clock(),
    });
    if (!reopened) {
      theCase.state = 'lapsed_no_response';
      return { verdict: 'already_over' as const, stage, before: FRESH };
    }
    show(theCase, reopened.answerBy);
    post.write('application_reopened', input.applicant, { respondBy: reopened.answerBy });
    const verdict = await resubmitted(await waitForCorrection(theCase, reopened));
    // Another stage than the one that was left has its own time and people.
    if (stage?.stage !== at) return { verdict, stage, before: FRESH };
    const { usedMs, holders } = reopened;
    return { verdict, stage, before: { usedMs, preferred: holders[0]?.assignee ?? null, preferredSeats: holders } };
  }

  function fallbackAt(at: Stage | null): StagePolicy | null {
    const fallback = theCase.policy.automatic?.fallback;
    return fallback && fallback.stage === at ? fallback : null;
  }

  /** Takes what the applicant sent. While something required is missing the applicant has the case back. */
  async function receive(by: UserId, at: string, sent: Sent): Promise<Verdict> {
    const { policy } = theCase;
    const to = policy.path === 'review' ? 'completeness' : 'auto_check';
    const { checklist, legalWorkingDays } = policy;
    const round = theCase.round + 1;
    const appeal = input.again?.kind === 'appeal' && round === input.again.round + 1 ? input.again : null;
    const submission = {
      applicationId,
      typeCode,
      round,
      by,
      checklist,
      legalWorkingDays,
      to,
      at,
      ...(appeal ? { appeal: { statementId: appeal.statementId } } : {}),
      ...sentWith(sent),
    } as const;
    const received = await scanned(submission, await receiveSubmission(submission));
    if (received === 'given_up') return 'given_up';
    if (!received) {
      // A draft that its owner withdrew; or an appeal that has gone its way before this run began.
      theCase.state = appeal ? 'rejected' : 'withdrawn';
      return 'already_over';
    }
    theCase.submissionHash = received.sha256;
    theCase.state = to;
    theCase.round = round;
    if (received.missing.length === 0) theCase.legalDueAt = received.legalDueAt;
    notMet = received.notMet ?? [];
    tell(theCase);
    if (round === 1 && policy.path === 'review')
      post.write('application_submitted', input.applicant, { dueAt: received.legalDueAt });
    if (received.missing.length === 0) {
      askRegistriesBeside();
      return 'goes_on';
    }
    const reasons = received.missing.map(
      (kind): Reason => ({ code: 'document_missing', pointer: `/documents/${kind}` }),
    );
    return resubmitted((await correct(theCase, null, { reasons })).outcome);
  }

  /** Nothing is judged before each document was looked into for viruses. */
  async function scanned(submission: Received, first: Answer): Promise<Answer | 'given_up'> {
    let answer = first;
    while (answer?.scanning) {
      theCase.submissionHash = answer.sha256;
      theCase.round = submission.round;
      if (submission.round > 1 && theCase.state === 'correction_requested') theCase.state = submission.to;
      tell(theCase);
      const seen = theCase.scans;
      const spoken = () => theCase.scans > seen || theCase.ending !== null || theCase.moves.length > 0;
      await condition(spoken, LOOK_AT_SCANS_AGAIN_MS, { summary: 'Until every document is scanned for viruses' });
      if (theCase.ending) return 'given_up';
      if (theCase.moves.length > 0) await carryOutMove(theCase, null);
      const { checklist, legalWorkingDays } = theCase.policy;
      const receivedAt = submission.at;
      answer = await receiveSubmission({ ...submission, checklist, legalWorkingDays, receivedAt, at: clock() });
    }
    return answer;
  }

  async function resubmitted(outcome: Correction['outcome']): Promise<Verdict> {
    return typeof outcome === 'string' ? outcome : receive(outcome.by, clock(), outcome);
  }

  /** One stage, in as many rounds of correction as it takes. */
  async function review(at: StagePolicy, since: Before): Promise<Verdict> {
    let known = since;
    for (;;) {
      const decided = await decideStage(theCase, policyOf(at), known);
      switch (decided.end) {
        case 'approved':
          return 'goes_on';
        case 'approved_by_law':
          return 'approved';
        case 'given_up':
          return 'given_up';
        case 'rejected':
          post.write('application_rejected', input.applicant, { reasons: decided.reasons });
          return 'rejected';
        case 'correction': {
          const { outcome, usedMs } = await correct(theCase, at, decided);
          const verdict = await resubmitted(outcome);
          if (verdict !== 'goes_on') return verdict;
          known = { usedMs, ...decided.holders };
        }
      }
    }
  }

  /** As the policy of the moment has it: the case may have been moved to another one while the applicant had it. */
  function policyOf(at: StagePolicy): StagePolicy {
    return theCase.policy.stages.find(({ stage: code }) => code === at.stage) ?? fallbackAt(at.stage) ?? at;
  }

  /** Low risks have no stages: what is complete is approved, unless a check says otherwise; then a person decides. */
  async function approveAutomatic(): Promise<Verdict> {
    if (theCase.ending) return 'given_up';
    const { policy } = theCase;
    const { automatic } = policy;
    if (automatic && !(await everyCheckPasses())) return review(automatic.fallback, FRESH);
    if (theCase.ending) return 'given_up';
    const to = afterApproval(policy);
    const auditPercent = automatic ? { auditPercent: automatic.auditPercent } : {};
    await approveAutomatically({ applicationId, to, bill: billOf(policy, to), ...auditPercent, at: clock() });
    theCase.state = to;
    return 'goes_on';
  }

  async function everyCheckPasses(): Promise<boolean> {
    const { registries } = theCase.policy;
    if (notMet.length > 0) return false;
    if (!registries) return true;
    const { round } = theCase;
    const { companyId } = input;
    const isOver = () => theCase.ending !== null;
    const results = await askUntilSettled({ applicationId, companyId, round, policy: registries }, isOver);
    return isOver() || results.every(({ state }) => state === 'match' || state === 'not_applicable');
  }

  /** Reviewers see what the registries say as soon as they say it; no stage waits for them, and no end of a case. */
  function askRegistriesBeside(): void {
    const { policy, round } = theCase;
    if (!policy.registries || policy.stages.length === 0) return;
    const isOver = () => theCase.round !== round || theCase.isOver;
    void askUntilSettled({ applicationId, companyId: input.companyId, round, policy: policy.registries }, isOver);
  }

  async function activate(): Promise<void> {
    theCase.isOver = true;
    forgetEnding();
    show(theCase);
    const { companyId, applicant } = input;
    const { payment, validityMonths } = theCase.policy;
    const ended = await executeChild(activation, {
      workflowId: activationId(applicationId),
      args: [
        { applicationId, companyId, applicant, typeCode, isFree: isFree(theCase.policy), payment, validityMonths },
      ],
      // A paid licence becomes active whatever happens to the review that led to it.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Activation of ${typeCode}`,
    });
    theCase.state = ended.state;
    show(theCase);
  }

  async function close(why: Exclude<Verdict, 'goes_on' | 'approved'>): Promise<void> {
    theCase.isOver = true;
    // The decision itself has closed a rejected case; a draft withdrawn while it was submitted was closed by its owner.
    if (why === 'rejected' || why === 'already_over') return show(theCase);
    const { ending, again } = theCase;
    const to = why === 'given_up' && ending ? ending.to : 'lapsed_no_response';
    const said = to === ending?.to ? { by: ending.by, reason: ending.reason, ...sentWith(ending) } : {};
    const code = to === 'cancelled' && ending?.to === to ? { code: ending.code } : {};
    await closeCase({ applicationId, to, at: clock(), ...said, ...code, ...(again ? { again } : {}) });
    theCase.state = to;
    show(theCase);
    if (to === 'withdrawn') post.write('application_withdrawn', input.applicant);
    if (to === 'cancelled') post.write('application_cancelled', input.applicant);
  }

  /** What came too late to end the case must not keep its sender waiting. */
  function forgetEnding(): void {
    if (theCase.state !== theCase.ending?.to) theCase.ending = null;
  }
}

type Received = Parameters<typeof receiveSubmission>[0];
type Answer = Awaited<ReturnType<typeof receiveSubmission>>;

const FRESH: Before = { usedMs: 0, preferred: null };
