/**
 * All open cases of a licence type are moved to another version of its rules: page by page, each case asked by its own update. A
 * case that refuses (it was decided meanwhile, or it ended) stays as it is and is counted. Histories hold IDs, nothing else.
 */
import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ApplicationId } from '../domain/ids.ts';
import { licenseReviewId, policyMoveId } from './ids.ts';
import { movePolicyUpdate, type PolicyMoveInput } from './messages.ts';
import { moving, records } from './policies.ts';

const { casesOfType } = proxyActivities<Activities>({ ...records, summary: 'Look up the next open cases' });
const { moveCases } = proxyActivities<Activities>({ ...moving, summary: 'Ask each case to go by the other rules' });

const PAGE = 50;
/** A page is two activities; far below the size at which continuing as new is suggested. */
const PAGES_A_RUN = 400;
const NAMED_AT_MOST = 50;

export interface PolicyMoved {
  readonly moved: number;
  readonly refused: number;
  /** The first of those that refused. */
  readonly stayed: readonly ApplicationId[];
}

interface SoFar extends PolicyMoved {
  readonly after: ApplicationId | null;
}

export async function policyMove(input: PolicyMoveInput & { readonly soFar?: SoFar }): Promise<PolicyMoved> {
  const { moveId, typeCode, policyId, by, reason } = input;
  let soFar: SoFar = input.soFar ?? { moved: 0, refused: 0, stayed: [], after: null };
  for (let pages = 0; ; pages += 1) {
    const page = await casesOfType({ typeCode, after: soFar.after, limit: PAGE });
    const last = page.at(-1);
    if (last === undefined) break;
    const errands = page.map((applicationId) => ({ applicationId, workflowId: licenseReviewId(applicationId) }));
    const update = { name: movePolicyUpdate.name, id: policyMoveId(moveId) };
    const { stayed } = await moveCases({ errands, update, policyId, by, reason });
    soFar = {
      moved: soFar.moved + page.length - stayed.length,
      refused: soFar.refused + stayed.length,
      stayed: [...soFar.stayed, ...stayed].slice(0, NAMED_AT_MOST),
      after: last,
    };
    setCurrentDetails(`\`${typeCode}\`: **${soFar.moved}** cases moved, **${soFar.refused}** stay as they are.`);
    if (pages + 1 >= PAGES_A_RUN || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof policyMove>({ ...input, soFar });
  }
  const { moved, refused, stayed } = soFar;
  return { moved, refused, stayed };
}
