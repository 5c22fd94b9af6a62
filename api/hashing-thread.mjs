/**
 * The thread that hashes passwords, one after the other. It runs at a low priority where the system has one for threads,
 * so that a crowd at the log-in takes the processor only while nobody else wants it. Started by hashing.ts; plain
 * JavaScript, because a thread does not inherit what runs TypeScript from its sources.
 */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { hashSync, verifySync } from '@node-rs/argon2';

if (process.platform === 'linux') {
  // `<pid>/task/<tid>`: there a priority belongs to a thread.
  setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), constants.priority.PRIORITY_LOW);
}

parentPort.on('message', (task) => parentPort.postMessage(resultOf(task)));

/** @param {import('./hashing.ts').HashingTask} task @returns {import('./hashing.ts').HashingResult} */
function resultOf({ id, work }) {
  try {
    const value = work.what === 'hash' ? hashSync(work.password, work.options) : verifySync(work.hash, work.password);
    return { id, value };
  } catch (error) {
    return { id, problem: error instanceof Error ? error.message : String(error) };
  }
}
