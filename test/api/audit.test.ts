import assert from 'node:assert/strict';
import { createPublicKey, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import type { CompanyId } from '../../domain/ids.ts';
import { verifyFile } from '../../local/audit-verify.ts';
import { anEvent, sealAll } from '../builders/audit.ts';
import { aCompany, aLicenseType, anApplication } from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { AUDIT_PRIVATE_KEY, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';
import { eventually } from '../support/wait.ts';

const pageShape = z.object({
  items: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string(),
      actor: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
      seal: z.object({ batch: z.string() }).nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
});

describe('the audit', () => {
  let database: TestDatabase;
  let api: TestApi;
  let supervisor: TestPerson;
  let directory: string;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    supervisor = await api.person('supervisor');
    directory = await temporaryDirectory();
  });
  after(async () => {
    await api?.close();
    await database?.drop();
    await removeDirectory(directory);
  });

  const list = async (query: Record<string, string> = {}) => {
    const { status, body } = await api.call(`/admin/audit?${new URLSearchParams(query)}`, { as: supervisor });
    assert.equal(status, 200, JSON.stringify(body));
    return pageShape.parse(body);
  };
  const ids = async (query: Record<string, string>) => (await list(query)).items.map(({ id }) => id);

  describe('the list', () => {
    it('shows who did what, from where, and whether it is sealed', async () => {
      const origin = { address: '203.0.113.9', requestId: 'request-of-the-test' };
      const subject = `user/${randomUUID()}` as const;
      const change = { before: { roles: ['owner'] }, after: { roles: ['owner', 'finance'] } };
      const id = await anEvent(database.db, {
        type: 'user.roles_changed',
        by: supervisor.id,
        subject,
        origin,
        ...change,
      });
      const [open] = (await list({ subject })).items;
      assert.ok(open);
      const { at, recordedAt, ...rest } = open;
      assert.ok(typeof at === 'string' && typeof recordedAt === 'string');
      assert.deepEqual(rest, {
        id,
        type: 'user.roles_changed',
        actor: { kind: 'person', id: supervisor.id, name: supervisor.name },
        subject,
        companyId: null,
        applicationId: null,
        address: '203.0.113.9',
        requestId: 'request-of-the-test',
        data: { reason: 'test', ...change },
        seal: null,
      });
      await sealAll(database.db);
      assert.match((await list({ subject })).items[0]?.seal?.batch ?? '', /^\d+$/);
    });

    it('filters by each of its fields, all at once', async () => {
      const companyId = await aCompany(database.db, supervisor.id);
      const type = await aLicenseType(database.db);
      const applicationId = await anApplication(database.db, { companyId, type, applicantId: supervisor.id });
      const origin = { address: '2001:db8::7', requestId: `request-${randomUUID()}` };
      const all = {
        type: 'api_key.revoked',
        subject: `api_key/${randomUUID()}`,
        companyId,
        applicationId,
        requestId: origin.requestId,
        address: origin.address,
        actorId: supervisor.id,
      } as const;
      const wanted = {
        type: all.type,
        subject: all.subject,
        companyId,
        applicationId,
        origin,
        by: supervisor.id,
      } as const;
      const id = await anEvent(database.db, wanted);
      const other: CompanyId = await aCompany(database.db, supervisor.id);
      await anEvent(database.db, { type: 'login.failed', companyId: other });
      for (const [name, value] of Object.entries(all)) {
        const found = await list({ [name]: value });
        assert.ok(
          found.items.some((item) => item.id === id),
          name,
        );
        assert.ok(!found.items.some((item) => item.type === 'login.failed'), name);
      }
      assert.deepEqual(await ids(all), [id]);
      assert.deepEqual(await ids({ ...all, address: '2001:db8::8' }), []);
      const { recorded_at: at } = await database.db('events').where({ id }).first('recorded_at');
      const after = new Date(at.getTime() + 1).toISOString();
      assert.deepEqual(await ids({ ...all, from: at.toISOString(), to: after }), [id]);
      assert.deepEqual(await ids({ ...all, from: after }), []);
      assert.deepEqual(await ids({ ...all, to: at.toISOString() }), []);
    });

    it('goes page by page, newest first, whatever is written meanwhile', async () => {
      const subject = `device/${randomUUID()}` as const;
      const made: string[] = [];
      for (let n = 0; n < 5; n += 1) made.push(await anEvent(database.db, { subject }));
      const first = await list({ subject, limit: '2' });
      await anEvent(database.db, { subject });
      const second = await list({ subject, limit: '2', cursor: first.nextCursor ?? '' });
      const third = await list({ subject, limit: '2', cursor: second.nextCursor ?? '' });
      const seen = [first, second, third].flatMap(({ items }) => items.map(({ id }) => id));
      assert.deepEqual(seen, made.toReversed());
      assert.equal(third.nextCursor, null);
    });

    it('is for supervisors, ops and admins', async () => {
      for (const role of ['owner', 'verifier', 'finance', 'integrator'] as const)
        for (const path of ['/admin/audit', '/admin/audit/export'])
          assert.equal((await api.call(path, { as: await api.person(role) })).status, 403, `${role} ${path}`);
      for (const path of ['/admin/audit', '/admin/audit/export']) assert.equal((await api.call(path)).status, 401);
    });

    it('refuses a filter that cannot be meant', async () => {
      for (const query of ['type=nonsense', 'actorId=1', 'from=yesterday', 'colour=red', 'subject=everything'])
        assert.equal((await api.call(`/admin/audit?${query}`, { as: supervisor })).status, 422, query);
    });
  });

  describe('an export', () => {
    const download = async (query = '') => {
      const response = await fetch(`${api.url}/api/v1/admin/audit/export${query}`, { headers: supervisor.headers });
      return { response, text: await response.text() };
    };

    it('is proved offline with the published key, and is itself on record', async () => {
      for (let n = 0; n < 5; n += 1) await anEvent(database.db);
      await sealAll(database.db, 2);
      const { response, text } = await download();
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
      assert.match(response.headers.get('content-disposition') ?? '', /alur-audit-\d{4}-\d\d-\d\d\.ndjson/);
      assert.equal(response.headers.get('cache-control'), 'no-store');
      const published = await (await fetch(`${api.url}/.well-known/audit-keys.json`)).json();
      const { keys } = z.object({ keys: z.array(z.record(z.string(), z.string())) }).parse(published);
      assert.deepEqual(Object.keys(keys[0] ?? {}).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
      const file = join(directory, 'export.ndjson');
      await writeFile(file, text);
      const summary = await verifyFile(file, [createPublicKey(AUDIT_PRIVATE_KEY)], () => undefined);
      // The export's own event came after the last seal.
      assert.equal(summary.unsealed, 1);
      assert.deepEqual(summary.keyIds, [keys[0]?.['kid']]);
      const [event] = (await list({ type: 'audit.exported' })).items;
      assert.deepEqual([event?.actor.id, event?.['data']], [supervisor.id, { from: null, to: null }]);
    });

    it('has all events of a range, over as many pages as it takes', async () => {
      await anEvent(database.db);
      await sealAll(database.db);
      const from = new Date();
      await database.db.raw(
        `insert into events (key, type, actor, data, public, occurred_at)
         select 'range/' || n, 'login.failed', 'system', '{}', false, now() from generate_series(1, 2500) n`,
      );
      await sealAll(database.db, 1100);
      const { text } = await download(`?from=${from.toISOString()}`);
      const file = join(directory, 'range.ndjson');
      await writeFile(file, text);
      const summary = await verifyFile(file, [], () => undefined);
      assert.deepEqual([summary.events - summary.unsealed, summary.batches, summary.onTrust], [2500, 3, true]);
    });

    it('reads on only as fast as it is taken, and stops when the reader goes away', async () => {
      await database.db.raw(
        `insert into events (key, type, actor, data, public, occurred_at)
         select 'long/' || n, 'login.failed', 'system', jsonb_build_object('text', repeat('x', 1000)), false, now() from generate_series(1, 20000) n`,
      );
      let asked = 0;
      const count = ({ sql }: { sql: string }) => {
        if (/from events e\s+where \(e\.recorded_at, e\.id\)/.test(sql)) asked += 1;
      };
      database.db.on('query', count);
      const taking = request(`${api.url}/api/v1/admin/audit/export`, { headers: supervisor.headers });
      const answered = new Promise<void>((resolve) =>
        taking.once('response', (response) => {
          response.pause();
          resolve();
        }),
      );
      taking.on('error', () => undefined).end();
      await answered;
      await eventually('some pages to be read', async () => asked > 0);
      let before = -1;
      await eventually('the reading to stand still', async () => {
        const still = asked === before;
        before = asked;
        await database.db.raw('select pg_sleep(0.1)');
        return still;
      });
      assert.ok(asked < 20, `${asked} of 21 pages were read though nobody took them`);
      taking.destroy();
      await eventually('the cut to be logged', async () => api.log.some((line) => line.includes('"cutOff":true')));
      database.db.removeListener('query', count);
      assert.ok(asked < 20);
    });

    it('does not start when it cannot be put on record', async () => {
      await database.db.raw(`create function refuse_export() returns trigger language plpgsql as
        $$ begin if new.type = 'audit.exported' then raise exception 'no'; end if; return new; end $$`);
      await database.db.raw(
        'create trigger refuse_export before insert on events for each row execute function refuse_export()',
      );
      const { response } = await download();
      assert.equal(response.status, 500);
      await database.db.raw('drop trigger refuse_export on events');
    });
  });
});
