/**
 * Once a day, and when an operator starts it: sees to it that every licence with an end is followed by its process. Licences that
 * were issued before there were such processes get theirs, and one whose process is gone gets another. Page by page; what was done
 * is done, so that a run which starts anew finds less to do.
 */
import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { LicenseId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { LICENSE_FOLLOWING } from './ids.ts';
import { adopting } from './policies.ts';

const { adoptLicenses } = proxyActivities<Activities>({ ...adopting, summary: 'Give each licence its process' });

const PAGE = 100;
/** A page is one activity; far below the size at which continuing as new is suggested. */
const PAGES_A_RUN = 500;

export interface LicenseAdoptionInput {
  /** How many licences one activity takes. */
  readonly page?: number;
  readonly pagesARun?: number;
  readonly soFar?: SoFar;
}

interface SoFar extends Adopted {
  readonly after: LicenseId | null;
}

export interface Adopted {
  /** Had none before. */
  readonly followed: number;
  /** Theirs was gone. */
  readonly revived: number;
  /** Could not be started now; the next day tries again. */
  readonly failed: number;
}

export async function licenseAdoption(input: LicenseAdoptionInput = {}): Promise<Adopted> {
  const { page: limit = PAGE, pagesARun = PAGES_A_RUN } = input;
  let soFar: SoFar = input.soFar ?? { followed: 0, revived: 0, failed: 0, after: null };
  for (let pages = 0; ; pages += 1) {
    if (pages >= pagesARun || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof licenseAdoption>({ ...input, soFar });
    const { next, ...done } = await adoptLicenses({
      after: soFar.after,
      limit,
      prefix: LICENSE_FOLLOWING,
      at: clock(),
    });
    soFar = {
      followed: soFar.followed + done.followed,
      revived: soFar.revived + done.revived,
      failed: soFar.failed + done.failed,
      after: next,
    };
    const { followed, revived, failed } = soFar;
    setCurrentDetails(`**${followed}** licences followed from now on, **${revived}** again, ${failed} failed.`);
    if (next === null) return { followed, revived, failed };
  }
}
