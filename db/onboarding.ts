/** The record of a company's onboarding: each change one transaction, its event first, and nothing the second time. */
import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { CompanyScale, LegalForm } from '../domain/companies.ts';
import type { Origin } from '../domain/events.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';
import {
  ASKED_AGAIN_AFTER,
  areOwnerStepsDone,
  isOnboardingOpen,
  ONBOARDING_STEPS,
  type OnboardingState,
  type OnboardingStep,
  type OwnerStep,
  percentOf,
  refuseOnboardingReview,
  refuseReopening,
  refuseStep,
  reviewReasonsOf,
  type StepStanding,
  type StepState,
} from '../domain/onboarding.ts';
import type { RegistryState } from '../domain/registries.ts';
import { recordEachTime, recordEvent } from './events.ts';
import { writeOnboardingLetter } from './onboarding-letters.ts';
import { suggestedLicenses } from './suggested-licenses.ts';

/** What its process goes on with. */
export interface OnboardingInHand {
  readonly companyId: CompanyId;
  readonly state: OnboardingState;
  readonly percent: number;
  readonly run: number;
  readonly steps: readonly StepStanding[];
  /** ISO 8601. */
  readonly lastStepAt: string;
  readonly remindersSent: number;
  readonly isErased: boolean;
  /** Numbers that no registry was asked about yet. */
  readonly hasUnasked: boolean;
  /** Documents that the scanner has not looked at yet. */
  readonly hasUnscanned: boolean;
}

interface Locked extends OnboardingInHand {
  readonly ownerId: UserId;
}

const IN_HAND = {
  companyId: 'company_id',
  ownerId: 'owner_id',
  state: 'state',
  run: 'run',
  lastStepAt: 'last_step_at',
  remindersSent: 'reminders_sent',
  erasedAt: 'erased_at',
} as const;

interface Row extends Pick<Locked, 'companyId' | 'ownerId' | 'state' | 'run' | 'remindersSent'> {
  readonly lastStepAt: Date;
  readonly erasedAt: Date | null;
}

/** Until the transaction ends, nobody else changes it; null = this company has none. */
export async function lockOnboarding(tx: Knex, companyId: CompanyId): Promise<Locked | null> {
  const row: Row | undefined = await tx('onboardings').where({ company_id: companyId }).forUpdate().first(IN_HAND);
  return row ? inHand(tx, row) : null;
}

async function inHand(db: Knex, { lastStepAt, erasedAt, ...row }: Row): Promise<Locked> {
  const { companyId, state } = row;
  const steps: StepStanding[] = await db('onboarding_steps')
    .where({ company_id: companyId })
    .orderBy('position')
    .select('step', 'state');
  const open: { unasked: boolean; unscanned: boolean } | undefined = await db.first(
    db.raw('exists(select 1 from company_numbers where company_id = ? and registry_state is null) as unasked', [
      companyId,
    ]),
    db.raw(
      "exists(select 1 from company_documents where company_id = ? and removed_at is null and scan_state = 'waiting') as unscanned",
      [companyId],
    ),
  );
  return {
    ...row,
    steps,
    percent: percentOf(state, steps),
    lastStepAt: lastStepAt.toISOString(),
    isErased: erasedAt !== null,
    hasUnasked: open?.unasked ?? false,
    hasUnscanned: open?.unscanned ?? false,
  };
}

/** In the transaction of the caller, who has locked it. */
async function asItIs(tx: Knex, companyId: CompanyId): Promise<OnboardingInHand> {
  const now = await lockOnboarding(tx, companyId);
  if (!now) throw new Error(`the onboarding of company ${companyId} vanished`);
  const { ownerId: _ownerId, ...rest } = now;
  return rest;
}

async function change(
  db: Knex,
  companyId: CompanyId,
  work: (tx: Knex, it: Locked) => Promise<void>,
): Promise<OnboardingInHand> {
  return db.transaction(async (tx) => {
    const it = await lockOnboarding(tx, companyId);
    if (!it) throw new Error(`company ${companyId} has no onboarding`);
    await work(tx, it);
    return asItIs(tx, companyId);
  });
}

// ---- its beginning --------------------------------------------------------------------------------------------------

export interface NewOnboarding {
  readonly companyId: CompanyId;
  readonly ownerId: UserId;
  readonly origin?: Origin | undefined;
  readonly zone: OfficeZone;
  readonly at: Date;
  readonly expiresAt: Date;
}

/** In the transaction that adds the company. An address that is verified already is a step done. */
export async function openOnboarding(tx: Knex, given: NewOnboarding): Promise<void> {
  const { companyId, ownerId, origin, zone, at, expiresAt } = given;
  await recordEvent(tx, {
    key: `onboarding/${companyId}/started`,
    type: 'onboarding.started',
    companyId,
    by: ownerId,
    origin,
    at: at.toISOString(),
  });
  await tx('onboardings').insert({
    company_id: companyId,
    state: 'in_progress',
    owner_id: ownerId,
    zone,
    last_step_at: at,
    expires_at: expiresAt,
    started_at: at,
    updated_at: at,
  });
  await tx('onboarding_steps').insert(
    ONBOARDING_STEPS.map((step, index) => ({ company_id: companyId, position: index + 1, step, state: 'pending' })),
  );
  const owner: { verified: Date | null } | undefined = await tx('users')
    .where({ id: ownerId })
    .first({ verified: 'email_verified_at' });
  if (!owner?.verified) return;
  await noteStep(tx, { companyId, step: 'account_verified', by: ownerId, origin, at: at.toISOString() });
}

export interface TakenUp {
  readonly companyId: CompanyId;
  readonly run: number;
  readonly by: UserId;
  readonly origin?: Origin | undefined;
  readonly at: string;
  readonly expiresAt: string;
}

/**
 * The record as a process finds it that starts; a run after the one on record reopens it.
 * @returns null while there is no such company: whoever registers it has not come that far
 */
export async function takeOnboarding(db: Knex, given: TakenUp): Promise<OnboardingInHand | null> {
  return db.transaction(async (tx) => {
    const it = await lockOnboarding(tx, given.companyId);
    if (!it) return null;
    if (given.run === it.run + 1 && !refuseReopening(it)) await reopen(tx, given);
    return asItIs(tx, given.companyId);
  });
}

async function reopen(tx: Knex, { companyId, run, by, origin, at, expiresAt }: TakenUp): Promise<void> {
  const key = `onboarding/${companyId}/reopened/${run}`;
  if (!(await recordEvent(tx, { key, type: 'onboarding.reopened', companyId, by, data: { run }, origin, at }))) return;
  await tx('onboardings')
    .where({ company_id: companyId })
    .update({
      ...silenceFrom(at, expiresAt),
      state: 'in_progress',
      run,
      ended_at: null,
      erase_at: null,
    });
  await setCompany(tx, companyId, 'onboarding', at);
}

const silenceFrom = (at: string, expiresAt: string) => ({
  last_step_at: at,
  expires_at: expiresAt,
  reminders_sent: 0,
  updated_at: at,
});

const setCompany = (tx: Knex, id: CompanyId, status: 'onboarding' | 'active' | 'expired' | 'cancelled', at: string) =>
  tx('companies')
    .where({ id })
    .whereIn('status', ['onboarding', 'expired', 'cancelled'])
    .update({ status, updated_at: at });

// ---- steps ----------------------------------------------------------------------------------------------------------

export interface DoneStep {
  readonly companyId: CompanyId;
  readonly step: OwnerStep;
  readonly by: UserId;
  readonly origin?: Origin | undefined;
  readonly at: string;
  readonly expiresAt: string;
}

/** What was entered is on record. A step that is done already stays as it is: somebody else was first, or this is a repeat. */
export async function completeStep(db: Knex, done: DoneStep): Promise<OnboardingInHand> {
  const { companyId, step, at, expiresAt } = done;
  return change(db, companyId, async (tx, it) => {
    if (refuseStep(it, step) || isDone(it, step)) return;
    await noteStep(tx, done);
    await askAgain(tx, companyId, ASKED_AGAIN_AFTER[step]);
    await tx('onboardings')
      .where({ company_id: companyId })
      .update({ ...silenceFrom(at, expiresAt), state: 'in_progress' });
  });
}

const isDone = ({ steps }: Pick<OnboardingInHand, 'steps'>, step: OnboardingStep): boolean =>
  steps.some((each) => each.step === step && each.state === 'completed');

async function noteStep(tx: Knex, { companyId, step, by, origin, at }: Omit<DoneStep, 'expiresAt'>): Promise<void> {
  const before: { times: number } | undefined = await tx('onboarding_steps')
    .where({ company_id: companyId, step })
    .first('times');
  const times = (before?.times ?? 0) + 1;
  const isNew = await recordEvent(tx, {
    key: `onboarding/${companyId}/step/${step}/${times}`,
    type: 'onboarding.step_completed',
    companyId,
    by,
    data: { step, times },
    origin,
    at,
  });
  if (isNew) await setStep(tx, companyId, step, 'completed', { completed_at: at, times });
}

const setStep = (tx: Knex, companyId: CompanyId, step: OnboardingStep, state: StepState, more: object = {}) =>
  tx('onboarding_steps')
    .where({ company_id: companyId, step })
    .update({ state, ...more });

/** Of these, what was done. */
export const askAgain = (tx: Knex, companyId: CompanyId, steps: readonly OwnerStep[]) =>
  tx('onboarding_steps')
    .where({ company_id: companyId, state: 'completed' })
    .whereIn('step', [...steps])
    .update({ state: 'asked_again' });

// ---- silence --------------------------------------------------------------------------------------------------------

export interface Reminder {
  readonly companyId: CompanyId;
  /** How many of this silence there are with this one. */
  readonly number: number;
  /** Since when nothing was heard: reminds of this silence and of no later one. */
  readonly lastStepAt: string;
  readonly at: string;
}

export async function remindOfOnboarding(db: Knex, reminder: Reminder): Promise<OnboardingInHand> {
  const { companyId, number, lastStepAt, at } = reminder;
  return change(db, companyId, async (tx, it) => {
    if (it.state !== 'in_progress' || it.lastStepAt !== lastStepAt || it.remindersSent >= number) return;
    const key = `onboarding/${companyId}/reminded/${lastStepAt}/${number}`;
    if (!(await recordEvent(tx, { key, type: 'onboarding.reminded', companyId, data: { number }, at }))) return;
    await tx('onboardings').where({ company_id: companyId }).update({ reminders_sent: number, updated_at: at });
    await writeOnboardingLetter(tx, { key, template: 'onboarding_reminder', companyId, at });
  });
}

interface Ending {
  readonly companyId: CompanyId;
  readonly at: string;
  /** When what was entered is erased, unless it is reopened before. */
  readonly eraseAt: string;
}

export async function expireOnboarding(db: Knex, ending: Ending): Promise<OnboardingInHand> {
  return change(db, ending.companyId, async (tx, it) => {
    if (it.state !== 'in_progress') return;
    await end(tx, it, 'expired', ending, {});
  });
}

/** @param ending.from `expired`: nobody works on it; while it is open its process says so, and nobody else */
export async function cancelOnboarding(
  db: Knex,
  ending: Ending & { readonly from: 'open' | 'expired'; readonly by: UserId; readonly origin?: Origin | undefined },
): Promise<OnboardingInHand> {
  return change(db, ending.companyId, async (tx, it) => {
    const fits = ending.from === 'expired' ? it.state === 'expired' : isOnboardingOpen(it.state);
    if (fits) await end(tx, it, 'cancelled', ending, ending);
  });
}

async function end(
  tx: Knex,
  { companyId, run }: Locked,
  state: 'expired' | 'cancelled',
  { at, eraseAt }: Ending,
  { by, origin }: { readonly by?: UserId; readonly origin?: Origin | undefined },
): Promise<void> {
  const key = `onboarding/${companyId}/${state}/${run}`;
  const who = { ...(by ? { by } : {}), ...(origin ? { origin } : {}) };
  if (!(await recordEvent(tx, { key, type: `onboarding.${state}`, companyId, ...who, data: { run }, at }))) return;
  await tx('onboardings')
    .where({ company_id: companyId })
    .update({ state, expires_at: null, ended_at: at, erase_at: eraseAt, updated_at: at });
  await setCompany(tx, companyId, state, at);
  if (state === 'expired')
    await writeOnboardingLetter(tx, { key, template: 'onboarding_expired', companyId, at, eraseAt });
}

// ---- its end --------------------------------------------------------------------------------------------------------

/** Everything is entered: to a person, where the risk rules ask for one, else the company is active. */
export async function concludeOnboarding(
  db: Knex,
  { companyId, at }: { readonly companyId: CompanyId; readonly at: string },
): Promise<OnboardingInHand> {
  return change(db, companyId, async (tx, it) => {
    if (it.state !== 'in_progress' || !areOwnerStepsDone(it.steps)) return;
    const reasons = reviewReasonsOf(await factsOf(tx, companyId));
    if (reasons.length === 0) return complete(tx, it, { at, review: 'skipped' });
    const key = `onboarding/${companyId}/review_asked`;
    await recordEachTime(tx, { key, type: 'onboarding.review_asked', companyId, data: { reasons }, at });
    await tx('onboardings')
      .where({ company_id: companyId })
      .update({ state: 'in_review', review_reasons: JSON.stringify(reasons), expires_at: null, updated_at: at });
  });
}

async function factsOf(tx: Knex, companyId: CompanyId) {
  const company: { scale: CompanyScale; legalForm: LegalForm; kbli: string[] } | undefined = await tx('companies')
    .where({ id: companyId })
    .first({ scale: 'scale', legalForm: 'legal_form', kbli: 'kbli' });
  if (!company) throw new Error(`company ${companyId} does not exist`);
  const registryStates = await tx('company_numbers')
    .where({ company_id: companyId })
    .whereNotNull('registry_state')
    .pluck<RegistryState[]>('registry_state');
  return { ...company, registryStates };
}

async function complete(
  tx: Knex,
  { companyId }: Locked,
  { at, review }: { readonly at: string; readonly review: 'skipped' | 'completed' },
): Promise<void> {
  const key = `onboarding/${companyId}/completed`;
  if (!(await recordEvent(tx, { key, type: 'onboarding.completed', companyId, data: { review }, at }))) return;
  const suggested = await suggestedLicenses(tx, companyId, new Date(at));
  await setStep(tx, companyId, 'review', review, review === 'completed' ? { completed_at: at, times: 1 } : {});
  await setStep(tx, companyId, 'completed', 'completed', { completed_at: at, times: 1 });
  await tx('onboardings')
    .where({ company_id: companyId })
    .update({
      state: 'completed',
      expires_at: null,
      ended_at: at,
      suggested_licenses: JSON.stringify(suggested),
      updated_at: at,
    });
  await setCompany(tx, companyId, 'active', at);
  await writeOnboardingLetter(tx, { key, template: 'onboarding_completed', companyId, at, suggested });
}

export interface OnboardingDecision {
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly decision: 'approve' | 'ask_again';
  /** With `ask_again`: the first step that has to be done again. */
  readonly step: OwnerStep | null;
  readonly reason: string;
  readonly origin?: Origin | undefined;
  readonly at: string;
  readonly expiresAt: string;
}

export async function reviewOnboarding(db: Knex, decided: OnboardingDecision): Promise<OnboardingInHand> {
  const { companyId, by, decision, step, reason, origin, at } = decided;
  return change(db, companyId, async (tx, it) => {
    if (refuseOnboardingReview(it)) return;
    const key = await recordEachTime(tx, {
      key: `onboarding/${companyId}/reviewed`,
      type: 'onboarding.reviewed',
      companyId,
      by,
      data: { decision, ...(step ? { step } : {}), reason },
      origin,
      at,
    });
    await tx('onboardings').where({ company_id: companyId }).update({ reviewed_by: by, reviewed_at: at });
    if (decision === 'approve') return complete(tx, it, { at, review: 'completed' });
    await sendBack(tx, decided, step ?? 'business_profile', { key, note: reason });
  });
}

/** To its owner, who does this step again and what depends on it. */
async function sendBack(
  tx: Knex,
  { companyId, at, expiresAt }: Pick<OnboardingDecision, 'companyId' | 'at' | 'expiresAt'>,
  step: OwnerStep,
  { key, note }: { readonly key: string; readonly note: string | null },
): Promise<void> {
  await askAgain(tx, companyId, [step, ...ASKED_AGAIN_AFTER[step]]);
  await tx('onboardings')
    .where({ company_id: companyId })
    .update({ ...silenceFrom(at, expiresAt), state: 'in_progress' });
  await writeOnboardingLetter(tx, { key, template: 'onboarding_asked_again', companyId, at, note });
}

/** Some of its documents were found infected, and are off. */
export async function askForDocumentsAgain(
  db: Knex,
  given: { readonly companyId: CompanyId; readonly key: string; readonly at: string; readonly expiresAt: string },
): Promise<void> {
  await sendBack(db, given, 'documents', { key: given.key, note: null });
}
