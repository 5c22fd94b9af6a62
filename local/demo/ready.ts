/** Where the running system is, as its start has written it down. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { hasCode } from '../failure.ts';
import type { ReadyFile } from '../ready-file.ts';
import { DemoFailure } from './failure.ts';

const account = z.object({ email: z.string(), password: z.string() });
const address = z.url().nullable();
const readyFile = z.object({
  api: z.url(),
  temporal: z.string(),
  temporalUi: address,
  mailbox: address,
  gateways: address,
  postgres: z.string(),
  accounts: z.object({
    owner: account,
    verifier: account,
    examiner: account,
    approver: account,
    approver2: account,
    head: account,
    supervisor: account,
    finance: account,
    seller: account,
    warehouse: account,
    admin: account,
  }),
});

/** @throws DemoFailure when the system is not running, or does not answer */
export async function runningSystem(file: string): Promise<ReadyFile> {
  const ready = readyFile.parse(JSON.parse(await contentOf(file)));
  await requireAnswer(ready.api);
  return ready;
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new DemoFailure(
      'Alur is not running here: run npm start in another terminal first, and wait until it is ready.',
    );
  }
}

async function requireAnswer(api: string): Promise<void> {
  const answered = await fetch(`${api}/health/live`, { signal: AbortSignal.timeout(5_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
  if (!answered)
    throw new DemoFailure(`The API does not answer at ${api}: run npm start first, and wait until it is ready.`);
}
