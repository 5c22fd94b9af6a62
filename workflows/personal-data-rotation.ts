/**
 * Seals everything anew with the current key:
 *
 *   column by column, page by page → count what is left → none: done
 *                                                       → some: a process still seals with an earlier key; go round again
 *
 * Nobody is kept from working meanwhile. What does not open, or stands in another's way, is left as it is and told at the end.
 */
import { ApplicationFailure } from '@temporalio/common';
import { continueAsNew, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { UserId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { counting, RESEAL_AGAIN_MS, RESEAL_PAGE, RESEAL_PAGES_A_RUN, records, resealing } from './policies.ts';

const { beginRotation } = proxyActivities<Activities>({ ...counting, summary: 'Check the keys, record the start' });
const { reencryptBatch } = proxyActivities<Activities>({ ...resealing, summary: 'Seal a page anew' });
const { countSealed } = proxyActivities<Activities>({ ...counting, summary: 'Count what is left' });
const { endRotation } = proxyActivities<Activities>({ ...records, summary: 'Record the end' });

type Column = Parameters<Activities['reencryptBatch']>[0]['column'];
type Stuck = Awaited<ReturnType<Activities['reencryptBatch']>>['stuck'][number];

export interface PersonalDataRotationInput {
  /** The key to seal with; a worker with another current one leaves the work to others. */
  readonly keyId: string;
  readonly by: UserId;
  /** Key of the event that tells of the start. */
  readonly started: string;
  readonly startedAt: string;
  /** How many values were sealed otherwise when it was asked for. */
  readonly remaining: number;
  /** How many values a page has, and how many pages a run; absent = as in policies.ts. */
  readonly pageSize?: number;
  readonly pagesARun?: number;
  /** Where the run before stopped. */
  readonly soFar?: SoFar;
}

interface SoFar {
  /** Still to be gone through in this round, the present one first. */
  readonly columns: readonly Column[];
  readonly after: string | null;
  readonly round: number;
  /** In all rounds. */
  readonly sealed: number;
  /** In this round: how many, and the first of them. */
  readonly stuckCount: number;
  readonly stuck: readonly Stuck[];
}

const NAMED_AT_MOST = 20;

export async function personalDataRotation(input: PersonalDataRotationInput): Promise<{ readonly sealed: number }> {
  const { keyId, started, pageSize = RESEAL_PAGE, pagesARun = RESEAL_PAGES_A_RUN } = input;
  let soFar = input.soFar ?? { ...round(1, await begin()), sealed: 0 };
  for (let pages = 0; ; pages += 1) {
    const [column] = soFar.columns;
    if (column === undefined) {
      const { remaining, columns } = await countSealed({ keyId });
      if (remaining === 0) break;
      if (remaining <= soFar.stuckCount) throw incomplete(soFar);
      await waitForLatecomers(remaining - soFar.stuckCount);
      soFar = { ...round(soFar.round + 1, columns), sealed: soFar.sealed };
    } else {
      show(column);
      soFar = proceeded(soFar, await reencryptBatch({ keyId, column, after: soFar.after, limit: pageSize }));
    }
    if (pages + 1 >= pagesARun || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof personalDataRotation>({ ...input, soFar });
  }
  await endRotation({ started, keyId, sealed: soFar.sealed, at: clock() });
  setCurrentDetails(
    `Done: **${soFar.sealed}** values were sealed anew with \`${keyId}\`. Earlier keys can be taken away.`,
  );
  return { sealed: soFar.sealed };

  // ---- its steps ------------------------------------------------------------------------------------------------------

  async function begin() {
    const { by, startedAt, remaining } = input;
    return (await beginRotation({ keyId, by, started, startedAt, remaining })).columns;
  }

  async function waitForLatecomers(count: number): Promise<void> {
    setCurrentDetails(
      `**${count}** values were sealed with an earlier key while this ran: a process still has it as its current one. ` +
        'Restart what was not restarted. Looked at again every five minutes.',
    );
    await sleep(RESEAL_AGAIN_MS, { summary: 'Wait for processes that still seal with an earlier key' });
  }

  function show(column: Column): void {
    const { sealed, stuckCount, columns } = soFar;
    setCurrentDetails(
      [
        `Sealing with \`${keyId}\`, round ${soFar.round}.`,
        '',
        '| sealed anew | left alone | now | then |',
        '| --- | --- | --- | --- |',
        `| ${sealed} | ${stuckCount} | ${column} | ${columns.slice(1).join(', ') || 'count what is left'} |`,
      ].join('\n'),
    );
  }
}

/** Columns in which there is nothing to do are not visited. */
const round = (number: number, columns: Awaited<ReturnType<Activities['countSealed']>>['columns']) => ({
  columns: columns.filter(({ total, done }) => done < total).map(({ column }) => column),
  after: null,
  round: number,
  stuckCount: 0,
  stuck: [],
});

function proceeded(soFar: SoFar, page: Awaited<ReturnType<Activities['reencryptBatch']>>): SoFar {
  return {
    ...soFar,
    columns: page.after === null ? soFar.columns.slice(1) : soFar.columns,
    after: page.after,
    sealed: soFar.sealed + page.sealed,
    stuckCount: soFar.stuckCount + page.stuck.length,
    stuck: [...soFar.stuck, ...page.stuck].slice(0, NAMED_AT_MOST),
  };
}

/** For a person: which rows, and why. Row IDs, nothing that is in them. */
function incomplete({ sealed, stuckCount, stuck }: SoFar): ApplicationFailure {
  const rows = stuck.map(({ column, id, why }) => `${column} of ${id} ${why}`).join('; ');
  const rest = stuckCount > stuck.length ? `, and ${stuckCount - stuck.length} more` : '';
  return ApplicationFailure.nonRetryable(
    `${sealed} values were sealed anew; ${stuckCount} were left as they are: ${rows}${rest}. ` +
      'Keep the earlier keys, mend these rows (docs/runbooks), then start the rotation again.',
    'rotation_incomplete',
  );
}
