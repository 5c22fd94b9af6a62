/**
 * The whole suite in lanes, mochas side by side, each with servers of its own. Most tests wait for something, so there is one lane
 * more than there are processors.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
const MOST_LANES = 4;

/** Where the seconds of each file are kept, as they were last measured: `npm test -- --weigh` writes them. */
const WEIGHTS = join(import.meta.dirname, 'weights.json');
const weightsSchema = z.record(z.string(), z.number());

/** Of a file that was never weighed: the lanes only have to come out about even. */
const UNKNOWN_SECONDS = 2;

type Seconds = Readonly<Record<string, number>>;

interface Lane {
  readonly files: string[];
  seconds: number;
}

/** Splits the files so that every lane has about the same to do: the longest first, each to the lane that has least. */
export function lanesOf(files: readonly string[], count: number, seconds: Seconds = {}): string[][] {
  const secondsOf = (file: string): number => seconds[file] ?? UNKNOWN_SECONDS;
  const lanes: Lane[] = Array.from({ length: count }, () => ({ files: [], seconds: 0 }));
  const longestFirst = files.toSorted((a, b) => secondsOf(b) - secondsOf(a) || (a < b ? -1 : 1));
  for (const file of longestFirst) {
    const least = lanes.reduce((a, b) => (b.seconds < a.seconds ? b : a));
    least.files.push(file);
    least.seconds += secondsOf(file);
  }
  return lanes.map((lane) => lane.files.toSorted()).filter((lane) => lane.length > 0);
}

async function testFiles(folder = join(ROOT, 'test')): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /\/test\/(?:slow|bench)$/.test(path) ? [] : testFiles(path);
    return entry.name.endsWith('.test.ts') ? [relative(ROOT, path)] : [];
  });
  return (await Promise.all(nested)).flat();
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly code: number;
}

const LAST_LINE = /^(\d+) passed, (\d+) failed\n?$/m;

/** The first lane speaks as it goes; what the others say comes when it has ended, so that no two stories mix. */
async function outcomeOf(lane: ChildProcess, write: (text: string) => void): Promise<Outcome> {
  let said = '';
  const hear = (chunk: Buffer) => {
    said += chunk.toString();
    write(chunk.toString().replace(LAST_LINE, ''));
  };
  lane.stdout?.on('data', hear);
  lane.stderr?.on('data', hear);
  const [code]: unknown[] = await once(lane, 'close');
  const [, passed = '0', failed = '1'] = LAST_LINE.exec(said.slice(-200)) ?? [];
  return { passed: Number(passed), failed: Number(failed), code: typeof code === 'number' ? code : 1 };
}

const secondsKnown = async (): Promise<Seconds> => weightsSchema.parse(JSON.parse(await readFile(WEIGHTS, 'utf8')));

/** Keeps what the lanes have measured: files in order, whole tenths of seconds, so that a difference is a difference. */
async function keepWeights(measured: string): Promise<void> {
  const lines = (await readFile(measured, 'utf8')).trim().split('\n');
  const seconds: Record<string, number> = {};
  for (const line of lines) {
    const [file, taken] = weightSchema.parse(JSON.parse(line));
    seconds[file] = (seconds[file] ?? 0) + taken;
  }
  const sorted = Object.entries(seconds).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rounded = sorted.map(([file, taken]) => [file, Math.round(taken * 10) / 10]);
  await writeFile(WEIGHTS, `${JSON.stringify(Object.fromEntries(rounded), null, 2)}\n`);
}
const weightSchema = z.tuple([z.string(), z.number()]);

/**
 * @param weigh measure how long each file takes, and keep it
 * @returns the exit code; the last line on the terminal is `N passed, N failed`
 */
export async function runInLanes(env: NodeJS.ProcessEnv, { weigh = false } = {}): Promise<number> {
  if (!weigh) return inLanes(env);
  const directory = await temporaryDirectory();
  const measured = join(directory, 'weights.jsonl');
  const code = await inLanes({ ...env, ALUR_TEST_WEIGHTS: measured });
  await keepWeights(measured);
  await removeDirectory(directory);
  return code;
}

async function inLanes(env: NodeJS.ProcessEnv): Promise<number> {
  const count = Math.min(availableParallelism() + 1, MOST_LANES);
  const lanes = lanesOf(await testFiles(), count, await secondsKnown());
  const mocha = join(ROOT, 'node_modules/mocha/bin/mocha.js');
  const children = lanes.map((files) =>
    spawn(process.execPath, [mocha, ...files], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    }),
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      for (const child of children) child.kill(signal);
    });
  const held: string[][] = lanes.map(() => []);
  const running = children.map((child, lane) =>
    outcomeOf(child, (text) => (lane === 0 ? process.stdout.write(text) : held[lane]?.push(text))),
  );
  const outcomes: Outcome[] = [];
  for (const [lane, outcome] of running.entries()) {
    outcomes.push(await outcome);
    if (lane > 0) process.stdout.write((held[lane] ?? []).join(''));
  }
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + of(one), 0);
  process.stdout.write(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed\n`);
  return outcomes.some(({ code }) => code !== 0) ? 1 : 0;
}
