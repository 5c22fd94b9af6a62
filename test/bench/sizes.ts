/**
 * How many there are of what a part of the bench is about: what the goals speak of, or fewer by the variable `BENCH_CASES`,
 * to see whether the part itself works. Such figures mean nothing and are never written down.
 */

/** The inbox spreads them evenly over 400 companies and types. Below 800 those asleep are used up by the decisions among them. */
const STEP = 400;

export const CASES = sizeIn(process.env['BENCH_CASES']) ?? 10_000;
export const IS_FULL = process.env['BENCH_CASES'] === undefined;

function sizeIn(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const size = Number(given);
  if (!Number.isInteger(size) || size < STEP || size % STEP !== 0)
    throw new RangeError(`BENCH_CASES is ${given}; it takes multiples of 400, for sleeping reviews 800 at least`);
  return size;
}
