/** What a person sees while the machine starts: a line for each thing that is up, and on a terminal what is awaited. */
import { styleText } from 'node:util';

export type Screen = {
  line(text: string): void;
  /** A thing is up, after so many milliseconds. */
  done(what: string, milliseconds: number): void;
  /** What is going on right now; replaces itself on a terminal, and is said sparingly elsewhere. */
  progress(text: string): void;
  table(title: string, rows: readonly (readonly string[])[]): void;
  failure(sentence: string): void;
};

type Style = Parameters<typeof styleText>[0];
const PLAIN_PROGRESS_EVERY_MS = 5_000;

export function createScreen(
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Screen {
  const fancy = out.isTTY === true && !process.env.NO_COLOR;
  const style = (format: Style, text: string) => (fancy ? styleText(format, text) : text);
  let saidAt = 0;
  const wipe = () => {
    if (fancy) out.write('\r\x1b[K');
  };
  const line = (text: string) => {
    wipe();
    out.write(`${text}\n`);
  };
  return {
    line,
    done: (what, milliseconds) => {
      const seconds = `${(milliseconds / 1_000).toFixed(1)} s`;
      line(`  ${style('green', '✔')} ${what.padEnd(44)} ${style('gray', seconds.padStart(7))}`);
    },
    progress: (text) => {
      if (fancy) out.write(`\r\x1b[K  ${style('gray', text)}`);
      else if (Date.now() - saidAt > PLAIN_PROGRESS_EVERY_MS) {
        saidAt = Date.now();
        out.write(`  ${text}\n`);
      }
    },
    table: (title, rows) => {
      line(`\n  ${style('bold', title)}`);
      const widths = rows.reduce<number[]>(
        (most, row) => row.map((cell, i) => Math.max(cell.length, most[i] ?? 0)),
        [],
      );
      for (const row of rows) line(`  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('   ')}`.trimEnd());
    },
    failure: (sentence) => {
      wipe();
      err.write(`${style('red', sentence)}\n`);
    },
  };
}
