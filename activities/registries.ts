/** Asking the state's registries about the numbers of a submission. */
import { heartbeat } from '@temporalio/activity';
import {
  type AskedAbout,
  askedAbout,
  type CheckAt,
  countAttempt,
  openChecks,
  settleCheck,
} from '../db/registry-checks.ts';
import type { Registry } from '../domain/licensing.ts';
import { type RegistryResult, stateOfVerdict } from '../domain/registries.ts';
import type { ActivityDeps } from './deps.ts';
import { RegistryUnavailable } from './registries/client.ts';

export interface AskRegistries extends CheckAt {
  readonly ask: readonly Registry[];
  /** ISO 8601. When `at` is not before it, whatever has not answered by now is unavailable, and that is the last word. */
  readonly giveUpAt: string;
}

export interface RegistriesAnswered {
  /** Whether each has its last word. */
  readonly settled: boolean;
  readonly results: readonly RegistryResult[];
}

export function createRegistryActivities({
  db,
  personalData,
  registries,
}: Pick<ActivityDeps, 'db' | 'personalData' | 'registries'>) {
  function questionOf(about: AskedAbout, registry: Registry): { number: string; name: string } | null {
    switch (registry) {
      case 'nib':
        return about.nib === null ? null : { number: about.nib, name: about.companyName };
      case 'npwp':
        return { number: personalData.open(about.npwpEncrypted, 'companies.npwp'), name: about.companyName };
      case 'nik':
        return about.nikEncrypted === null
          ? null
          : { number: personalData.open(about.nikEncrypted, 'users.nik'), name: about.applicantName };
    }
  }

  async function askOne(input: AskRegistries, about: AskedAbout, registry: Registry): Promise<void> {
    const question = questionOf(about, registry);
    if (!question) return settleCheck(db, input, registry, { state: 'not_applicable', differences: [] });
    // An office that asks for a check and has nobody to ask: a person decides, and the record says so.
    if (!registries) return settleCheck(db, input, registry, { state: 'unavailable', differences: [] });
    await countAttempt(db, input, registry);
    try {
      const verdict = await registries.ask({ registry, ...question });
      const differences = verdict.found ? verdict.differences : [];
      await settleCheck(db, input, registry, { state: stateOfVerdict(verdict), differences });
    } catch (error) {
      if (!(error instanceof RegistryUnavailable)) throw error;
      if (Date.parse(input.at) >= Date.parse(input.giveUpAt))
        await settleCheck(db, input, registry, { state: 'unavailable', differences: [] });
    }
  }

  return {
    /** One round of questions: each registry that has not answered yet is asked once. The process comes again for the rest. */
    async askRegistries(input: AskRegistries): Promise<RegistriesAnswered> {
      const open = (await openChecks(db, input, input.ask)).filter(({ state }) => state === 'asking');
      const about = await askedAbout(db, input.applicationId);
      for (const { registry } of open) {
        heartbeat(registry);
        await askOne(input, about, registry);
      }
      const now = await openChecks(db, input, input.ask);
      return {
        settled: now.every(({ state }) => state !== 'asking'),
        results: now.map(({ registry, state, differences }) => ({ registry, state, differences })),
      };
    },
  };
}
