/**
 * The people of the simulated office and those who apply there: when they come, how long they take, what they decide. Pure:
 * everything follows from the seed, none of it from what happens elsewhere.
 */
import type { Decision, Stage } from '../../domain/licensing.ts';
import type { Chance } from './chance.ts';

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The four who review, and the two who step in. */
export const REVIEWERS = ['verifier', 'examiner', 'approver', 'approver2'] as const;
export type Reviewer = (typeof REVIEWERS)[number];
export const STAFF = [...REVIEWERS, 'head', 'supervisor'] as const;
export type Staff = (typeof STAFF)[number];

// ---- who applies ----------------------------------------------------------------------------------------------------

/** How many in a hundred apply for what. */
export const DEMAND = { retail_kiosk: 25, home_food: 20, restaurant: 38, fuel_storage: 17 } as const;
export type TypeCode = keyof typeof DEMAND;

export interface Arrival {
  /** From 1, in the order of the year. */
  readonly number: number;
  readonly typeCode: TypeCode;
  /** Whole minutes since the beginning of the year, by the office's clock. */
  readonly minute: number;
}

/** Most come on working days in office hours; some in the evening, or at the weekend. */
export function arrivals(chance: Chance, count: number, { year, days }: Period): Arrival[] {
  const moments = Array.from({ length: count }, (_, index) => ({
    minute: 24 * 60 * dayOf(chance, `arrival ${index}`, year, days) + minuteOf(chance, `arrival ${index}`),
    typeCode: chance.pick(`type ${index}`, DEMAND),
  }));
  return moments.toSorted((a, b) => a.minute - b.minute).map((moment, index) => ({ number: index + 1, ...moment }));
}

const AT_WEEKENDS = 0.3;

/** @returns counted from 0; drawn again while it is a weekend that nobody wants to spend on forms */
function dayOf(chance: Chance, about: string, year: number, days: number, attempt = 1): number {
  const day = chance.between(`${about} day ${attempt}`, 0, days - 1);
  const weekday = new Date(Date.UTC(year, 0, 1 + day)).getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  if (!isWeekend || chance.happens(`${about} weekend ${attempt}`, AT_WEEKENDS)) return day;
  return dayOf(chance, about, year, days, attempt + 1);
}

const minuteOf = (chance: Chance, about: string): number =>
  chance.happens(`${about} in hours`, 0.75)
    ? chance.between(`${about} minute`, 8 * 60 + 2, 16 * 60 - 3)
    : chance.between(`${about} minute`, 6 * 60, 22 * 60);

/** How long after submitting somebody gives up on it; null = they do not. */
export const patience = (chance: Chance, number: number): number | null =>
  chance.happens(`withdraws ${number}`, 0.03)
    ? wholeMinutes(chance.aroundMedian(`patience ${number}`, 30 * HOUR_MS, 0.8))
    : null;

/** What an applicant is asked for, and how they take it: never, or after so long. */
export type Question = 'correction' | 'announcement' | 'rejection' | 'lapse';

const ANSWERS: Record<Question, { readonly share: number; readonly medianMs: number; readonly spread: number }> = {
  correction: { share: 0.93, medianMs: 2.5 * DAY_MS, spread: 1 },
  announcement: { share: 0.7, medianMs: 2 * DAY_MS, spread: 0.7 },
  rejection: { share: 0.3, medianMs: 6 * DAY_MS, spread: 0.6 },
  lapse: { share: 0.4, medianMs: 15 * DAY_MS, spread: 0.7 },
};

/**
 * How long an applicant takes to answer, milliseconds by the wall clock; null = they never do.
 * @param time tells one asking from another
 */
export function answersAfter(chance: Chance, question: Question, number: number, time: string): number | null {
  const { share, medianMs, spread } = ANSWERS[question];
  const about = `${question} ${number} ${time}`;
  if (!chance.happens(`${about} answered`, share)) return null;
  return wholeMinutes(chance.aroundMedian(about, medianMs, spread));
}

const wholeMinutes = (ms: number): number => Math.max(1, Math.round(ms / MINUTE_MS)) * MINUTE_MS;

// ---- who reviews ----------------------------------------------------------------------------------------------------

/** A seat of a stage, looked at by somebody. */
export interface Look {
  readonly number: number;
  readonly typeCode: TypeCode;
  readonly stage: Stage;
  readonly round: number;
  readonly seat: number;
}

const MEDIAN_MINUTES: Record<Stage, number> = { document_verification: 80, compliance_check: 210, approval: 45 };
/** Tanks are visited. */
const TYPE_FACTOR: Record<TypeCode, number> = { retail_kiosk: 0.5, home_food: 0.5, restaurant: 1, fuel_storage: 1.6 };
/** What was looked at before goes quicker. */
const LATER_ROUND = 0.6;

const aboutLook = ({ number, stage, round, seat }: Look): string => `${stage} ${number} ${round} ${seat}`;

/** Working time that a look takes, in milliseconds. */
export function workOf(chance: Chance, look: Look): number {
  const minutes = MEDIAN_MINUTES[look.stage] * TYPE_FACTOR[look.typeCode] * (look.round > 1 ? LATER_ROUND : 1);
  return wholeMinutes(chance.aroundMedian(`work ${aboutLook(look)}`, minutes * MINUTE_MS, 0.75));
}

/** What the rules leave open to whoever looks. */
export interface Choice {
  readonly canCorrect: boolean;
  readonly intent: 'none' | 'possible' | 'required';
  /** A rejection was announced in this round; the applicant has answered, or did not. */
  readonly announced: boolean;
}

const CORRECTS: Record<Stage, number> = { document_verification: 0.22, compliance_check: 0.14, approval: 0.04 };
const REJECTS: Record<Stage, number> = { document_verification: 0.01, compliance_check: 0.06, approval: 0.03 };

export function verdictOf(chance: Chance, look: Look, { canCorrect, intent, announced }: Choice): Decision {
  const about = aboutLook(look);
  if (announced) return chance.happens(`convinced ${about}`, 0.4) ? 'approve' : 'reject';
  const later = look.round > 1 ? 0.5 : 1;
  if (canCorrect && chance.happens(`corrects ${about}`, CORRECTS[look.stage] * later)) return 'request_correction';
  if (!chance.happens(`rejects ${about}`, REJECTS[look.stage])) return 'approve';
  const announces = intent === 'required' || (intent === 'possible' && chance.happens(`announces ${about}`, 0.5));
  return announces ? 'intend_to_reject' : 'reject';
}

// ---- who is away ----------------------------------------------------------------------------------------------------

/** The days of a year from its first one on. */
export interface Period {
  readonly year: number;
  readonly days: number;
}

export interface Leave {
  readonly who: Reviewer;
  /** Days since the beginning of the year; from the first to before the second. */
  readonly fromDay: number;
  readonly toDay: number;
  readonly reason: 'annual leave' | 'sick leave';
}

interface Absence {
  readonly lengthDays: number;
  readonly reason: Leave['reason'];
  /** @param draw 0 ≤ draw < 1 */
  firstDay(draw: number): number;
}

const SICK_DAYS_A_YEAR = 4;

/** Two weeks and one week of leave from Mondays, and four days of illness; of less than half a year, accordingly less. */
function absencesIn({ year, days }: Period): Absence[] {
  const firstMonday = (8 - new Date(Date.UTC(year, 0, 1)).getUTCDay()) % 7;
  const weeks = Math.floor((days - firstMonday) / 7);
  const annual = (length: number): Absence => ({
    lengthDays: 7 * length,
    reason: 'annual leave',
    firstDay: (draw) => firstMonday + 7 * Math.floor(draw * Math.max(1, weeks - length + 1)),
  });
  const sick: Absence = { lengthDays: 1, reason: 'sick leave', firstDay: (draw) => Math.floor(draw * days) };
  const sickDays = Math.ceil((SICK_DAYS_A_YEAR * days) / 366);
  return [...(days < 183 ? [] : [annual(2)]), annual(1), ...Array.from({ length: sickDays }, () => sick)];
}

/** Who is away when, in order; nobody is away twice at once. */
export function leavesOf(chance: Chance, period: Period): Leave[] {
  const leaves = REVIEWERS.flatMap((who) => {
    const mine: Leave[] = [];
    for (const [index, absence] of absencesIn(period).entries()) {
      const found = placeFor(chance, `leave ${who} ${index}`, absence, mine, period.days);
      if (found) mine.push({ who, ...found, reason: absence.reason });
    }
    return mine;
  });
  return leaves.toSorted((a, b) => a.fromDay - b.fromDay || REVIEWERS.indexOf(a.who) - REVIEWERS.indexOf(b.who));
}

const ATTEMPTS = 50;

/** null = there is no room for it. */
function placeFor(
  chance: Chance,
  about: string,
  { lengthDays, firstDay }: Absence,
  taken: readonly Leave[],
  days: number,
) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const fromDay = firstDay(chance.fraction(`${about} ${attempt}`));
    const toDay = fromDay + lengthDays;
    if (toDay <= days && taken.every((other) => toDay <= other.fromDay || other.toDay <= fromDay))
      return { fromDay, toDay };
  }
  return null;
}
