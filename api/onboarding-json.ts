/** What is shown of an onboarding, and to whom. */
import { type OnboardingStatus, onboardingStatus } from '../db/onboarding-reads.ts';
import { Failure, type FieldProblem } from '../domain/failures.ts';
import type { CompanyId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { ONBOARDING_STEPS, percentOf, REQUIRED_DOCUMENTS } from '../domain/onboarding.ts';
import { isStaff } from '../domain/roles.ts';
import type { ApiDeps } from './deps.ts';
import type { Locale } from './request.ts';
import { timeJson } from './wire.ts';

/** Members of the company and people of the office. @throws Failure `not_found`: for others there is no such company */
export async function onboardingSeenBy(deps: ApiDeps, actor: Actor, id: CompanyId): Promise<OnboardingStatus> {
  const found = await onboardingStatus(deps.db, id, { userId: actor.userId, isStaff: isStaff(actor.roles) });
  if (found) return found;
  throw noSuchCompany();
}

/** @throws Failure `not_found`: what is entered for a company its own people enter */
export async function ownOnboarding(deps: ApiDeps, actor: Actor, id: CompanyId): Promise<OnboardingStatus> {
  const found = await onboardingStatus(deps.db, id, { userId: actor.userId, isStaff: false });
  if (found) return found;
  throw noSuchCompany();
}

const noSuchCompany = () => new Failure('not_found', 'There is no such company, or none that you may see.');

export function onboardingJson(found: OnboardingStatus, actor: Actor) {
  const { companyId, companyName, companyStatus, legalForm, numbers } = found;
  const record = found.record ?? sinceBefore(found);
  const steps = found.record ? found.steps : everyStep(found);
  return {
    companyId,
    companyName,
    companyStatus,
    state: record.state,
    percent: percentOf(record.state, steps),
    steps: steps.map((each) => ({ ...each, completedAt: timeOf(each.completedAt) })),
    requiredDocuments: [...REQUIRED_DOCUMENTS[legalForm]],
    remindersSent: record.remindersSent,
    startedAt: timeJson(new Date(record.startedAt)),
    lastStepAt: timeOf(record.lastStepAt),
    expiresAt: timeOf(record.expiresAt),
    eraseAt: timeOf(record.eraseAt),
    erasedAt: timeOf(record.erasedAt),
    suggestedLicenses: record.suggestedLicenses,
    review: isStaff(actor.roles)
      ? {
          reasons: record.reviewReasons,
          numbers: numbers.map(({ kind, masked, registryState }) => ({ kind, number: masked, registryState })),
        }
      : null,
  };
}

const timeOf = (text: string | null): string | null => (text === null ? null : timeJson(new Date(text)));

/** A company that was there before there was an onboarding has come in long ago. */
const sinceBefore = ({ createdAt }: OnboardingStatus) => ({
  state: 'completed' as const,
  remindersSent: 0,
  startedAt: createdAt.toISOString(),
  lastStepAt: null,
  expiresAt: null,
  eraseAt: null,
  erasedAt: null,
  reviewReasons: [],
  suggestedLicenses: [],
});

const everyStep = ({ createdAt }: OnboardingStatus) =>
  ONBOARDING_STEPS.map((step) => ({
    step,
    state: step === 'review' ? ('skipped' as const) : ('completed' as const),
    completedAt: step === 'review' ? null : createdAt.toISOString(),
    metadata: {},
  }));

/** What is wrong with what was entered, where only the record tells. */
export const entryProblem =
  (locale: Locale) =>
  (code: keyof typeof SENTENCES, pointer: string, kinds = ''): FieldProblem => ({
    pointer,
    code,
    detail: `${SENTENCES[code][locale]}${kinds === '' ? '' : `: ${kinds}`}`,
  });

const SENTENCES = {
  required: { id: 'wajib diisi', en: 'required' },
  not_allowed: {
    id: 'hanya untuk usaha perorangan dan UD',
    en: 'only for a sole proprietorship or a trading business (UD)',
  },
  unknown_document: { id: 'dokumen ini tidak ada', en: 'there is no such document' },
  document_missing: { id: 'dokumen wajib belum diunggah', en: 'required documents are missing' },
} as const satisfies Record<string, Readonly<Record<Locale, string>>>;
