/** What must hold for every case of the year, whatever happened. Asked of the records alone. */
import { type BusinessCalendar, workingMsBetween } from '../../domain/calendar.ts';
import { legalClock } from '../../domain/legal-clock.ts';
import {
  APPLICATION_STATES,
  type ApplicationState,
  canMove,
  isClosed,
  isStage,
  type Stage,
} from '../../domain/licensing.ts';
import type { CaseRecord, EventRecord, TaskRecord } from './records.ts';

/** Between two steps of a process pass milliseconds, on a busy machine seconds; what people wait for takes a minute at least. */
const STEP_MS = 60_000;

/**
 * What is wrong with a case, in words; none = all is well.
 * @param isExplained it is known why it has not ended
 */
export function problemsOf(record: CaseRecord, calendar: BusinessCalendar, isExplained = false): string[] {
  return [
    ...(isExplained ? [] : endProblems(record)),
    ...clockProblems(record, calendar),
    ...rungProblems(record),
    ...stageProblems(record),
    ...decisionProblems(record),
    ...replayProblems(record),
  ];
}

/** When the office was done with it: its last word, or the end that somebody else made. Epoch milliseconds; null = not yet. */
export function officeDoneAt({ events }: CaseRecord): number | null {
  const last = events.findLast(({ type, data }) => {
    const to = data['to'];
    return DONE.has(type) || (type === 'decision.recorded' && (to === 'rejected' || to === 'activating'));
  });
  return last?.at ?? null;
}

const DONE: ReadonlySet<string> = new Set([
  'application.approved',
  'application.deemed_approved',
  'application.withdrawn',
  'application.cancelled',
  'application.lapsed_no_response',
]);

function endProblems({ state, tasks }: CaseRecord): string[] {
  if (!isClosed(state)) return [`has not ended: it is ${state}`];
  return tasks.some((task) => task.state === 'open') ? [`is ${state}, and a task of it is open`] : [];
}

/** Σ of what each stage took and of what the applicant took is all the working time that has passed, and the clock says so too. */
function clockProblems(record: CaseRecord, calendar: BusinessCalendar): string[] {
  const { completeAt, budgetMs, suspensions, tasks } = record;
  const doneAt = officeDoneAt(record);
  if (completeAt === null || doneAt === null) return [];
  const clock = legalClock(calendar, { completeAt, budgetMs, suspensions }, doneAt);
  const stagesMs = stageTimes(record, calendar);
  const elapsedMs = workingMsBetween(calendar, completeAt, doneAt);
  const differMs = elapsedMs - stagesMs - clock.applicantMs;
  const steps = tasks.length + suspensions.length + 1;
  const wrong = Math.abs(differMs) > STEP_MS * steps;
  const negative = clock.officeMs < 0 || clock.applicantMs < 0;
  return [
    ...(wrong ? [`its stages and pauses add up to ${differMs} ms of working time less than have passed`] : []),
    ...(negative ? ['its clock ran backwards'] : []),
    ...(suspensions.some(({ to }) => to === null) && !LEFT_STANDING.has(record.state)
      ? ['its clock still stands']
      : []),
  ];
}

/** Ends while the applicant had it: nobody needs the clock to run again. */
const LEFT_STANDING: ReadonlySet<ApplicationState> = new Set(['lapsed_no_response', 'withdrawn', 'cancelled']);

/** Working time of the stages: the last task of each holds what it had used before. A review that is appealed is counted anew. */
function stageTimes({ tasks, events }: CaseRecord, calendar: BusinessCalendar): number {
  const appealedAt = events.find(({ type }) => type === 'application.appealed')?.at ?? Number.POSITIVE_INFINITY;
  const last = new Map<string, TaskRecord>();
  for (const task of tasks) {
    const key = `${task.stage} ${task.openedAt >= appealedAt}`;
    const known = last.get(key);
    if (!known || known.round < task.round || (known.round === task.round && endOf(known) < endOf(task)))
      last.set(key, task);
  }
  return [...last.values()].reduce(
    (sum, task) => sum + task.usedMs + workingMsBetween(calendar, task.openedAt, endOf(task)),
    0,
  );
}

const endOf = ({ closedAt, openedAt }: TaskRecord): number => closedAt ?? openedAt;

function rungProblems({ rungs }: CaseRecord): string[] {
  const names = rungs.map(({ stage, round, code }) => `${code} of ${stage} in round ${round}`);
  return twice(names).map((name) => `the rung ${name} fired twice`);
}

/** Whoever acts on one stage of a review acts on no other one, unless a supervisor overrides. */
function stageProblems({ decisions }: CaseRecord): string[] {
  const stages = new Map<string, Set<Stage>>();
  for (const { by, stage, override } of decisions)
    if (!override) stages.set(by, (stages.get(by) ?? new Set<Stage>()).add(stage));
  return [...stages].flatMap(([by, acted]) => (acted.size > 1 ? [`${by} decided at ${[...acted].join(' and ')}`] : []));
}

function decisionProblems({ decisions, tasks }: CaseRecord): string[] {
  const final = decisions.filter(({ decision }) => decision !== 'intend_to_reject');
  const seats = final.map(({ stage, round, seat }) => `${stage} in round ${round}, seat ${seat}`);
  const decided = tasks
    .filter(({ state }) => state === 'decided')
    .map(({ stage, round, seat }) => `${stage} in round ${round}, seat ${seat}`);
  return [
    ...twice(seats).map((seat) => `was decided twice: ${seat}`),
    ...decided.filter((seat) => !seats.includes(seat)).map((seat) => `is decided without a decision: ${seat}`),
  ];
}

const twice = (names: readonly string[]): string[] => names.filter((name, index) => names.indexOf(name) !== index);

/** The events alone, played one after the other, lead to the state on record, and only by moves that there are. */
function replayProblems({ state, isAutomatic, events }: CaseRecord): string[] {
  let now: ApplicationState = 'draft';
  const problems: string[] = [];
  for (const event of events) {
    for (const to of statesAfter(event, isAutomatic)) {
      if (to !== now && !canMove(now, to)) problems.push(`${event.type} leads from ${now} to ${to}, which is no move`);
      now = to;
    }
  }
  return now === state ? problems : [...problems, `its events lead to ${now}, and its record is ${state}`];
}

/** The states that a case goes through by an event; none = it stays where it is. */
export function statesAfter({ type, data }: EventRecord, isAutomatic: boolean): ApplicationState[] {
  const { to, stage } = data;
  switch (type) {
    case 'application.submitted':
      return ['submitted'];
    case 'application.completeness_checked':
    case 'application.appealed':
      return [isAutomatic ? 'auto_check' : 'completeness'];
    case 'task.assigned':
      return typeof stage === 'string' && isStage(stage) ? [stage] : [];
    case 'decision.recorded':
      return [stateNamed(to)];
    case 'application.correction_requested':
    case 'application.reopened':
      return ['correction_requested'];
    case 'application.intent_to_reject':
      return ['intent_to_reject'];
    case 'application.approved':
      return ['activating'];
    case 'application.deemed_approved':
      return ['deemed_approved', 'activating'];
    case 'application.withdrawn':
      return ['withdrawn'];
    case 'application.cancelled':
      return ['cancelled'];
    case 'application.lapsed_no_response':
      return ['lapsed_no_response'];
    case 'license.issued':
      return ['active'];
    default:
      return [];
  }
}

function stateNamed(to: unknown): ApplicationState {
  const found = APPLICATION_STATES.find((state) => state === to);
  if (!found) throw new Error(`a decision led to ${String(to)}, which is no state`);
  return found;
}
