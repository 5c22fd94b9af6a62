/** How the API speaks to the process of a company's onboarding: it starts it, hands over what people did, waits for the answer. */
import { WithStartWorkflowOperation, WorkflowIdConflictPolicy } from '@temporalio/client';
import { type UpdateDefinition, WorkflowIdReusePolicy } from '@temporalio/common';
import { cancelOnboarding, takeOnboarding } from '../db/onboarding.ts';
import { findOnboarding, type OnboardingToSpeakOf } from '../db/onboarding-reads.ts';
import type { OfficeZone } from '../domain/calendar.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';
import type { Actor, Refusal } from '../domain/licensing.ts';
import { afterDays, type OwnerStep, onboardingPolicy, refuseReopening } from '../domain/onboarding.ts';
import { onboardingId } from '../workflows/ids.ts';
import {
  cancelOnboardingUpdate,
  completeStepUpdate,
  type OnboardingAnswer,
  type OnboardingInput,
  type ReviewOnboarding,
  reviewOnboardingUpdate,
} from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

interface Run {
  readonly companyId: CompanyId;
  readonly owner: UserId;
  readonly zone: OfficeZone;
  readonly run: number;
  readonly startedAt: Date;
}

const policyOf = ({ onboarding }: ApiDeps, zone: OfficeZone) =>
  onboardingPolicy({ zone, retentionDays: onboarding.retentionDays });

const inputOf = (deps: ApiDeps, { companyId, owner, zone, run, startedAt }: Run, origin?: Origin): OnboardingInput => ({
  companyId,
  owner,
  run,
  startedAt: startedAt.toISOString(),
  policy: policyOf(deps, zone),
  ...(origin ? { origin: sealOrigin(deps, origin) } : {}),
});

const optionsOf = ({ taskQueue }: ApiDeps, input: OnboardingInput) => ({
  workflowId: onboardingId(input.companyId),
  taskQueue,
  args: [input] satisfies [OnboardingInput],
  // Asked for twice it is one run; one that starts though everything is over finds that in the record, and ends.
  workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  staticSummary: 'Onboarding of a company',
  memo: { run: input.run },
});

/** When nothing is heard from then on. */
export const expiryFrom = (deps: ApiDeps, zone: OfficeZone, at: Date): Date =>
  new Date(afterDays(at.getTime(), policyOf(deps, zone).expireAfterDays));

/**
 * Starts the process of a company that is about to be recorded, or finds it started: needs no worker. First, as with a
 * submission: were it the other way round, a company could be left whose onboarding nobody works on. A process whose company
 * never comes ends after some minutes; it holds nothing but IDs.
 * @throws Failure `temporarily_unavailable` when Temporal cannot be reached; then nothing is there
 */
export async function startOnboarding(deps: ApiDeps, run: Omit<Run, 'run'>, origin: Origin): Promise<void> {
  const input = inputOf(deps, { ...run, run: 1 }, origin);
  await withinTime(deps.temporal, () => deps.temporal.workflow.start('onboarding', optionsOf(deps, input)));
}

/** What every message says: about which company, by whom, and under which key a repeat is the same. */
export interface OnboardingMessage {
  readonly onboarding: OnboardingToSpeakOf;
  readonly by: Actor;
  readonly requestKey: string;
  readonly origin: Origin;
}

/** What was entered is on record. Durable when it returns. */
export const sayStepDone = (deps: ApiDeps, message: OnboardingMessage, step: OwnerStep): Promise<OnboardingAnswer> =>
  ask(deps, message, completeStepUpdate, { step, by: message.by.userId, origin: sealOrigin(deps, message.origin) });

export const decideOnboarding = (
  deps: ApiDeps,
  message: OnboardingMessage,
  said: Pick<ReviewOnboarding, 'decision' | 'step' | 'reason'>,
): Promise<OnboardingAnswer> =>
  ask(deps, message, reviewOnboardingUpdate, { ...said, by: message.by, origin: sealOrigin(deps, message.origin) });

/** One that has expired has no process any more: there the record is all that changes. */
export async function cancelCompany(deps: ApiDeps, message: OnboardingMessage): Promise<void> {
  const { onboarding, by, origin } = message;
  if (onboarding.state !== 'expired') {
    await ask(deps, message, cancelOnboardingUpdate, { by: by.userId, origin: sealOrigin(deps, origin) });
    return;
  }
  const now = new Date();
  const { retentionDays } = deps.onboarding;
  await cancelOnboarding(deps.db, {
    companyId: onboarding.companyId,
    from: 'expired',
    by: by.userId,
    origin,
    at: now.toISOString(),
    eraseAt: new Date(afterDays(now.getTime(), retentionDays)).toISOString(),
  });
}

/**
 * Another run under the same ID; the process makes the record as its first step, should the API die before it does.
 * @throws Failure `not_reopenable`; `temporarily_unavailable` while the run before has not quite ended
 */
export async function reopenOnboarding(deps: ApiDeps, message: OnboardingMessage): Promise<void> {
  const { onboarding, by, origin } = message;
  throwIf(refuseReopening(onboarding));
  const at = new Date();
  const { companyId, zone } = onboarding;
  const run = onboarding.run + 1;
  const input = inputOf(deps, { ...onboarding, run }, origin);
  const { memo } = await withinTime(deps.temporal, async () => {
    const handle = await deps.temporal.workflow.start('onboarding', optionsOf(deps, input));
    return handle.describe();
  });
  if (memo?.['run'] !== run) throw new Failure('temporarily_unavailable', '', { retryAfterSeconds: 5 });
  const expiresAt = expiryFrom(deps, zone, at).toISOString();
  await takeOnboarding(deps.db, { companyId, run, by: by.userId, origin, at: at.toISOString(), expiresAt });
}

/** Starts the process where it is gone, though the onboarding is not over: the record is all that it needs. */
async function ask<Said>(
  deps: ApiDeps,
  { onboarding, requestKey, origin }: OnboardingMessage,
  update: UpdateDefinition<OnboardingAnswer, [Said]>,
  said: Said,
): Promise<OnboardingAnswer> {
  const { temporal } = deps;
  const { args, ...options } = optionsOf(deps, inputOf(deps, onboarding, origin));
  const startWorkflowOperation = new WithStartWorkflowOperation('onboarding', { ...options, args });
  return withinTime(temporal, () =>
    temporal.workflow.executeUpdateWithStart(update, {
      updateId: requestKey,
      args: [said],
      startWorkflowOperation,
    }),
  );
}

function throwIf(refusal: Refusal | null): void {
  if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
}

/** @throws Failure `onboarding_not_open` for a company that was there before there was an onboarding */
export async function onboardingOf(deps: ApiDeps, companyId: CompanyId): Promise<OnboardingToSpeakOf> {
  const found = await findOnboarding(deps.db, companyId);
  if (found) return found;
  throw new Failure('onboarding_not_open', 'The company is registered since before: there is nothing to do.', {
    state: 'completed',
  });
}
