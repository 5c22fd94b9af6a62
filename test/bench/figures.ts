/** Small arithmetic over rounds. A pair is compared round by round, so that what disturbs the machine disturbs both. */

export interface Round {
  readonly alur: number;
  readonly bare: number;
}

export interface Pair {
  readonly what: string;
  readonly unit: string;
  /** Medians over the rounds. */
  readonly alur: number;
  readonly bare: number;
  /** Median of the rounds' own ratios, Alur / bare. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** null = told for comparison. */
  readonly goal: Goal | null;
}

/** A figure that is measured by itself, over some rounds. */
export interface Absolute {
  readonly what: string;
  readonly unit: string;
  /** Median of `values`. */
  readonly value: number;
  readonly values: readonly number[];
  /** null = told for comparison. */
  readonly goal: Goal | null;
}

export const absoluteOf = (what: string, unit: string, goal: Goal | null, values: readonly number[]): Absolute => ({
  what,
  unit,
  goal,
  values,
  value: median(values),
});

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** The value that the given share of the values does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}

export function pairOf(what: string, unit: string, goal: Goal | null, rounds: readonly Round[]): Pair {
  const ratios = rounds.map(({ alur, bare }) => alur / bare);
  return {
    what,
    unit,
    goal,
    ratios,
    ratio: median(ratios),
    alur: median(rounds.map(({ alur }) => alur)),
    bare: median(rounds.map(({ bare }) => bare)),
  };
}

/** `met`, or by how much it is missed. */
export function verdict(value: number, goal: Goal): string {
  if ('atLeast' in goal) return value >= goal.atLeast ? 'met' : `missed by ${percent(1 - value / goal.atLeast)}`;
  return value <= goal.atMost ? 'met' : `missed by ${percent(value / goal.atMost - 1)}`;
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

export const goalText = (goal: Goal): string => ('atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`);
