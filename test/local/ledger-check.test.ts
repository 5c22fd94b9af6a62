import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { checkLedger } from '../../db/ledger-check.ts';
import { tellOf } from '../../local/ledger-check.ts';
import { aBookedInvoice, aCapture } from '../builders/books.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

describe('the command that checks the books', () => {
  let database: TestDatabase;
  let directory: string;
  let paymentId: string;

  before(async () => {
    database = await createTestDatabase();
    directory = await temporaryDirectory();
    const companyId = await aCompany(database.db, await aUser(database.db, 'owner'));
    const invoice = await aBookedInvoice(database.db, companyId);
    paymentId = (await aCapture(database.db, invoice, { at: '2026-03-02T02:00:00.000Z' })).id;
  });
  after(async () => {
    await database?.drop();
    await removeDirectory(directory);
  });

  it('tells each proof in a line, and what waits at the gateway, how much and how long', async () => {
    const told = tellOf(await checkLedger(database.db), new Date('2026-03-09T01:00:00.000Z'));
    assert.equal(told.filter((line) => line.startsWith('ok   ')).length, 11);
    assert.equal(
      told.at(-2),
      'midtrans IDR: 1 captured, 0 settled, 1 still at the gateway (Rp361.000, the oldest 6 days)',
    );
    assert.equal(told.at(-1), 'The books agree with the records.');
  });

  it('ends with 0 when all agrees; with 1 and the rows when not; with 2 when there is nothing to read', async () => {
    const good = await run({ DATABASE_URL: database.url });
    assert.deepEqual([good.code, good.output.split('\n').at(-2)], [0, 'The books agree with the records.']);
    await mkdir(join(directory, 'ready'));
    await writeFile(join(directory, 'ready', 'ready.json'), JSON.stringify({ postgres: database.url }));
    await database.db('payments').where({ id: paymentId }).update({ applied_minor: 5 });
    const [bad, json, none] = await Promise.all([
      // As beside a running system, which says where its database is.
      run({ DATABASE_URL: '', ALUR_LOCAL_DIR: join(directory, 'ready') }),
      run({ DATABASE_URL: database.url }, '--json'),
      run({ DATABASE_URL: '', ALUR_LOCAL_DIR: directory }),
    ]);
    assert.equal(bad.code, 1);
    assert.match(bad.output, /^WRONG payments: .*\n +payment [\w-]+: .*appliedMinor 5.*bookedAppliedMinor 361000/m);
    assert.match(bad.output, new RegExp(paymentId));
    assert.match(bad.output, /The books do not agree: payments \(1\)\.\n$/);
    assert.equal(json.code, 1);
    const report: { proved: boolean; proofs: unknown[] } = JSON.parse(json.output);
    assert.deepEqual([report.proved, report.proofs.length], [false, 11]);
    assert.deepEqual([none.code, none.output.slice(0, 12)], [2, 'No database:']);
  });
});

async function run(env: Record<string, string>, ...args: string[]): Promise<{ code: number; output: string }> {
  const script = join(import.meta.dirname, '../../local/ledger-check.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code]: unknown[] = await once(child, 'close');
  return { code: Number(code), output: (await output).join('') };
}
