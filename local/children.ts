/** Child processes: started with a record and a log file, asked until they are ready, restarted when they die, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from './account.ts';
import { messageOf, StartFailure } from './failure.ts';
import { forgetProcess, type ProcessRecord, recordProcess } from './processes.ts';

export type ChildSpec = {
  /** File name of record and log: `postgres`, `worker`. */
  name: string;
  /** For people: `PostgreSQL`, `the worker`. */
  label: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd: string;
  account?: Account | null;
  stopSignal: ProcessRecord['stopSignal'];
  /** How long it may take to stop before it is killed. */
  graceMs: number;
  logFile: string;
  runDirectory: string;
  /** Asked again and again until true. */
  ready: () => Promise<boolean>;
  readyWithinMs: number;
};

export type Child = {
  pid: number;
  /** Settles when the process has ended, whoever ended it, with how it did: `code 1`, `SIGKILL`. */
  exited: Promise<string>;
  stop(): Promise<void>;
  kill(): void;
};

/**
 * Starts the process and waits until it is ready.
 * @throws StartFailure with its last words and log file when it ends first or is not ready in time; it is stopped then.
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  await shorten(spec.logFile);
  const child = launch(spec);
  try {
    await readyOrEnded(spec, child);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}

const LONGEST_LOG_BYTES = 20e6;

/** Logs are appended to, so that the words before a crash stay; a long one begins anew with the next start. */
async function shorten(logFile: string): Promise<void> {
  const found = await stat(logFile).catch(() => null);
  if (found !== null && found.size > LONGEST_LOG_BYTES) await truncate(logFile);
}

const closed = new Set<string>();

/** From here on nothing starts that would leave its record in this directory: the end has begun, and nobody would stop it. */
export const startNoMoreIn = (runDirectory: string): void => void closed.add(runDirectory);

function launch(spec: ChildSpec): Child {
  if (closed.has(spec.runDirectory)) throw new StartFailure(`${spec.label} is not started any more: all of it stops.`);
  const started = spawnLogged(spec);
  const { pid } = started;
  const exited = new Promise<string>((resolve) => {
    started.once('error', (error) => resolve(error.message));
    started.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  }).finally(() => forgetProcess(spec.runDirectory, spec.name));
  if (pid === undefined) return { pid: -1, exited, stop: async () => void (await exited), kill: () => undefined };
  recordProcess(spec.runDirectory, spec.name, pid, spec.stopSignal);
  const kill = () => void started.kill('SIGKILL');
  const stop = async () => {
    started.kill(spec.stopSignal);
    const patience = new AbortController();
    const tooLong = delay(spec.graceMs, undefined, { signal: patience.signal }).then(kill, () => undefined);
    await exited;
    patience.abort();
    await tooLong;
  };
  return { pid, exited, stop, kill };
}

function spawnLogged(spec: ChildSpec): ChildProcess {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  try {
    // Its own process group: Ctrl-C in the terminal must reach the supervisor only, which stops children in order.
    return spawn(spec.command, spec.args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: spec.cwd,
      env: spec.env ?? process.env,
      ...(spec.account ? { uid: spec.account.uid, gid: spec.account.gid } : {}),
    });
  } finally {
    closeSync(log);
  }
}

async function readyOrEnded(spec: ChildSpec, child: Child): Promise<void> {
  const state = { ended: '' };
  void child.exited.then((how) => {
    state.ended = how;
  });
  const deadline = Date.now() + spec.readyWithinMs;
  while (!(await spec.ready())) {
    if (state.ended !== '')
      throw new StartFailure(`${spec.label} ended while starting (${state.ended})${await lastWords(spec)}`);
    if (Date.now() > deadline) {
      const seconds = spec.readyWithinMs / 1_000;
      throw new StartFailure(`${spec.label} was not ready after ${seconds} s${await lastWords(spec)}`);
    }
    await delay(50);
  }
}

const DISK_FULL = /no space left on device|ENOSPC|database or disk is full/i;

async function lastWords(spec: ChildSpec): Promise<string> {
  const lines = (await readFile(spec.logFile, 'utf8').catch(messageOf)).trimEnd().split('\n').slice(-12);
  const full = lines.find((line) => DISK_FULL.test(line));
  if (full !== undefined) return `, because the disk is full: make room and start again (${spec.logFile}).`;
  return `; ${spec.logFile} ends with:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

export type KeptChild = {
  /** Stops it for good. */
  stop(): Promise<void>;
  /** Ends it at once, without asking. */
  kill(): void;
};

/**
 * Starts the process and, from then on, starts it again whenever it dies, waiting longer each time it dies young.
 * @param say gets one line per death and return.
 */
export async function keepRunning(spec: ChildSpec, say: (line: string) => void): Promise<KeptChild> {
  const state = { stopping: new AbortController(), child: await startChild(spec) };
  const watching = watch(spec, state, say);
  return {
    stop: async () => {
      state.stopping.abort();
      await state.child.stop();
      await watching;
    },
    kill: () => {
      state.stopping.abort();
      state.child.kill();
    },
  };
}

const STEADY_AFTER_MS = 60_000;
const LONGEST_PAUSE_MS = 30_000;

async function watch(
  spec: ChildSpec,
  state: { stopping: AbortController; child: Child },
  say: (line: string) => void,
): Promise<void> {
  let pauseMs = 500;
  for (;;) {
    const since = Date.now();
    const how = await state.child.exited;
    if (state.stopping.signal.aborted) return;
    pauseMs = Date.now() - since > STEADY_AFTER_MS ? 500 : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    say(`${spec.label} ended unexpectedly (${how}); starting it again in ${pauseMs / 1_000} s; see ${spec.logFile}.`);
    await delay(pauseMs, undefined, { signal: state.stopping.signal }).catch(() => undefined);
    if (state.stopping.signal.aborted) return;
    state.child = launch(spec);
    await readyOrEnded(spec, state.child).then(
      () => say(`${spec.label} is back.`),
      () => state.child.stop(),
    );
  }
}
