import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { z } from 'zod';
import { connect } from '../../db/connection.ts';
import { countUnplanned, replanPage } from '../../db/replanning.ts';
import { formatInZone } from '../../domain/calendar.ts';
import type { ApplicationId, OfficeId, UserId } from '../../domain/ids.ts';
import { closed, publish } from '../builders/calendars.ts';
import { aCompany, aLicenseType, aUser } from '../builders/licensing.ts';
import { openCases as openRows } from '../builders/open-cases.ts';
import { eventually } from '../support/wait.ts';
import { ASLEEP, type Asleep } from './asleep.ts';
import { ask } from './cases.ts';
import { anotherDatabase } from './databases.ts';
import { approvals } from './decision.ts';
import { type Absolute, absoluteOf, percentile } from './figures.ts';
import type { Machine } from './machine.ts';
import { CASES } from './sizes.ts';

const PAGE = 200;
const ROUNDS = 3;
const BEFORE_MS = 15_000;
const PAUSE_MS = 150;
const AT_MOST_MS = 600_000;

/**
 * A holiday for ten thousand open cases: the whole of it, with processes that sleep and are told; then the records of it
 * alone, and what a decision's transaction waits for meanwhile.
 */
export async function measureReplanning(asleep: Asleep): Promise<Absolute[]> {
  const whole = await measureProcesses(asleep);
  return [...whole, ...(await measureRecords(asleep.machine.databaseUrl))];
}

/** @param databaseUrl of any database on the server that shall be used */
export async function measureRecords(databaseUrl: string): Promise<Absolute[]> {
  const url = await anotherDatabase(databaseUrl, 'bench_replanning');
  const db = connect(url, 4, 'alur-bench');
  try {
    const owner = await aUser(db, 'owner');
    const type = await aLicenseType(db);
    const given = { companyId: await aCompany(db, owner), type, applicantId: owner };
    const ids = await openRows(db, { ...given, count: CASES });
    await db.raw('analyze');
    const idle = await waits(db, ids, sleeping(2_000));
    const rounds: { seconds: number; waited: readonly number[] }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await replanAll(db, type.officeId, owner, ids, round));
    return [
      absoluteOf(
        `– the records of ${CASES.toLocaleString('en')} open cases alone`,
        's',
        null,
        rounds.map(({ seconds }) => seconds),
      ),
      absoluteOf(
        '– a decision’s transaction meanwhile, p95',
        'ms',
        null,
        rounds.map(({ waited }) => percentile(waited, 0.95)),
      ),
      absoluteOf(
        '– the longest',
        'ms',
        null,
        rounds.map(({ waited }) => Math.max(...waited)),
      ),
      absoluteOf('– the same while nothing is re-planned, p95', 'ms', null, [percentile(idle, 0.95)]),
    ];
  } finally {
    await db.destroy();
  }
}

async function replanAll(db: Knex, officeId: OfficeId, by: UserId, ids: readonly ApplicationId[], round: number) {
  const closures = ['2026-03-03', '2026-03-04', '2026-03-05'].slice(0, round + 1).map((date) => closed(date));
  const version = await publish(db, officeId, by, { closures });
  const startedAt = performance.now();
  const waited = await waits(db, ids, async () => {
    do {
      let after: ApplicationId | null = null;
      do ({ after } = await replanPage(db, { officeId, version, after, limit: PAGE, at: new Date().toISOString() }));
      while (after);
    } while ((await countUnplanned(db, officeId, version)) > 0);
  });
  return { seconds: (performance.now() - startedAt) / 1000, waited };
}

const sleeping = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** How long the locks of a decision take, one after the other on cases here and there, while this goes on; milliseconds. */
async function waits(db: Knex, ids: readonly ApplicationId[], work: () => Promise<void>): Promise<number[]> {
  let isOver = false;
  const waited: number[] = [];
  const deciding = async () => {
    for (let n = 0; !isOver; n += 1) {
      const id = ids[(n * 7919) % ids.length];
      const startedAt = performance.now();
      const tx = await db.transaction();
      await tx('applications').where({ id }).update({ state: 'approval' });
      await tx('tasks').where({ application_id: id }).update({ state: 'decided' });
      await tx.rollback();
      waited.push(performance.now() - startedAt);
    }
  };
  const decided = deciding();
  await work();
  isOver = true;
  await decided;
  return waited;
}

/** A holiday, of which no process is told; then it is taken back, and all of them are; while people decide on others. */
async function measureProcesses(asleep: Asleep): Promise<Absolute[]> {
  const { machine } = asleep;
  const before = await decisionsDuring(asleep, () => sleeping(BEFORE_MS)());
  const change = async (what: string, publishing: () => Promise<number>): Promise<number> => {
    const startedAt = performance.now();
    const version = await publishing();
    await eventually(`the end of the re-planning for ${what}`, () => isFinished(machine, version), AT_MOST_MS);
    const seconds = (performance.now() - startedAt) / 1000;
    await requireAllTold(machine, version);
    machine.say(`  ${what}: done after ${seconds.toFixed(0)} s`);
    return seconds;
  };
  const due = await latestDue(machine);
  let later = 0;
  let earlier = 0;
  const during = await decisionsDuring(asleep, async () => {
    later = await change('a holiday', () => publishHoliday(machine, due));
    earlier = await change('no holiday after all', () => takeBackHoliday(machine, due));
  });
  const what = `Re-planning ${ASLEEP.toLocaleString('en')} reviews asleep`;
  return [
    absoluteOf(`${what} for a holiday, which wakes none`, 's', { atMost: 120 }, [later]),
    absoluteOf('– for a holiday that is taken back, all told', 's', null, [earlier]),
    absoluteOf('– a decision meanwhile, p50', 'ms', null, [percentile(during, 0.5)]),
    absoluteOf('– a decision meanwhile, p95', 'ms', null, [percentile(during, 0.95)]),
    absoluteOf('– the longest', 'ms', null, [Math.max(...during)]),
    absoluteOf('– before, p50', 'ms', null, [percentile(before, 0.5)]),
    absoluteOf('– before, p95', 'ms', null, [percentile(before, 0.95)]),
    absoluteOf('– worker’s memory, largest', 'MB', { atMost: 500 }, [asleep.largestWorkerMb()]),
  ];
}

/** Two at a time, some each second, on reviews that sleep; milliseconds each. */
async function decisionsDuring({ machine, take }: Asleep, work: () => Promise<void>): Promise<readonly number[]> {
  let isOver = false;
  const latencies: number[] = [];
  const deciding = async () => {
    while (!isOver) {
      const posts = await approvals(machine, take(2));
      latencies.push(...(await machine.driver({ kind: 'posts', inFlight: 2, posts })).latenciesMs);
      await delay(PAUSE_MS);
    }
  };
  const worked = work().finally(() => {
    isOver = true;
  });
  await Promise.all([worked, deciding()]);
  return latencies;
}

async function latestDue({ db }: Machine): Promise<Date> {
  const row = await db('tasks').where({ state: 'open', stage: 'document_verification' }).max({ due: 'due_at' }).first();
  return z.object({ due: z.date() }).parse(row).due;
}

const dated = z.looseObject({ date: z.string() });
const published = z.looseObject({ version: z.int(), calendar: z.looseObject({ closures: z.array(dated) }) });
type Dated = z.infer<typeof dated>;

const dateOf = (due: Date): string => formatInZone(due.getTime(), 'Asia/Jakarta').slice(0, 10);

/** On the day on which they are due. @returns the new version */
const publishHoliday = (machine: Machine, due: Date): Promise<number> =>
  publishClosures(machine, (closures) => [...closures, closed(dateOf(due), 'national')]);

const takeBackHoliday = (machine: Machine, due: Date): Promise<number> =>
  publishClosures(machine, (closures) => closures.filter(({ date }) => date !== dateOf(due)));

async function publishClosures(
  machine: Machine,
  change: (closures: readonly Dated[]) => readonly { readonly date: string }[],
): Promise<number> {
  const { admin } = machine.people;
  const path = 'admin/calendar';
  const { version, calendar } = published.parse(await ask(machine, 'GET', path, undefined, admin));
  const body = {
    calendar: { ...calendar, closures: change(calendar.closures) },
    reason: 'A holiday',
    basedOnVersion: version,
  };
  return published.parse(await ask(machine, 'PUT', path, body, admin)).version;
}

const isFinished = async ({ db }: Machine, version: number): Promise<boolean> =>
  (await db('calendar_versions').where({ version }).whereNotNull('replanned_at').first('version')) !== undefined;

async function requireAllTold({ db }: Machine, version: number): Promise<void> {
  const { rows } = await db.raw(
    `select (select count(*)::int from tasks where state = 'open' and calendar_version < :version) as old,
            (select count(*)::int from applications where replan_untold) as untold`,
    { version },
  );
  const [{ old, untold }] = z.tuple([z.object({ old: z.number(), untold: z.number() })]).parse(rows);
  if (old + untold > 0) throw new Error(`${old} tasks have their old plan, ${untold} processes were not told`);
}
