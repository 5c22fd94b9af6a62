import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { officeCalendarOf } from '../../db/calendars.ts';
import { connect } from '../../db/connection.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { countUnplanned, replanPage } from '../../db/replanning.ts';
import { type ApplicationId, asId, type OfficeId, type UserId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { ensureDatabase } from '../../local/postgres.ts';
import type { CalendarChanged } from '../../workflows/calendar-change.ts';
import { calendarChangeId } from '../../workflows/ids.ts';
import { closed, publish } from '../builders/calendars.ts';
import { aCompany, aLicenseType, aUser } from '../builders/licensing.ts';
import { openCases as openRows } from '../builders/open-cases.ts';
import { openCases } from './cases.ts';
import { type Absolute, absoluteOf, percentile } from './figures.ts';
import type { Machine } from './machine.ts';

const CASES = 10_000;
const PAGE = 200;
const ROUNDS = 3;
const PROCESSES = 200;

/**
 * A holiday for ten thousand open cases: the records of it, without processes, and what a decision waits for meanwhile; then
 * the whole of it, with processes that sleep and are told.
 */
export async function measureReplanning(machine: Machine): Promise<Absolute[]> {
  return [...(await measureRecords(machine.databaseUrl)), await measureProcesses(machine)];
}

/** @param databaseUrl of any database on the server that shall be used */
export async function measureRecords(databaseUrl: string): Promise<Absolute[]> {
  const url = named(databaseUrl, 'bench_replanning');
  await ensureDatabase(named(databaseUrl, 'postgres'), 'bench_replanning');
  await migrateToLatest(url);
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
        `Re-planning the records of ${CASES.toLocaleString('en')} open cases`,
        's',
        { atMost: 120 },
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

const named = (databaseUrl: string, name: string): string =>
  Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;

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

async function measureProcesses(machine: Machine): Promise<Absolute> {
  const { db, client } = machine;
  await openCases(machine, PROCESSES);
  const office: { office_id: string; due: Date } = await db('tasks as t')
    .join('applications as a', 'a.id', 't.application_id')
    .join('license_types as y', 'y.code', 'a.type_code')
    .where('t.state', 'open')
    .orderBy('t.due_at', 'desc')
    .first({ office_id: 'y.office_id', due: 't.due_at' });
  const officeId = asId<OfficeId>(office.office_id);
  const { calendar } = await officeCalendarOf(db, officeId);
  const holiday = closed(new Date(office.due.getTime() + 7 * 3_600_000).toISOString().slice(0, 10));
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const closures = round % 2 === 0 ? [...calendar.closures, holiday] : calendar.closures;
    const at = new Date().toISOString();
    const version = await publish(db, officeId, demoUserId('admin'), { ...calendar, closures }, at);
    const workflowId = `${calendarChangeId(officeId, version)}/${randomUUID()}`;
    const startedAt = performance.now();
    const options = { workflowId, taskQueue: 'alur', args: [{ officeId, version }] };
    const { moved }: CalendarChanged = await client.workflow.execute('calendarChange', options);
    if (moved < PROCESSES) throw new Error(`${moved} cases moved, of ${PROCESSES} at least`);
    rates.push(moved / ((performance.now() - startedAt) / 1000));
  }
  return absoluteOf('– and telling processes that sleep, each of which wakes and reads', 'cases/s', null, rates);
}
