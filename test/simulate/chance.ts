/** Chance without a memory: a draw follows from the seed and from what it is about, so no draw ever moves another. */
import { createHash } from 'node:crypto';

export interface Chance {
  /** Uniform, 0 ≤ x < 1. @param about names what is drawn; the same name gives the same draw */
  fraction(about: string): number;
  happens(about: string, probability: number): boolean;
  /** A whole number, both ends included. */
  between(about: string, least: number, most: number): number;
  /** Around a median, most often below it and sometimes far above, as people's times are; `spread` of the logarithm. */
  aroundMedian(about: string, median: number, spread: number): number;
  /** One of the names, each as often as its weight says. */
  pick<Name extends string>(about: string, weights: Readonly<Record<Name, number>>): Name;
}

export function chanceOf(seed: string): Chance {
  const fraction = (about: string): number =>
    createHash('sha256').update(`${seed}\n${about}`).digest().readUIntBE(0, BYTES) / 2 ** (8 * BYTES);
  return {
    fraction,
    happens: (about, probability) => fraction(about) < probability,
    between: (about, least, most) => least + Math.floor(fraction(about) * (most - least + 1)),
    aroundMedian: (about, median, spread) =>
      median * Math.exp(spread * normal(fraction(`${about}/1`), fraction(`${about}/2`))),
    pick: (about, weights) => pick(fraction(about), weights),
  };
}

const BYTES = 6;

/** Box and Muller: two uniform draws make a normal one. */
const normal = (first: number, second: number): number =>
  Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);

function pick<Name extends string>(fraction: number, weights: Readonly<Record<Name, number>>): Name {
  const names: Name[] = [];
  for (const name in weights) names.push(name);
  const total = names.reduce((sum, name) => sum + weights[name], 0);
  let left = fraction * total;
  const found = names.find((name) => {
    left -= weights[name];
    return left < 0;
  });
  const chosen = found ?? names.at(-1);
  if (chosen === undefined) throw new RangeError('there is nothing to choose from');
  return chosen;
}
