/**
 * The office has published another calendar: every open case is planned by it, and its process is told if anything moved.
 *
 *   page by page → cases that somebody held in that moment: once more, until none is left → tell those that moved → done
 *               → a newer calendar is in force: that one's process goes over all cases, this one ends
 *
 * Decisions go on meanwhile: a page is one short transaction that waits for nobody.
 */
import { continueAsNew, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { type ApplicationId, asId, type OfficeId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { licenseReviewId } from './ids.ts';
import { replannedSignal } from './messages.ts';
import { records, replanTellings } from './policies.ts';

const { replanCases } = proxyActivities<Activities>({ ...records, summary: 'Plan a page of cases anew' });
const { tellReplanned } = proxyActivities<Activities>({ ...replanTellings, summary: 'Tell the processes that moved' });
const { countUnplanned } = proxyActivities<Activities>({ ...records, summary: 'Count what was held by somebody' });
const { finishReplanning } = proxyActivities<Activities>({ ...records, summary: 'Record that all are planned' });

const PAGE = 200;
/** About ten events of history a page: far below the size at which continuing as new is suggested. */
const PAGES_A_RUN = 200;
/** A case is held for the length of somebody's transaction. */
const AGAIN_AFTER_MS = 2_000;

export interface CalendarChangeInput {
  readonly officeId: OfficeId;
  readonly version: number;
  /** Cases a transaction, and pages a run; absent = as above. */
  readonly pageSize?: number;
  readonly pagesARun?: number;
  /** Where the run before stopped. */
  readonly soFar?: SoFar;
}

interface SoFar {
  readonly after: ApplicationId | null;
  readonly replanned: number;
  readonly moved: number;
}

export interface CalendarChanged {
  readonly outcome: 'replanned' | 'superseded';
  readonly replanned: number;
  readonly moved: number;
}

export async function calendarChange(input: CalendarChangeInput): Promise<CalendarChanged> {
  const { officeId, version, pageSize = PAGE, pagesARun = PAGES_A_RUN } = input;
  let soFar: SoFar = input.soFar ?? { after: null, replanned: 0, moved: 0 };
  for (let pages = 1; ; pages += 1) {
    const page = await replanCases({ officeId, version, after: soFar.after, limit: pageSize, at: clock() });
    if (page.superseded) return end('superseded');
    soFar = {
      after: page.after,
      replanned: soFar.replanned + page.replanned,
      moved: soFar.moved + page.moved,
    };
    show(`Planning by version **${version}** of the calendar.`);
    if (page.after === null) {
      if ((await countUnplanned({ officeId, version })) === 0) break;
      await sleep(AGAIN_AFTER_MS, { summary: 'Cases that somebody is working on in this moment' });
    }
    if (pages >= pagesARun || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof calendarChange>({ ...input, soFar });
  }
  // After the records: they are right within seconds, and a process that wakes too early finds there that it is not time yet.
  // What a run of another version planned and had not told is among them.
  await tellAll();
  await finishReplanning({ officeId, version, at: clock() });
  return end('replanned');

  async function tellAll(): Promise<void> {
    const whom = {
      officeId,
      version,
      workflowIdPrefix: PROCESS_OF_CASE,
      signal: replannedSignal.name,
      limit: pageSize,
    };
    while ((await tellReplanned(whom)).told === pageSize);
  }

  function end(outcome: CalendarChanged['outcome']): CalendarChanged {
    show(outcome === 'replanned' ? `All planned by version **${version}**.` : 'A newer calendar is in force.');
    return { outcome, replanned: soFar.replanned, moved: soFar.moved };
  }

  function show(what: string): void {
    setCurrentDetails(`${what}\n\n| planned | moved |\n| --- | --- |\n| ${soFar.replanned} | ${soFar.moved} |`);
  }
}

const PROCESS_OF_CASE = licenseReviewId(asId<ApplicationId>(''));
