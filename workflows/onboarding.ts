/**
 * Brings a company in:
 *
 *   the owner's steps, in order → the registries are asked → a person looks, where the risk rules ask for one → active
 *
 * Each step is an update. What was entered is on record before the process hears of it, so histories hold IDs and codes. The
 * owner may stop at any time: they are reminded by day, and after long silence it expires. A reopening is another run.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { OnboardingInHand } from '../activities/onboarding.ts';
import { formatInZone } from '../domain/calendar.ts';
import type { Refusal } from '../domain/licensing.ts';
import {
  afterDays,
  areOwnerStepsDone,
  nextInSilence,
  OWNER_STEPS,
  refuseOnboardingCancel,
  refuseOnboardingReview,
  refuseStep,
} from '../domain/onboarding.ts';
import { clock, orNull, refusal } from './answers.ts';
import { openDesk, type Request } from './desk.ts';
import {
  cancelOnboardingUpdate,
  completeStepUpdate,
  type OnboardingAnswer,
  type OnboardingInput,
  type ReviewOnboarding,
  reviewOnboardingUpdate,
  type Sent,
  type StepDone,
} from './messages.ts';
import { lookUps, records, registryQuestions } from './policies.ts';
import { companyAttribute, stageAttribute } from './search-attributes.ts';

const { takeOnboarding } = proxyActivities<Activities>({ ...records, summary: 'Read the onboarding' });
const { completeOnboardingStep } = proxyActivities<Activities>({ ...records, summary: 'Record that a step is done' });
const { remindOfOnboarding } = proxyActivities<Activities>({ ...records, summary: 'Remind the owner' });
const { expireOnboarding } = proxyActivities<Activities>({ ...records, summary: 'Record that nothing came for long' });
const { cancelOnboarding } = proxyActivities<Activities>({ ...records, summary: 'Record that it is cancelled' });
const { reviewOnboarding } = proxyActivities<Activities>({ ...records, summary: 'Record a decision of the office' });
const { concludeOnboarding } = proxyActivities<Activities>({
  ...records,
  summary: 'Make the company active, or ask a person to look',
});
const { askCompanyRegistries } = proxyActivities<Activities>({
  ...registryQuestions,
  heartbeatTimeout: undefined,
  summary: 'Ask the registries about its numbers',
});
const { scanCompanyDocuments } = proxyActivities<Activities>({ ...lookUps, summary: 'Have its documents scanned' });

type Asked =
  | { readonly kind: 'step'; readonly message: StepDone }
  | { readonly kind: 'cancel'; readonly message: { readonly by: StepDone['by'] } & Sent }
  | { readonly kind: 'review'; readonly message: ReviewOnboarding };

/** When the record is looked for that whoever started the process is about to make; after the last, once more. */
const LOOK_AFTER_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 60_000, 120_000] as const;
/** When the scanner is away. */
const SCAN_AGAIN_MS = 300_000;

/** `never_recorded`: whoever started it died before the company was on record, and did not come back. */
export interface OnboardingOutcome {
  readonly state: OnboardingInHand['state'] | 'never_recorded';
}

export async function onboarding(input: OnboardingInput): Promise<OnboardingOutcome> {
  const { companyId, policy } = input;
  let known: OnboardingInHand | null = null;

  const desk = openDesk<Asked, OnboardingAnswer>({
    refuse: (asked) => (known ? refuse(known, asked) : null),
    ended: NEVER_RECORDED,
  });
  desk.takes(completeStepUpdate, (message) => ({ kind: 'step', message }));
  desk.takes(cancelOnboardingUpdate, (message) => ({ kind: 'cancel', message }));
  desk.takes(reviewOnboardingUpdate, (message) => ({ kind: 'review', message }));

  upsertSearchAttributes([{ key: companyAttribute, value: companyId }]);
  const found = await whenRecorded();
  if (!found) {
    desk.close();
    await condition(allHandlersFinished);
    return { state: 'never_recorded' };
  }
  let it = learn(found);
  for (;;) {
    while (!isOver()) await goOnOrServe();
    // Whoever speaks at the very end is still answered.
    await desk.idle(() => allHandlersFinished() || desk.areWaiting());
    if (!desk.areWaiting()) return { state: it.state };
  }

  // ---- its steps ------------------------------------------------------------------------------------------------------

  async function whenRecorded(): Promise<OnboardingInHand | null> {
    setCurrentDetails('Waits for the company to be on record');
    const { run, owner: by, origin } = input;
    for (const pause of [...LOOK_AFTER_MS, null]) {
      const taken = await takeOnboarding({ companyId, run, by, ...silence(), ...(origin ? { origin } : {}) });
      if (taken || pause === null) return taken;
      const heard = desk.howMany();
      // Who speaks to it has found the record.
      await condition(() => desk.howMany() > heard, pause, { summary: 'Until the company is on record' });
    }
    return null;
  }

  async function goOnOrServe(): Promise<void> {
    const request = desk.next();
    if (request) await serve(request);
    else await goOn();
    if (!workflowInfo().continueAsNewSuggested || desk.areWaiting() || isOver()) return;
    await condition(allHandlersFinished);
    if (!desk.areWaiting()) await continueAsNew<typeof onboarding>({ ...input, run: it.run });
  }

  async function goOn(): Promise<void> {
    if (it.state === 'in_review') return void (await desk.idle(isSpoken));
    if (it.hasUnasked) return ask();
    if (!areOwnerStepsDone(it.steps)) return waitForOwner();
    if (it.hasUnscanned) return scan();
    become(await concludeOnboarding({ companyId, at: clock() }));
  }

  /** The answer to the step is out: a slow registry keeps nobody waiting for it. */
  async function ask(): Promise<void> {
    await askCompanyRegistries({ companyId, at: clock() });
    await readAgain();
  }

  async function scan(): Promise<void> {
    const isScanned = await orNull(scanCompanyDocuments({ companyId, ...silence() }).then(() => true));
    await readAgain();
    if (!isScanned) await desk.idle(isSpoken, { ms: SCAN_AGAIN_MS, summary: 'Ask the scanner again' });
  }

  async function readAgain(): Promise<void> {
    const now = await takeOnboarding({ companyId, run: it.run, by: input.owner, ...silence() });
    if (now) become(now);
  }

  async function waitForOwner(): Promise<void> {
    const { lastStepAt, remindersSent } = it;
    const turn = nextInSilence({ lastStepAt: Date.parse(lastStepAt), remindersSent, now: Date.now() }, policy);
    setCurrentDetails(`${describe(it)}. Next: ${turn.kind} at ${formatInZone(turn.at, policy.zone)}`);
    const isReminder = turn.kind === 'remind';
    const summary = isReminder ? `Reminder ${turn.number} of ${policy.remindAfterDays.length}` : 'It expires';
    if (await desk.idle(isSpoken, { ms: turn.at - Date.now(), summary })) return;
    const at = clock();
    if (isReminder) become(await remindOfOnboarding({ companyId, number: turn.number, lastStepAt, at }));
    else become(await expireOnboarding({ companyId, at, eraseAt: eraseAt() }));
  }

  function isSpoken(): boolean {
    return desk.areWaiting();
  }

  function isOver(): boolean {
    return !desk.areWaiting() && it.state !== 'in_progress' && it.state !== 'in_review';
  }

  // ---- messages -------------------------------------------------------------------------------------------------------

  /** Another may have been first while this one waited for its turn: the rule is asked again. */
  async function serve(request: Request<Asked, OnboardingAnswer>): Promise<void> {
    const refusal = refuse(it, request.asked);
    if (!refusal) await obey(request.asked);
    // The record may have known more than this process: a step that its owner has begun anew.
    const untaken = refusal ?? (isTaken(request.asked) ? null : refuse(it, request.asked));
    desk.answer(request, untaken ?? { state: it.state, percent: it.percent });
  }

  function isTaken({ kind }: Asked): boolean {
    return kind !== 'review' || it.state !== 'in_review';
  }

  async function obey(asked: Asked): Promise<void> {
    switch (asked.kind) {
      case 'step':
        return become(await completeOnboardingStep({ companyId, ...asked.message, ...silence() }));
      case 'cancel':
        return become(await cancelOnboarding({ companyId, ...asked.message, at: clock(), eraseAt: eraseAt() }));
      case 'review': {
        const { by, step = null, ...said } = asked.message;
        return become(await reviewOnboarding({ companyId, ...said, by: by.userId, step, ...silence() }));
      }
    }
  }

  /** From now on nothing is heard, as far as one knows. */
  function silence(): { at: string; expiresAt: string } {
    const now = Date.now();
    return { at: iso(now), expiresAt: iso(afterDays(now, policy.expireAfterDays)) };
  }

  function eraseAt(): string {
    return iso(afterDays(Date.now(), policy.retentionDays));
  }

  function become(next: OnboardingInHand): void {
    it = learn(next);
  }

  function learn(next: OnboardingInHand): OnboardingInHand {
    if (known?.state !== next.state) upsertSearchAttributes([{ key: stageAttribute, value: next.state }]);
    known = next;
    setCurrentDetails(describe(next));
    return next;
  }
}

const NEVER_RECORDED = refusal('onboarding_not_open', 'The company was never registered. Register it again.');

const iso = (at: number): string => new Date(at).toISOString();

function refuse(it: OnboardingInHand, { kind, message }: Asked): Refusal | null {
  switch (kind) {
    case 'step':
      return refuseStep(it, message.step);
    case 'cancel':
      return refuseOnboardingCancel(it);
    case 'review':
      return refuseOnboardingReview(it);
  }
}

function describe({ state, percent, steps }: OnboardingInHand): string {
  if (state === 'in_review') return 'in_review: waits for a person of the office';
  if (state !== 'in_progress') return state;
  const open = OWNER_STEPS.find((step) => steps.some((each) => each.step === step && each.state !== 'completed'));
  return open ? `in_progress, ${percent} %: waits for ${open}` : `in_progress, ${percent} %: everything is entered`;
}
