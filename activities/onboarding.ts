/** The steps of a company's onboarding, written down; asking registries and the virus scanner about what was entered. */
import { log } from '@temporalio/activity';
import { recordCompanyScan, unscannedCompanyDocuments } from '../db/company-documents.ts';
import { type NumberToAsk, numbersToAsk, settleNumber } from '../db/company-numbers.ts';
import {
  cancelOnboarding,
  completeStep,
  concludeOnboarding,
  type DoneStep,
  expireOnboarding,
  type OnboardingDecision,
  type OnboardingInHand,
  type Reminder,
  remindOfOnboarding,
  reviewOnboarding,
  type TakenUp,
  takeOnboarding,
} from '../db/onboarding.ts';
import { eraseOnboarding, onboardingsToErase } from '../db/onboarding-erasure.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';
import { type RegistryState, stateOfVerdict } from '../domain/registries.ts';
import type { ActivityDeps } from './deps.ts';
import { openOrigin } from './origin.ts';
import { RegistryUnavailable } from './registries/client.ts';

export type { OnboardingInHand } from '../db/onboarding.ts';

/** As it comes with a message: the origin is sealed. */
type AsSent<T> = Omit<T, 'origin'> & { readonly origin?: SealedOrigin };

interface About {
  readonly companyId: CompanyId;
  readonly at: string;
}

export interface ErasedPage {
  readonly erased: number;
  /** Logged; the next run tries them again. */
  readonly failed: number;
}

type Deps = Pick<ActivityDeps, 'db' | 'files' | 'personalData' | 'registries' | 'scanner'>;

export function createOnboardingActivities(deps: Deps) {
  const { db, files, personalData, registries, scanner } = deps;
  const opened = <T extends { readonly origin?: SealedOrigin }>({ origin, ...rest }: T) => ({
    ...rest,
    origin: openOrigin(deps, origin),
  });

  /** One question a number: a registry that is away stops nobody, and what it would have said is left open. */
  async function verdictOn({ kind, sealed, name }: NumberToAsk): Promise<Exclude<RegistryState, 'asking'>> {
    if (!registries) return 'not_applicable';
    try {
      const number = personalData.open(sealed, 'company_numbers.number');
      return stateOfVerdict(await registries.ask({ registry: kind, number, name }));
    } catch (error) {
      if (error instanceof RegistryUnavailable) return 'unavailable';
      throw error;
    }
  }

  return {
    takeOnboarding: (input: AsSent<TakenUp>): Promise<OnboardingInHand | null> => takeOnboarding(db, opened(input)),

    completeOnboardingStep: (input: AsSent<DoneStep>): Promise<OnboardingInHand> => completeStep(db, opened(input)),

    remindOfOnboarding: (input: Reminder): Promise<OnboardingInHand> => remindOfOnboarding(db, input),

    expireOnboarding: (input: About & { readonly eraseAt: string }): Promise<OnboardingInHand> =>
      expireOnboarding(db, input),

    cancelOnboarding: (
      input: About & { readonly eraseAt: string; readonly by: UserId; readonly origin?: SealedOrigin },
    ): Promise<OnboardingInHand> => cancelOnboarding(db, { ...opened(input), from: 'open' }),

    reviewOnboarding: (input: AsSent<OnboardingDecision>): Promise<OnboardingInHand> =>
      reviewOnboarding(db, opened(input)),

    concludeOnboarding: (input: About): Promise<OnboardingInHand> => concludeOnboarding(db, input),

    /** All at once: whoever waits for the next step waits no longer than for the slowest registry. */
    async askCompanyRegistries({ companyId, at }: About): Promise<void> {
      const asked = await numbersToAsk(db, companyId);
      await Promise.all(
        asked.map(async (number) => {
          const state = await verdictOn(number);
          await settleNumber(db, { ...number, companyId }, { state, at });
        }),
      );
    },

    /** Throws as long as there is no verdict; only the scanner's own word makes a document clean. */
    async scanCompanyDocuments({ companyId, at, expiresAt }: About & { readonly expiresAt: string }): Promise<void> {
      for (const { id, sha256 } of await unscannedCompanyDocuments(db, companyId)) {
        if (!scanner)
          throw new Error('a document waits for the virus scanner, and none is configured: set ALUR_CLAMAV');
        const content = await files.read(sha256);
        if (!content) throw new Error(`the file of company document ${id} is missing from the store`);
        const verdict = await scanner.scan(content);
        const signature = verdict.infected ? verdict.signature : null;
        await recordCompanyScan(db, { companyId, documentId: id, signature, at, expiresAt });
      }
    },

    /** Each company in a transaction of its own: one that cannot be erased keeps no other from it. Safe to repeat. */
    async eraseOnboardings({ at, limit }: { readonly at: string; readonly limit: number }): Promise<ErasedPage> {
      const due = await onboardingsToErase(db, at, limit);
      let [erased, failed] = [0, 0];
      for (const companyId of due) {
        try {
          if (await eraseOnboarding(db, files, { companyId, at })) erased += 1;
        } catch (error) {
          failed += 1;
          log.error('an onboarding could not be erased; the next run tries again', { error, companyId });
        }
      }
      return { erased, failed };
    },
  };
}
