/** The year as Markdown. Every time is the whole minute, so the few milliseconds in which two machines differ do not show. */
import { type BusinessCalendar, formatInZone, workingMsBetween } from '../../domain/calendar.ts';
import { RUNG_CODES, type RungCode } from '../../domain/escalation.ts';
import { legalClock } from '../../domain/legal-clock.ts';
import { isClosed } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { officeDoneAt } from './invariants.ts';
import type { PlayedLeave } from './leave.ts';
import { MINUTE_MS, STAFF, type Staff } from './people.ts';
import type { CaseRecord } from './records.ts';
import type { PlayedYear } from './year.ts';

export interface Played {
  readonly seed: string;
  readonly year: PlayedYear;
  readonly leaves: readonly PlayedLeave[];
  readonly records: readonly CaseRecord[];
  readonly refused: readonly { readonly what: string; readonly code: string }[];
  /** By the case's number: why it has not ended. */
  readonly stuck: ReadonlyMap<number, string>;
  /** What does not hold, by case. */
  readonly problems: readonly string[];
}

/** What the report tells of a case; working time and time by the wall clock in minutes. */
interface Told {
  readonly record: CaseRecord;
  readonly doneAt: number | null;
  readonly officeMinutes: number;
  readonly applicantMinutes: number;
  readonly applicantCalendarMinutes: number;
  readonly budgetMinutes: number;
  readonly corrections: number;
  readonly isDeemed: boolean;
  readonly isLate: boolean;
}

const minute = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;

function tell(record: CaseRecord, calendar: BusinessCalendar): Told {
  const { completeAt, budgetMs, events } = record;
  const end = officeDoneAt(record);
  const doneAt = end === null ? null : minute(end);
  const suspensions = record.suspensions.map(({ from, to }) => ({
    from: minute(from),
    to: to === null ? null : minute(to),
  }));
  const isDeemed = events.some(({ type }) => type === 'application.deemed_approved');
  const count = (type: string) => events.filter((event) => event.type === type).length;
  const of = { record, doneAt, isDeemed, corrections: count('application.correction_requested') };
  const budgetMinutes = budgetMs / MINUTE_MS;
  if (completeAt === null || doneAt === null)
    return { ...of, budgetMinutes, officeMinutes: 0, applicantMinutes: 0, applicantCalendarMinutes: 0, isLate: false };
  const clock = legalClock(calendar, { completeAt: minute(completeAt), budgetMs, suspensions }, doneAt);
  const officeMinutes = clock.officeMs / MINUTE_MS;
  return {
    ...of,
    budgetMinutes,
    officeMinutes,
    applicantMinutes: clock.applicantMs / MINUTE_MS,
    applicantCalendarMinutes: clock.applicantCalendarMs / MINUTE_MS,
    isLate: !isDeemed && officeMinutes > budgetMinutes,
  };
}

export function report(played: Played): string {
  const { calendar } = played.year;
  const told = played.records.map((record) => tell(record, calendar));
  return [
    `Year ${played.year.year}, seed \`${played.seed}\`, ${told.length} cases.`,
    '',
    ...invariantLines(played),
    '',
    '### By licence type',
    '',
    ...byType(told, calendar),
    '',
    '### By person',
    '',
    ...byPerson(played, told),
    '',
    '### What was refused',
    '',
    ...refusals(played),
    '',
    ...notEnded(played),
    '### Case by case',
    '',
    ...caseByCase(told, played.year),
    '',
  ].join('\n');
}

function invariantLines({ problems, records }: Played): string[] {
  if (problems.length === 0) return [`All invariants hold for all ${records.length} cases.`];
  return [`**${problems.length} invariants do not hold:**`, '', ...problems.map((problem) => `- ${problem}`)];
}

// ---- by type ------------------------------------------------------------------------------------------------------------

function byType(told: readonly Told[], calendar: BusinessCalendar): string[] {
  const types = [...new Set(told.map(({ record }) => record.typeCode))].toSorted();
  const groups = [told, ...types.map((type) => told.filter(({ record }) => record.typeCode === type))];
  const line = (what: string, figure: (group: readonly Told[]) => string) => [what, ...groups.map(figure)];
  const count = (what: string, is: (one: Told) => boolean) => line(what, (group) => `${group.filter(is).length}`);
  const spread = (what: string, of: (one: Told) => number | null, show: (value: number) => string) =>
    line(`${what}, median / p90`, (group) => {
      const values = group.flatMap((one) => of(one) ?? []);
      return values.length === 0 ? '–' : `${show(percentile(values, 0.5))} / ${show(percentile(values, 0.9))}`;
    });
  const reviewed = ({ record }: Told) => record.tasks.length > 0;
  const rungs = (code: RungCode) =>
    line(
      `rung \`${code}\``,
      (group) => `${sum(group.map(({ record }) => record.rungs.filter((rung) => rung.code === code).length))}`,
    );
  const events = (what: string, type: string) =>
    line(
      what,
      (group) => `${sum(group.map(({ record }) => record.events.filter((event) => event.type === type).length))}`,
    );
  return table(
    ['', 'all', ...types],
    [
      count('cases', () => true),
      count(
        'active, approved by people',
        ({ record, isDeemed }) => record.state === 'active' && !isDeemed && record.tasks.length > 0,
      ),
      count('active, approved automatically', (one) => one.record.state === 'active' && !reviewed(one)),
      count('active, approved by law', ({ record, isDeemed }) => record.state === 'active' && isDeemed),
      count('rejected', ({ record }) => record.state === 'rejected'),
      count('withdrawn', ({ record }) => record.state === 'withdrawn'),
      count('lapsed unanswered', ({ record }) => record.state === 'lapsed_no_response'),
      count('not ended', ({ record }) => !isClosed(record.state)),
      events('corrections asked for', 'application.correction_requested'),
      events('rejections announced', 'application.intent_to_reject'),
      events('appeals', 'application.appealed'),
      events('reopened', 'application.reopened'),
      spread('office, working hours', (one) => (reviewed(one) ? one.officeMinutes : null), hours),
      spread(
        'applicant, working hours',
        (one) => (one.record.suspensions.length > 0 ? one.applicantMinutes : null),
        hours,
      ),
      spread(
        'applicant, days by the calendar',
        (one) => (one.record.suspensions.length > 0 ? one.applicantCalendarMinutes : null),
        days,
      ),
      spread('legal time used, %', (one) => (reviewed(one) ? usedPercent(one) : null), whole),
      spread('submission to the last word, working hours', (one) => elapsed(one, calendar), hours),
      ...RUNG_CODES.map(rungs),
      events('seats that nobody was free for', 'task.unassigned'),
      count('cases later than their legal time', ({ isLate }) => isLate),
    ],
  );
}

const elapsed = ({ record, doneAt }: Told, calendar: BusinessCalendar): number | null =>
  doneAt === null || record.tasks.length === 0
    ? null
    : workingMsBetween(calendar, minute(record.submittedAt), doneAt) / MINUTE_MS;

const usedPercent = ({ officeMinutes, budgetMinutes }: Told): number =>
  budgetMinutes === 0 ? 0 : (100 * officeMinutes) / budgetMinutes;

// ---- by person ------------------------------------------------------------------------------------------------------------

function byPerson({ year, leaves }: Played, told: readonly Told[]): string[] {
  const row = (who: Staff): string[] => {
    const id = demoUserId(who);
    const made = told.flatMap(({ record }) => record.decisions.filter(({ by }) => by === id));
    const times = told.flatMap(({ record }) => heldFor(record, id, year.calendar));
    const mentions = (type: string) =>
      sum(
        told.map(
          ({ record }) => record.events.filter((event) => event.type === type && event.data['assignee'] === id).length,
        ),
      );
    const decided = (...which: string[]) => `${made.filter(({ decision }) => which.includes(decision)).length}`;
    const away = sum(
      leaves.filter((leave) => leave.who === who).map(({ from, to }) => workingMsBetween(year.calendar, from, to)),
    );
    return [
      who,
      days480(away),
      `${made.length}`,
      decided('approve'),
      decided('request_correction'),
      decided('intend_to_reject', 'reject'),
      `${made.filter((decision) => decision.override).length}`,
      times.length === 0 ? '–' : `${hours(percentile(times, 0.5))} / ${hours(percentile(times, 0.9))}`,
      `${mentions('task.reminded')}`,
      `${mentions('task.at_risk')}`,
      `${mentions('task.breached')}`,
    ];
  };
  const head = [
    'who',
    'days away',
    'decisions',
    'approvals',
    'corrections',
    'rejections',
    'overrides',
    'hours with them, median / p90',
  ];
  return table([...head, 'reminded', 'at risk', 'taken away'], STAFF.map(row));
}

/** Working minutes from when they got the task to when they decided. */
const heldFor = ({ tasks, decisions }: CaseRecord, id: string, calendar: BusinessCalendar): number[] =>
  decisions
    .filter(({ by }) => by === id)
    .flatMap(({ round, stage, seat, at }) => {
      const task = tasks.find((each) => each.round === round && each.stage === stage && each.seat === seat);
      return task
        ? [
            workingMsBetween(calendar, minute(task.assignedAt), Math.max(minute(task.assignedAt), minute(at))) /
              MINUTE_MS,
          ]
        : [];
    });

function refusals({ refused }: Played): string[] {
  if (refused.length === 0) return ['Nothing.'];
  const names = refused.map(({ what, code }) => `${what}\n${code}`);
  const rows = [...new Set(names)]
    .toSorted()
    .map((name) => [...name.split('\n'), `${names.filter((each) => each === name).length}`]);
  return table(['what was asked for', 'code', 'times'], rows);
}

function notEnded({ stuck }: Played): string[] {
  if (stuck.size === 0) return [];
  const cases = [...stuck].toSorted(([a], [b]) => a - b).map(([number, why]) => `- case ${number}: ${why}`);
  return ['### What has not ended, and why', '', ...cases, ''];
}

// ---- case by case -----------------------------------------------------------------------------------------------------------

function caseByCase(told: readonly Told[], year: PlayedYear): string[] {
  const head = [
    'case',
    'type',
    'submitted',
    'last word',
    'outcome',
    'corrections',
    'office',
    'of legal',
    'applicant',
    'rungs',
  ];
  const when = (at: number | null) =>
    at === null
      ? '–'
      : formatInZone(minute(at) - year.movedMs, year.calendar.zone)
          .slice(0, 16)
          .replace('T', ' ');
  return table(
    head,
    told.map((one) => [
      `${one.record.number}`,
      one.record.typeCode,
      when(one.record.submittedAt),
      when(one.doneAt),
      outcome(one),
      `${one.corrections}`,
      hours(one.officeMinutes),
      `${whole(usedPercent(one))} %`,
      `${hours(one.applicantMinutes)} (${days(one.applicantCalendarMinutes)} d)`,
      ladderOf(one.record),
    ]),
  );
}

const INITIAL = { document_verification: 'D', compliance_check: 'C', approval: 'A' } as const;
const RUNG_INITIAL: Record<RungCode, string> = { half: 'h', at_risk: 'r', breach: 'b', head: 'H', last_day: 'L' };

/** The rungs of each stage and round, in the order in which they fired: `C1 hrb, A2 L`. */
function ladderOf({ rungs }: CaseRecord): string {
  const ladders = new Map<string, string>();
  for (const { stage, round, code } of rungs) {
    const where = `${INITIAL[stage]}${round}`;
    ladders.set(where, `${ladders.get(where) ?? ''}${RUNG_INITIAL[code]}`);
  }
  return [...ladders].map(([where, fired]) => `${where} ${fired}`).join(', ');
}

function outcome({ record, isDeemed, isLate }: Told): string {
  const was = (type: string) => record.events.some((event) => event.type === type);
  const marks = [
    ...(isDeemed ? ['by law'] : []),
    ...(isLate ? ['late'] : []),
    ...(was('application.reopened') ? ['reopened'] : []),
    ...(was('application.appealed') ? ['appealed'] : []),
  ];
  return marks.length === 0 ? record.state : `${record.state} (${marks.join(', ')})`;
}

// ---- figures ------------------------------------------------------------------------------------------------------------------

/** The smallest value that so large a share is not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (found === undefined) throw new RangeError('no values');
  return found;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const whole = (value: number): string => `${Math.round(value)}`;
const hours = (minutes: number): string => `${Math.floor(minutes / 60)}:${`${minutes % 60}`.padStart(2, '0')}`;
const days = (minutes: number): string => (minutes / 1440).toFixed(1);
const days480 = (workingMs: number): string => (workingMs / MINUTE_MS / 480).toFixed(0);

/** Columns padded: the same text is read on a terminal. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, column) => Math.max(name.length, 3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}
