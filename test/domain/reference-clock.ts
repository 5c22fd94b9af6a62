/**
 * What domain/calendar.ts, escalation.ts and legal-clock.ts must answer, worked out the slow and obvious way: minute after
 * minute, each one asked of the operating system's time zone data whether the office is open in it. It shares no line with
 * what it checks. Instants are epoch milliseconds on whole minutes.
 */
import type { BusinessCalendar } from '../../domain/calendar.ts';

const MINUTE = 60_000;

const HOUR = 60 * MINUTE;

interface LocalHour {
  readonly date: string;
  readonly weekday: number;
  readonly minuteOfDay: number;
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Asks the system's time zone data, once for each hour: the zones of Indonesia are whole hours from UTC. */
function zoneClock(zone: string): (hour: number) => LocalHour {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
  });
  const known = new Map<number, LocalHour>();
  return (hour) => {
    const before = known.get(hour);
    if (before) return before;
    const part = Object.fromEntries(format.formatToParts(hour * HOUR).map(({ type, value }) => [type, value]));
    const local = {
      date: `${part['year']}-${part['month']}-${part['day']}`,
      weekday: WEEKDAYS.indexOf(part['weekday'] ?? '') + 1,
      minuteOfDay: Number(part['hour']) * 60,
    };
    known.set(hour, local);
    return local;
  };
}

const CLOCKS = {
  'Asia/Jakarta': zoneClock('Asia/Jakarta'),
  'Asia/Makassar': zoneClock('Asia/Makassar'),
  'Asia/Jayapura': zoneClock('Asia/Jayapura'),
};

/** `holiday`: the office would be open, if it were not for the closure. */
type Minute = 'open' | 'shut' | 'holiday';

function judge(calendar: BusinessCalendar, hour: LocalHour, minute: number): Minute {
  const minuteOfDay = hour.minuteOfDay + minute;
  if (!calendar.workdays.includes(hour.weekday)) return 'shut';
  if (minuteOfDay < calendar.opensAtMinute || minuteOfDay >= calendar.closesAtMinute) return 'shut';
  return calendar.closedDates.has(hour.date) ? 'holiday' : 'open';
}

/** The minutes of an hour are judged together, and remembered for the same office. */
const judged = new WeakMap<BusinessCalendar, Map<number, readonly Minute[]>>();

function minuteOf(calendar: BusinessCalendar, at: number): Minute {
  let hours = judged.get(calendar);
  if (!hours) {
    hours = new Map();
    judged.set(calendar, hours);
  }
  const hour = Math.floor(at / HOUR);
  let minutes = hours.get(hour);
  if (!minutes) {
    const local = CLOCKS[calendar.zone](hour);
    minutes = Array.from({ length: 60 }, (_, minute) => judge(calendar, local, minute));
    hours.set(hour, minutes);
  }
  return minutes[(at - hour * HOUR) / MINUTE] ?? 'shut';
}

const localDateOf = (calendar: BusinessCalendar, at: number): string =>
  CLOCKS[calendar.zone](Math.floor(at / HOUR)).date;

const minuteOfDay = (calendar: BusinessCalendar, at: number): number =>
  CLOCKS[calendar.zone](Math.floor(at / HOUR)).minuteOfDay + Math.floor((at % HOUR) / MINUTE);

/** Open minutes of [from, to), in milliseconds. */
export function slowWorkingMs(calendar: BusinessCalendar, from: number, to: number): number {
  let open = 0;
  for (let at = from; at < to; at += MINUTE) if (minuteOf(calendar, at) === 'open') open += 1;
  return open * MINUTE;
}

export interface SlowDeadline {
  readonly at: number;
  readonly holidays: readonly string[];
}

/** Goes on until so much has been open; none at all = until it opens. */
export function slowAdd(calendar: BusinessCalendar, from: number, workingMs: number): SlowDeadline {
  return slowRun(calendar, from, workingMs, () => false);
}

/** The same, while minutes of which `standsStill` do not count. */
function slowRun(
  calendar: BusinessCalendar,
  from: number,
  workingMs: number,
  standsStill: (at: number) => boolean,
): SlowDeadline {
  const holidays = new Set<string>();
  let left = workingMs / MINUTE;
  for (let at = from; ; at += MINUTE) {
    const minute = standsStill(at) ? 'shut' : minuteOf(calendar, at);
    if (minute === 'holiday') holidays.add(localDateOf(calendar, at));
    if (minute !== 'open') continue;
    if (left === 0) return { at, holidays: [...holidays] };
    left -= 1;
    if (left === 0) return { at: at + MINUTE, holidays: [...holidays] };
  }
}

export interface SlowClock {
  readonly officeMs: number;
  readonly applicantMs: number;
  readonly applicantCalendarMs: number;
  readonly dueAt: number | null;
  readonly holidays: readonly string[] | null;
}

type Ledger = readonly { readonly from: number; readonly to: number | null }[];

export function slowLegalClock(
  calendar: BusinessCalendar,
  entries: { readonly completeAt: number; readonly budgetMs: number; readonly suspensions: Ledger },
  now: number,
): SlowClock {
  const { completeAt, budgetMs, suspensions } = entries;
  const suspendedAt = (at: number) => suspensions.some(({ from, to }) => from <= at && (to === null || at < to));
  const used = { office: 0, applicant: 0, applicantCalendar: 0 };
  for (let at = completeAt; at < now; at += MINUTE) {
    const open = minuteOf(calendar, at) === 'open';
    if (suspendedAt(at)) {
      used.applicantCalendar += MINUTE;
      if (open) used.applicant += MINUTE;
    } else if (open) used.office += MINUTE;
  }
  const endless = suspensions.find(({ to }) => to === null);
  const before = endless ? slowOffice(calendar, completeAt, endless.from, suspendedAt) : Number.POSITIVE_INFINITY;
  const due = before < budgetMs ? null : slowRun(calendar, completeAt, budgetMs, suspendedAt);
  return {
    officeMs: used.office,
    applicantMs: used.applicant,
    applicantCalendarMs: used.applicantCalendar,
    dueAt: due?.at ?? null,
    holidays: due?.holidays ?? null,
  };
}

function slowOffice(calendar: BusinessCalendar, from: number, to: number, suspendedAt: (at: number) => boolean) {
  let open = 0;
  for (let at = from; at < to; at += MINUTE) if (!suspendedAt(at) && minuteOf(calendar, at) === 'open') open += MINUTE;
  return open;
}

/** The first minute of the local day of this instant in which the office would be open, were it a workday. */
export function slowOpeningOfDay(calendar: BusinessCalendar, at: number): number {
  let minute = Math.floor(at / MINUTE) * MINUTE;
  while (minuteOfDay(calendar, minute) !== calendar.opensAtMinute)
    minute += minuteOfDay(calendar, minute) > calendar.opensAtMinute ? -MINUTE : MINUTE;
  return minute;
}

export interface SlowPlan {
  readonly dueAt: number;
  readonly at: Readonly<Record<'half' | 'at_risk' | 'breach' | 'head', number>> & { readonly last_day: number | null };
}

/** The usual ladder: 50, 80 and 100 % of the budget, a working day after it, and the last day of the legal time. */
export function slowPlan(
  calendar: BusinessCalendar,
  stage: { readonly openedAt: number; readonly budgetMs: number; readonly usedMs: number },
  legalDueAt: number | null,
): SlowPlan {
  const { openedAt, budgetMs, usedMs } = stage;
  const after = (percent: number) => slowAdd(calendar, openedAt, Math.max(0, (budgetMs * percent) / 100 - usedMs)).at;
  const dueAt = after(100);
  const dayMs = (calendar.closesAtMinute - calendar.opensAtMinute) * MINUTE;
  return {
    dueAt,
    at: {
      half: after(50),
      at_risk: after(80),
      breach: dueAt,
      head: slowAdd(calendar, dueAt, dayMs).at,
      last_day: legalDueAt === null ? null : Math.max(openedAt, slowOpeningOfDay(calendar, legalDueAt)),
    },
  };
}
