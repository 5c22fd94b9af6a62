import assert from 'node:assert/strict';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createAuditActivities } from '../../activities/audit.ts';
import { openOrigin } from '../../activities/origin.ts';
import { sealOrigin } from '../../api/sealed-origin.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { anEvent, auditSigner } from '../builders/audit.ts';
import { AUDIT_PRIVATE_KEY, createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

describe('the activity that seals', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  const run = (environment = new MockActivityEnvironment()) => {
    const { sealEvents } = createAuditActivities({ db: database.db, auditPrivateKeyPem: AUDIT_PRIVATE_KEY });
    return environment.run(sealEvents);
  };

  it('seals until nothing is left, tells how far it is, and finds nothing to do the second time', async () => {
    await run();
    await database.db.raw(
      `insert into events (key, type, actor, data, public, occurred_at)
       select 'many/' || n, 'login.failed', 'system', '{}', false, now() from generate_series(1, 10001) n`,
    );
    const environment = new MockActivityEnvironment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    assert.deepEqual(await run(environment), { batches: 2, events: 10_001 });
    assert.deepEqual(beats, [
      { batches: 1, events: 10_000 },
      { batches: 2, events: 10_001 },
    ]);
    assert.deepEqual(await run(), { batches: 0, events: 0 });
    assert.equal((await database.db('event_seals').orderBy('batch', 'desc').first('key_id')).key_id, auditSigner.keyId);
  });

  it('stops between two batches when it is cancelled', async () => {
    await anEvent(database.db);
    const environment = new MockActivityEnvironment();
    environment.cancel();
    await assert.rejects(run(environment), /CANCELLED|aborted/i);
    assert.deepEqual(await run(), { batches: 1, events: 1 });
  });
});

describe('where a message came from', () => {
  const personalData = createPersonalData([PERSONAL_DATA_KEY]);
  const origin = { address: '203.0.113.7', requestId: 'request-12345' };

  it('goes through a history sealed, and comes out as it was', () => {
    const sealed = sealOrigin({ personalData }, origin);
    assert.doesNotMatch(JSON.stringify(sealed), /203\.0\.113/);
    assert.doesNotMatch(Buffer.from(sealed.sealedAddress ?? '', 'base64').toString(), /203\.0\.113/);
    assert.deepEqual(openOrigin({ personalData }, sealed), origin);
    assert.deepEqual(openOrigin({ personalData }, sealOrigin({ personalData }, { address: null, requestId: null })), {
      address: null,
      requestId: null,
    });
    assert.equal(openOrigin({ personalData }, undefined), undefined);
  });

  it('does not hold up a decision when its key is gone by then', async () => {
    const sealed = sealOrigin({ personalData: createPersonalData([Buffer.alloc(32, 7)]) }, origin);
    const said: string[] = [];
    const logger = new DefaultLogger('WARN', ({ message }) => said.push(message));
    const environment = new MockActivityEnvironment({}, { logger });
    const opened = await environment.run(async () => openOrigin({ personalData }, sealed));
    assert.deepEqual(opened, { address: null, requestId: 'request-12345' });
    assert.equal(said.length, 1);
  });
});
