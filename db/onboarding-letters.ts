/** Letters about the onboarding of a company, written into the outbox with the change that they tell of. */
import type { Knex } from 'knex';
import type { CompanyId, UserId } from '../domain/ids.ts';
import type { OnboardingLetter } from '../domain/mail.ts';
import { writeLetter } from './account-letters.ts';
import type { SuggestedLicense } from './suggested-licenses.ts';
import { namedUuid } from './uuids.ts';

export interface OnboardingNewsToWrite {
  /** Of the event: the letter's ID comes from it, so that it is there once. */
  readonly key: string;
  readonly template: OnboardingLetter;
  readonly companyId: CompanyId;
  readonly at: string;
  readonly note?: string | null;
  readonly suggested?: readonly SuggestedLicense[];
  readonly eraseAt?: string;
}

/** @param key of the event that it tells of */
export const onboardingLetterId = (key: string): string => namedUuid(`letter/${key}`);

/** To whoever registered the company. */
export async function writeOnboardingLetter(tx: Knex, news: OnboardingNewsToWrite): Promise<void> {
  const { key, template, companyId, at, note = null, suggested = [], eraseAt = null } = news;
  const found: { userId: UserId; companyName: string } | undefined = await tx('onboardings as o')
    .join('companies as c', 'c.id', 'o.company_id')
    .where('o.company_id', companyId)
    .first({ userId: 'o.owner_id', companyName: 'c.name' });
  if (!found) throw new Error(`company ${companyId} has no onboarding`);
  const { userId, companyName } = found;
  const data = { companyName, companyId, note, eraseAt, suggested: suggested.map(({ name }) => name) };
  await writeLetter(tx, { id: onboardingLetterId(key), template, userId, data, at: new Date(at) });
}
