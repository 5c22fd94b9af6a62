import { z } from 'zod';
import { connect } from '../../db/connection.ts';
import { demoUserId, loadDemoData } from '../../local/demo-data.ts';
import { freePorts } from '../../local/ports.ts';
import { aCompany, aLicenseType } from '../builders/licensing.ts';
import { openCases } from '../builders/open-cases.ts';
import { ask } from './cases.ts';
import { anotherDatabase } from './databases.ts';
import { type Absolute, absoluteOf, percentile } from './figures.ts';
import { answers, type Machine } from './machine.ts';
import { CASES } from './sizes.ts';

const TASKS = CASES;
const COMPANIES = 100;
const TYPES = 4;
const HOUR = 3_600_000;
const ROUNDS = 5;
const ASKED = 60;
const WARM = 300;
const GOAL = { atMost: 20 };

/** What an examiner asks for who has ten thousand tasks, one request after the other; over HTTP, from an API of its own. */
export async function measureInbox(machine: Machine): Promise<Absolute[]> {
  const databaseUrl = await anotherDatabase(machine.databaseUrl, 'bench_inbox');
  await loadDemoData({ databaseUrl, personalDataKeys: [machine.personalDataKey] });
  const typeCode = await fill(databaseUrl);
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const settings = { DATABASE_URL: databaseUrl, ALUR_API_PORT: String(port) };
  const api = await machine.startAlso('inbox-api', 'api/main.js', settings, () => answers(`${url}/health/ready`, 200));
  const list = `${url}/api/v1/licenses/assigned`;
  const asked = (path: string, name: string) => measure(machine, `${list}${path}`, name);
  try {
    await latencies(machine, [list, `${list}/counts`], WARM);
    return [
      await asked('', `Inbox of ${TASKS.toLocaleString('en')} open tasks, p95`),
      await asked('?limit=100', '– a hundred tasks a page, p95'),
      await asked(`?cursor=${await middle(machine, url)}`, '– a page further down, p95'),
      await asked('?stage=compliance_check&overdue=false', '– of a stage, not overdue, p95'),
      await asked(`?typeCode=${typeCode}&atRisk=false`, '– of a licence type, not at risk, p95'),
      await asked('?companyName=pt%20contoh%2077', '– of a company, p95'),
      await asked('?companyName=pt%20contoh', '– of every company by the beginning of its name, p95'),
      await asked('/counts', '– counts by stage, p95'),
    ];
  } finally {
    await api.stop();
  }
}

/** Of many companies and some licence types, opened during the last week: some are overdue, some at risk. @returns a type */
async function fill(databaseUrl: string): Promise<string> {
  const db = connect(databaseUrl, 2, 'alur-bench');
  try {
    const applicantId = demoUserId('owner');
    const types = [];
    for (let n = 0; n < TYPES; n += 1) types.push(await aLicenseType(db));
    for (let n = 0; n < COMPANIES; n += 1) {
      const companyId = await aCompany(db, applicantId, { name: `PT Contoh ${n}` });
      for (const [index, type] of types.entries()) {
        const openedAt = new Date(Date.now() - (((n * TYPES + index) * 7) % 168) * HOUR).toISOString();
        const count = TASKS / COMPANIES / TYPES;
        await openCases(db, { companyId, type, applicantId, count, openedAt, assigneeId: demoUserId('examiner') });
      }
    }
    await db.raw('vacuum analyze');
    return types[0]?.code ?? '';
  } finally {
    await db.destroy();
  }
}

/** The cursor of the page at half of the list. */
async function middle(machine: Machine, url: string): Promise<string> {
  let cursor = '';
  for (let seen = 0; seen < TASKS / 2; seen += 100) {
    const path = `licenses/assigned?limit=100${cursor ? `&cursor=${cursor}` : ''}`;
    const { nextCursor } = listed.parse(
      await ask({ ...machine, apiUrl: url }, 'GET', path, undefined, machine.people.examiner),
    );
    cursor = nextCursor;
  }
  return cursor;
}

const listed = z.object({ nextCursor: z.string() });

async function measure(machine: Machine, url: string, name: string): Promise<Absolute> {
  await latencies(machine, [url], ASKED);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(percentile(await latencies(machine, [url], ASKED), 0.95));
  return absoluteOf(name, 'ms', GOAL, rounds);
}

async function latencies(
  { driver, people }: Machine,
  of: readonly string[],
  count: number,
): Promise<readonly number[]> {
  const urls = Array.from({ length: count }, () => of).flat();
  const { latenciesMs } = await driver({ kind: 'gets', urls, token: people.examiner.token, inFlight: 1 });
  return latenciesMs;
}
