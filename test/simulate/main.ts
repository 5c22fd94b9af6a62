/** `npm run simulate`: a year of a small office on the real servers, in minutes. `--help` says what can be chosen. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { once, stopAll } from '../support/registry.ts';
import { sweepAbandoned } from '../support/run-directory.ts';
import { progressLine } from './progress.ts';
import { type Simulation, simulate } from './simulate.ts';
import { withReport } from './written.ts';

const HELP = `npm run simulate -- [options]

A year of a small office: applicants, four reviewers with leave, a supervisor and a head, on a real Temporal server, a
real worker, PostgreSQL and the API, with time travel. Prints a report; the same seed gives the same report.

  --cases <n>     how many apply, 1 to 5000 (500)
  --seed <text>   what chance follows from (1)
  --year <year>   whose calendar: weekdays, national holidays, joint leave of 2026 (2026)
  --days <n>      how many days of it people apply, 14 to 366 (365)
  --write <file>  put the report between the marks in this file, as in docs/review/simulation.md
  --help          this

Ends with 0 when every invariant holds for every case, with 1 when one does not, with 2 for an
option that cannot be, with 130 after Ctrl-C.
`;

const wholeNumber = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const choices = z.object({
  cases: wholeNumber(1, 5_000),
  seed: z.string().min(1).max(64),
  year: wholeNumber(2020, 2040),
  days: wholeNumber(14, 366),
});

function chosen(): { simulation: Simulation; write: string | undefined } | null {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
      year: { type: 'string', default: '2026' },
      days: { type: 'string', default: '365' },
      write: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return values.help ? null : { simulation: choices.parse(values), write: values.write };
}

function choose(): ReturnType<typeof chosen> {
  try {
    return chosen();
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : error;
    process.stderr.write(`${String(why)}\n\n${HELP}`);
    process.exit(2);
  }
}

const choice = choose();
if (!choice) {
  process.stdout.write(HELP);
  process.exit(0);
}
const { simulation, write } = choice;
const stop = once(stopAll);
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true;
    process.stderr.write('\nStopping ...\n');
    void stop().finally(() => process.exit(130));
  });
}
const startedAt = Date.now();
try {
  await sweepAbandoned();
  const show = progressLine(process.stderr, simulation);
  const { report, problems } = await simulate(simulation, show);
  process.stdout.write(`\n${report}`);
  if (write) await keep(resolve(write), report);
  // On the other channel: how long it took is of this machine, and no part of the report.
  process.stderr.write(`\n${simulation.cases} cases in ${Math.round((Date.now() - startedAt) / 1000)} s.\n`);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
} catch (error) {
  // Whatever fails because the servers are being stopped is no news.
  if (!interrupted) {
    process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  await stop();
}

async function keep(file: string, report: string): Promise<void> {
  await writeFile(file, withReport(await readFile(file, 'utf8'), report));
}
