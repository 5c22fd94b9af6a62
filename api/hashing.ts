/** Hashes passwords in a thread of its own, of low priority; see hashing-thread.mjs. */
import { Worker } from 'node:worker_threads';
import type { Options } from '@node-rs/argon2';

type Work =
  | { readonly what: 'hash'; readonly password: string; readonly options: Options }
  | { readonly what: 'verify'; readonly hash: string; readonly password: string };

export interface HashingTask {
  readonly id: number;
  readonly work: Work;
}
export type HashingResult =
  | { readonly id: number; readonly value: string | boolean }
  | { readonly id: number; readonly problem: string };

interface Waiting {
  readonly settle: (value: string | boolean) => void;
  readonly fail: (error: Error) => void;
}

const THREAD = new URL('./hashing-thread.mjs', import.meta.url);

let thread: Worker | undefined;
let last = 0;
const waiting = new Map<number, Waiting>();

export const hashOf = async (password: string, options: Options): Promise<string> =>
  String(await inThread({ what: 'hash', password, options }));

export const verifyHash = async (hash: string, password: string): Promise<boolean> =>
  (await inThread({ what: 'verify', hash, password })) === true;

function inThread(work: Work): Promise<string | boolean> {
  return new Promise((settle, fail) => {
    last += 1;
    waiting.set(last, { settle, fail });
    thread ??= start();
    // An idle thread keeps no process alive; one that works does.
    thread.ref();
    thread.postMessage({ id: last, work } satisfies HashingTask);
  });
}

function start(): Worker {
  const started = new Worker(THREAD);
  started.on('message', (result: HashingResult) => {
    const asked = waiting.get(result.id);
    waiting.delete(result.id);
    if (waiting.size === 0) started.unref();
    if ('problem' in result) asked?.fail(new Error(`a password could not be hashed: ${result.problem}`));
    else asked?.settle(result.value);
  });
  const lost = (error: Error) => {
    if (thread === started) thread = undefined;
    for (const { fail } of waiting.values()) fail(error);
    waiting.clear();
  };
  started.on('error', lost);
  started.on('exit', (code) => lost(new Error(`the thread that hashes passwords ended (${code})`)));
  return started;
}
