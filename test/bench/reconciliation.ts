import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { connect } from '../../db/connection.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { walkedSpan } from '../../domain/reconciliation.ts';
import { gatewayAccounts } from '../../local/gateways/accounts.ts';
import { ensureDatabase } from '../../local/postgres.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { manyCaptures, preloadMany } from '../builders/many-captures.ts';
import { runDirectory } from '../support/run-directory.ts';
import { type Absolute, absoluteOf } from './figures.ts';
import type { Machine } from './machine.ts';

const PAYMENTS = 100_000;
const ROUNDS = 1;
/** What the gateway has and the books do not, and the other way round. */
const MISSING = 10;

const told = z.object({
  state: z.literal('finished'),
  compared: z.number(),
  differences: z.number(),
  seconds: z.number(),
  peakMb: z.number(),
});
type Told = z.infer<typeof told>;

/** A night with a hundred thousand payments at one gateway, which lists them page by page over HTTP; in a process of its own. */
export async function measureReconciliation(machine: Machine): Promise<Absolute[]> {
  const rounds: Told[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(machine, round));
  return [
    absoluteOf(
      `Reconciling ${PAYMENTS.toLocaleString('en')} payments`,
      's',
      { atMost: 120 },
      rounds.map(({ seconds }) => seconds),
    ),
    absoluteOf(
      '– largest size of the process',
      'MB',
      { atMost: 300 },
      rounds.map(({ peakMb }) => peakMb),
    ),
  ];
}

async function measure({ databaseUrl, sandboxUrl, midtransServerKey }: Machine, round: number): Promise<Told> {
  const name = `bench_reconciliation_${round}`;
  const url = named(databaseUrl, name);
  await ensureDatabase(named(databaseUrl, 'postgres'), name);
  await migrateToLatest(url);
  const span = walkedSpan(`2025-0${round + 1}-10`, 'Asia/Jakarta');
  const db = connect(url, 2, 'alur-bench');
  try {
    const companyId = await aCompany(db, await aUser(db, 'owner'));
    const given = { companyId, gateway: 'xendit', from: span.from, everyMs: 1_000, prefix: `r${round}-` } as const;
    await manyCaptures(db, { ...given, count: PAYMENTS });
    // In parts, as no body may be that long; the last ones are unknown to the books.
    const part = 10_000;
    for (let done = 0; done < PAYMENTS; done += part) {
      const from = new Date(Date.parse(span.from) + done * 1_000).toISOString();
      await preloadMany(`${sandboxUrl}/xendit`, { ...given, from, count: part, after: done });
    }
    const strangers = { ...given, prefix: `stranger${round}-`, count: MISSING, after: 0 };
    await preloadMany(`${sandboxUrl}/xendit`, strangers);
  } finally {
    await db.destroy();
  }
  const found = await walk(url, `${sandboxUrl}/xendit`, gatewayAccounts(midtransServerKey).xendit.secretKey, span);
  if (found.compared !== PAYMENTS + MISSING || found.differences !== MISSING)
    throw new Error(`compared ${found.compared} and found ${found.differences} differences`);
  return found;
}

const named = (databaseUrl: string, name: string): string =>
  Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;

async function walk(
  databaseUrl: string,
  xenditUrl: string,
  key: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<Told> {
  const program = join(await runDirectory(), 'build', 'test/bench/programs/walk.js');
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      BENCH_XENDIT_URL: xenditUrl,
      BENCH_XENDIT_KEY: key,
      BENCH_FROM: from,
      BENCH_TO: to,
    },
  });
  return told.parse(JSON.parse(stdout));
}
