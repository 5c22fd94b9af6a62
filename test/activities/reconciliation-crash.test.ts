import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { PaymentGateway } from '../../activities/gateways/gateway.ts';
import { createXenditGateway } from '../../activities/gateways/xendit.ts';
import { createReconciliationActivities } from '../../activities/reconciliation.ts';
import { walkedSpan } from '../../domain/reconciliation.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { type ManyCaptures, manyCaptures, preloadMany } from '../builders/many-captures.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { GATEWAY_SECRETS, gateways } from '../support/machine.ts';
import type { MortalWalkSettings } from '../support/mortal-walk-settings.ts';
import { stopAtEnd } from '../support/registry.ts';

describe('a walk whose worker is killed', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  it('goes on where a worker was killed: no page twice, none left out', async () => {
    const { db, url } = database;
    const span = { gateway: 'xendit', ...walkedSpan('2024-05-10', 'Asia/Jakarta') } as const;
    const companyId = await aCompany(db, await aUser(db, 'owner'));
    const from = '2024-05-10T01:00:00.000Z';
    const many: ManyCaptures = {
      companyId,
      gateway: 'xendit',
      count: 170,
      from,
      everyMs: 1_000,
      prefix: `kill-${randomUUID().slice(0, 8)}-`,
    };
    await manyCaptures(db, many);
    const xenditUrl = `${(await gateways()).url}/xendit`;
    await preloadMany(xenditUrl, many);
    const at = new Date().toISOString();
    const { secretKey } = GATEWAY_SECRETS.xendit;
    await dies({ databaseUrl: url, xenditUrl, secretKey, span, at, diesBeforePage: 3 });
    const [run] = await db('reconciliation_runs').where({ from_at: span.from }).select('state', 'compared');
    assert.equal(run?.state, 'running');
    assert.ok(run.compared > 0 && run.compared < many.count);

    let pages = 0;
    const xendit = createXenditGateway({ secretKey, apiUrl: xenditUrl });
    const { list } = xendit;
    assert.ok(list);
    const counting: PaymentGateway = {
      ...xendit,
      list: (window, cursor) => {
        assert.notEqual(cursor, null, 'it began anew');
        pages += 1;
        return list(window, cursor);
      },
    };
    const { reconcileGateway } = createReconciliationActivities({ db, gateways: { xendit: counting } });
    const done = await new MockActivityEnvironment().run(reconcileGateway, { span, at });
    assert.deepEqual(done, { state: 'finished', compared: many.count, differences: 0 });
    assert.ok(pages > 0 && pages < 4);
  });

  async function dies(settings: MortalWalkSettings): Promise<void> {
    const script = join(import.meta.dirname, '../support/mortal-walk.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(settings)], { stdio: 'ignore' });
    stopAtEnd(async () => void child.kill('SIGKILL'));
    const [, signal]: unknown[] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
  }
});
