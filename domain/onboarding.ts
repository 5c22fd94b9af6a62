/** How a company comes in: its steps, in order, and what can become of it. Pure: no clock, no database. */
import { formatInZone, type OfficeZone } from './calendar.ts';
import type { CompanyScale, LegalForm } from './companies.ts';
import type { FailureCode, FailureFacts } from './failures.ts';
import type { Refusal } from './licensing.ts';
import type { RegistryState } from './registries.ts';

export const ONBOARDING_STEPS = [
  'account_verified',
  'business_profile',
  'identity',
  'documents',
  'review',
  'completed',
] as const;
export type OnboardingStep = (typeof ONBOARDING_STEPS)[number];

/** What its owner does; the rest is done by the office, or comes by itself. */
export const OWNER_STEPS = ['account_verified', 'business_profile', 'identity', 'documents'] as const;
export type OwnerStep = (typeof OWNER_STEPS)[number];

export const isOwnerStep = (step: OnboardingStep): step is OwnerStep => OWNER_STEPS.some((own) => own === step);

/** `asked_again`: it was done, and one that it depends on was done anew since. `skipped`: not needed, by the rules. */
export const STEP_STATES = ['pending', 'completed', 'skipped', 'asked_again'] as const;
export type StepState = (typeof STEP_STATES)[number];

/** docs/processes/onboarding.md draws it. */
export const onboardingTransitions = {
  in_progress: ['in_review', 'completed', 'expired', 'cancelled'],
  in_review: ['in_progress', 'completed', 'cancelled'],
  completed: [],
  expired: ['in_progress', 'cancelled'],
  cancelled: ['in_progress'],
} as const satisfies Record<string, readonly string[]>;
export type OnboardingState = keyof typeof onboardingTransitions;
export const ONBOARDING_STATES = ['in_progress', 'in_review', 'completed', 'expired', 'cancelled'] as const;

/** Whether its owner can still enter something. */
export const isOnboardingOpen = (state: OnboardingState): boolean => state === 'in_progress' || state === 'in_review';

export interface StepStanding {
  readonly step: OnboardingStep;
  readonly state: StepState;
}

const stateOf = (steps: readonly StepStanding[], step: OnboardingStep): StepState =>
  steps.find((each) => each.step === step)?.state ?? 'pending';

export const areOwnerStepsDone = (steps: readonly StepStanding[]): boolean =>
  OWNER_STEPS.every((step) => stateOf(steps, step) === 'completed');

/** A fifth for each step of the owner's, the last one for its end. */
export function percentOf(state: OnboardingState, steps: readonly StepStanding[]): number {
  if (state === 'completed') return 100;
  return OWNER_STEPS.filter((step) => stateOf(steps, step) === 'completed').length * 20;
}

// ---- what depends on what -------------------------------------------------------------------------------------------

/**
 * Done anew, a step asks for these again: the registries compare the name of the profile, the legal form says which
 * documents are wanted, and the documents prove the numbers.
 */
export const ASKED_AGAIN_AFTER = {
  account_verified: [],
  business_profile: ['identity', 'documents'],
  identity: ['documents'],
  documents: [],
} as const satisfies Record<OwnerStep, readonly OwnerStep[]>;

export const COMPANY_DOCUMENT_KINDS = ['identity_card', 'npwp_card', 'deed'] as const;
export type CompanyDocumentKind = (typeof COMPANY_DOCUMENT_KINDS)[number];

const ALL_PAPERS: readonly CompanyDocumentKind[] = COMPANY_DOCUMENT_KINDS;
/** A deed have those that a notary founds; a PT perorangan is founded by a statement of its owner (PP 8/2021, art. 6). */
export const REQUIRED_DOCUMENTS: Record<LegalForm, readonly CompanyDocumentKind[]> = {
  perorangan: ['identity_card'],
  UD: ['identity_card'],
  PT_perorangan: ['identity_card', 'npwp_card'],
  CV: ALL_PAPERS,
  firma: ALL_PAPERS,
  PT: ALL_PAPERS,
  koperasi: ALL_PAPERS,
  yayasan: ALL_PAPERS,
  perkumpulan: ALL_PAPERS,
};

export const missingDocuments = (
  legalForm: LegalForm,
  kinds: readonly CompanyDocumentKind[],
): readonly CompanyDocumentKind[] => REQUIRED_DOCUMENTS[legalForm].filter((kind) => !kinds.includes(kind));

/** Whose business is the person: such a company is known by its owner's NIK. Of any other a person may have several. */
export const isKnownByNik = (legalForm: LegalForm): boolean => legalForm === 'perorangan' || legalForm === 'UD';

// ---- when a person has to look --------------------------------------------------------------------------------------

export interface OnboardingFacts {
  readonly scale: CompanyScale;
  readonly legalForm: LegalForm;
  readonly kbli: readonly string[];
  readonly registryStates: readonly RegistryState[];
}

/** KBLI 2020, by their beginning: liquor, explosives, weapons, finance (licensed by OJK and Bank Indonesia), gambling. */
const WATCHED_KBLI = ['1101', '20292', '252', '64', '65', '66', '92'] as const;
/** Founded by many, so that who may act for it has to be read in its papers. */
const READ_BY_A_PERSON: readonly LegalForm[] = ['koperasi', 'yayasan', 'perkumpulan'];

export const REVIEW_REASONS = ['large_scale', 'registry_mismatch', 'legal_form', 'watched_kbli'] as const;
export type ReviewReason = (typeof REVIEW_REASONS)[number];

const REVIEW_RULES: readonly { readonly code: ReviewReason; readonly asks: (facts: OnboardingFacts) => boolean }[] = [
  { code: 'large_scale', asks: ({ scale }) => scale === 'large' },
  {
    code: 'registry_mismatch',
    asks: ({ registryStates }) => registryStates.some((state) => state === 'mismatch' || state === 'not_found'),
  },
  { code: 'legal_form', asks: ({ legalForm }) => READ_BY_A_PERSON.includes(legalForm) },
  {
    code: 'watched_kbli',
    asks: ({ kbli }) => kbli.some((code) => WATCHED_KBLI.some((beginning) => code.startsWith(beginning))),
  },
];

/** Codes of the rules that ask for a person; none = it goes through by itself. A registry that is away asks for nobody. */
export const reviewReasonsOf = (facts: OnboardingFacts): ReviewReason[] =>
  REVIEW_RULES.filter(({ asks }) => asks(facts)).map(({ code }) => code);

// ---- what may be asked for ------------------------------------------------------------------------------------------

export interface OnboardingSituation {
  readonly state: OnboardingState;
  readonly steps: readonly StepStanding[];
}

/** A step is open once all before it are done, and stays so until the end. */
export function refuseStep({ state, steps }: OnboardingSituation, step: OwnerStep): Refusal | null {
  if (!isOnboardingOpen(state)) return notOpen(state);
  const before = OWNER_STEPS.slice(0, OWNER_STEPS.indexOf(step));
  const missing = before.filter((each) => stateOf(steps, each) !== 'completed');
  if (missing.length === 0) return null;
  return refused('step_not_open', `Complete first: ${missing.join(', ')}.`, { state });
}

export function refuseOnboardingCancel({ state }: OnboardingSituation): Refusal | null {
  return isOnboardingOpen(state) ? null : notOpen(state);
}

/** Whoever decides sees what is on record: a step that was begun anew has to be done first. */
export function refuseOnboardingReview({ state, steps }: OnboardingSituation): Refusal | null {
  if (state !== 'in_review') return notOpen(state);
  return areOwnerStepsDone(steps)
    ? null
    : refused('step_not_open', 'Its owner is entering a step anew. Wait until it is done, then look again.', { state });
}

export function refuseReopening({
  state,
  isErased,
}: {
  readonly state: OnboardingState;
  readonly isErased: boolean;
}): Refusal | null {
  if (state !== 'expired' && state !== 'cancelled')
    return refused('not_reopenable', `The onboarding is ${state}: there is nothing to reopen.`, { state });
  return isErased
    ? refused('not_reopenable', 'What was entered has been erased since. Register the company anew.', { state })
    : null;
}

const notOpen = (state: OnboardingState): Refusal =>
  refused('onboarding_not_open', `The onboarding is ${state}. Read it again.`, { state });

const refused = (code: FailureCode, message: string, facts: FailureFacts): Refusal => ({ code, message, facts });

// ---- reminding ------------------------------------------------------------------------------------------------------

/** Pinned when the process starts. */
export interface OnboardingPolicy {
  /** After the last step, ascending. */
  readonly remindAfterDays: readonly number[];
  /** Reminders leave from the first hour on and before the second, in the owner's zone. */
  readonly remindFromHour: number;
  readonly remindUntilHour: number;
  readonly zone: OfficeZone;
  /** Of silence. */
  readonly expireAfterDays: number;
  /** How long what was entered is kept after it has expired or was cancelled. */
  readonly retentionDays: number;
}

export const onboardingPolicy = (given: Pick<OnboardingPolicy, 'zone' | 'retentionDays'>): OnboardingPolicy => ({
  remindAfterDays: [1, 3, 7],
  remindFromHour: 8,
  remindUntilHour: 20,
  expireAfterDays: 30,
  ...given,
});

const DAY_MS = 86_400_000;

export const afterDays = (at: number, days: number): number => at + days * DAY_MS;

export type SilenceTurn =
  | { readonly kind: 'remind'; readonly at: number; readonly number: number }
  | { readonly kind: 'expire'; readonly at: number };

/**
 * What comes next while nothing is heard, and when (epoch ms). Of several reminders that are due together, because nobody
 * was there to send them, only the last is sent.
 */
export function nextInSilence(
  silence: { readonly lastStepAt: number; readonly remindersSent: number; readonly now: number },
  policy: OnboardingPolicy,
): SilenceTurn {
  const { lastStepAt, remindersSent, now } = silence;
  const expiry = afterDays(lastStepAt, policy.expireAfterDays);
  const due = policy.remindAfterDays.filter((days) => afterDays(lastStepAt, days) <= now).length;
  const number = Math.max(remindersSent + 1, due);
  const days = policy.remindAfterDays[number - 1];
  if (remindersSent >= policy.remindAfterDays.length || days === undefined) return { kind: 'expire', at: expiry };
  const at = byDay(Math.max(afterDays(lastStepAt, days), now), policy);
  return at < expiry ? { kind: 'remind', at, number } : { kind: 'expire', at: expiry };
}

/** The instant itself by day, else the next morning in that zone. */
export function byDay(
  at: number,
  policy: Pick<OnboardingPolicy, 'remindFromHour' | 'remindUntilHour' | 'zone'>,
): number {
  const hour = Number(formatInZone(at, policy.zone).slice(11, 13));
  if (hour >= policy.remindFromHour && hour < policy.remindUntilHour) return at;
  const day = hour < policy.remindFromHour ? at : at + DAY_MS;
  const local = formatInZone(day, policy.zone);
  return Date.parse(`${local.slice(0, 10)}T${String(policy.remindFromHour).padStart(2, '0')}:00:00${local.slice(-6)}`);
}
