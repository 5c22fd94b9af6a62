/** How the story is told: a numbered line for each step, and below it where to look at what it did. */
import { styleText } from 'node:util';

export interface Step {
  /** Who does it. */
  readonly who: string;
  readonly what: string;
  /** Where the application stands afterwards. */
  readonly state?: string | undefined;
  /** More to see: name and value, usually a link. */
  readonly more?: readonly (readonly [name: string, value: string])[];
}

export interface Narrator {
  /** Tells a step that has been done, and leaves time to read it. */
  step(step: Step): Promise<void>;
  /** A line without a number. */
  say(line: string): void;
  strong(line: string): void;
}

export interface NarratorOptions {
  readonly write: (line: string) => void;
  readonly color: boolean;
  readonly pauseMs: number;
}

export function createNarrator({ write, color, pauseMs }: NarratorOptions): Narrator {
  const style = (format: Parameters<typeof styleText>[0], text: string) => (color ? styleText(format, text) : text);
  const began = performance.now();
  let number = 0;
  let pausedMs = 0;
  return {
    say: write,
    strong: (line) => write(style('bold', line)),
    async step({ who, what, state, more = [] }) {
      number += 1;
      const elapsed = `${((performance.now() - began - pausedMs) / 1_000).toFixed(1)} s`;
      const arrow = state === undefined ? '' : ` → ${style('green', state)}`;
      const plain = `${what}${state === undefined ? '' : ` → ${state}`}`;
      const gap = ' '.repeat(Math.max(1, WIDTH - plain.length));
      write(
        `${style('gray', String(number).padStart(3))}  ${style('cyan', who.padEnd(WHO))} ${what}${arrow}${gap}${style('gray', elapsed.padStart(7))}`,
      );
      for (const [name, value] of more) write(`${' '.repeat(5 + WHO + 1)}${style('gray', `${name}: ${value}`)}`);
      if (pauseMs === 0) return;
      pausedMs += pauseMs;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    },
  };
}

const WHO = 10;
const WIDTH = 84;
