import assert from 'node:assert/strict';
import { Client, Connection } from '@temporalio/client';
import { connect } from '../../db/connection.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

describe('the health of the API', () => {
  let database: TestDatabase;
  let api: TestApi;
  let connection: Connection;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    connection = Connection.lazy({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }) });
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  const ready = async (of: TestApi) => {
    const response = await fetch(`${of.url}/health/ready`);
    return { status: response.status, body: await response.json() };
  };

  it('is ready when PostgreSQL and Temporal answer', async () => {
    assert.deepEqual(await ready(api), {
      status: 200,
      body: { status: 'ok', checks: { postgres: 'ok', temporal: 'ok' } },
    });
  });

  it('says which part is away, while it still lives', async () => {
    const db = connect('postgres://nobody@127.0.0.1:1/nothing', 1);
    const lonely = await startApi({ db, url: 'postgres://nobody@127.0.0.1:1/nothing' });
    try {
      assert.deepEqual(await ready(lonely), {
        status: 503,
        body: { status: 'unavailable', checks: { postgres: 'unavailable', temporal: 'unavailable' } },
      });
      assert.equal((await fetch(`${lonely.url}/health/live`)).status, 200);
    } finally {
      await lonely.close();
      await db.destroy();
    }
  });

  it('is not ready, and keeps no connection, once it is told to stop', async () => {
    const stopping = await startApi(database);
    try {
      stopping.drain();
      const response = await fetch(`${stopping.url}/health/ready`);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get('connection'), 'close');
      assert.deepEqual(await response.json(), { status: 'unavailable', checks: { api: 'draining' } });
    } finally {
      await stopping.close();
    }
  });

  it('measures requests by route pattern, never by path', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    await (await fetch(`${api.url}/api/v1/licenses/status/${id}`)).text();
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    assert.match(
      metrics,
      /alur_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/licenses\/status\/:id",status="401"\} 1/,
    );
    assert.ok(!metrics.includes(id));
    assert.match(metrics, /process_cpu_user_seconds_total/);
  });
});
