/** Asking the registries until each has answered, or the policy's time is over. */
import { condition, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ApplicationId, CompanyId } from '../domain/ids.ts';
import type { LicensePolicy } from '../domain/licensing.ts';
import { pauseBeforeAsking, type RegistryResult } from '../domain/registries.ts';
import { clock } from './answers.ts';
import { registryQuestions } from './policies.ts';

const { askRegistries } = proxyActivities<Activities>({
  ...registryQuestions,
  summary: 'Ask the registries about the numbers of the submission',
});

export interface RegistryAsking {
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly round: number;
  readonly policy: NonNullable<LicensePolicy['registries']>;
}

/**
 * @param isOver whether the case needs no answer any more: the asking ends there, with what is known
 * @returns what each said; `unavailable` for those that were silent to the end
 */
export async function askUntilSettled(
  { policy, ...submission }: RegistryAsking,
  isOver: () => boolean,
): Promise<readonly RegistryResult[]> {
  const giveUpAt = Date.now() + policy.giveUpAfterMinutes * 60_000;
  for (let tries = 1; ; tries += 1) {
    const { settled, results } = await askRegistries({
      ...submission,
      ask: policy.ask,
      giveUpAt: new Date(giveUpAt).toISOString(),
      at: clock(),
    });
    if (settled || isOver()) return results;
    const pause = pauseBeforeAsking(tries, Date.now(), giveUpAt);
    await condition(isOver, pause, { summary: 'Before a registry that is silent is asked again' });
    if (isOver()) return results;
  }
}
