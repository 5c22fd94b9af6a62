import assert from 'node:assert/strict';
import { z } from 'zod';
import { knownReasons } from '../../db/reasons.ts';
import { reasonText } from '../../domain/reasons.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const list = z.object({
  items: z.array(
    z.object({
      code: z.string(),
      name: z.string(),
      names: z.object({ id: z.string(), en: z.string() }),
      usedFor: z.array(z.string()),
    }),
  ),
});

describe('the catalogue of reasons', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const put = async (code: string, body: object, as?: Awaited<ReturnType<TestApi['person']>>) =>
    api.call(`/admin/reasons/${code}`, { method: 'PUT', as: as ?? (await api.person('admin')), body });
  const events = (code: string) =>
    database
      .db('events')
      .where({ type: 'reasons.published' })
      .whereRaw("data ->> 'code' = ?", [code])
      .orderBy('id')
      .select('data');
  const names = { id: 'Tanda tangan tidak ada', en: 'The signature is missing' };

  it('is read by owners and staff, in their language and in both', async () => {
    for (const role of ['owner', 'verifier', 'integrator'] as const) {
      const { items } = list.parse((await api.call('/licenses/reasons', { as: await api.person(role) })).body);
      const [first] = items;
      assert.deepEqual(
        [first?.code, first?.name, first?.names.id],
        ['document_missing', 'A document is missing', 'Dokumen belum dilampirkan'],
      );
      assert.deepEqual(items.find(({ code }) => code === 'location_not_permitted')?.usedFor, [
        'reject',
        'intend_to_reject',
      ]);
      assert.equal(items.at(-1)?.code, 'other');
    }
  });

  it('takes a new reason and a changed one, and says in an event what changed', async () => {
    const first = await put('signature_missing', { names, usedFor: ['request_correction'], position: 3 });
    assert.deepEqual([first.status, first.body['name']], [200, names.en], JSON.stringify(first.body));
    await put('signature_missing', { names, usedFor: ['request_correction'], position: 3 });
    await put('signature_missing', { names, usedFor: ['reject', 'request_correction'], position: 3 });
    const told = await events('signature_missing');
    assert.equal(told.length, 2);
    assert.deepEqual(
      [told[1]?.data.before.usedFor, told[1]?.data.after.usedFor],
      [['request_correction'], ['reject', 'request_correction']],
    );
    const known = await knownReasons(database.db);
    assert.equal(reasonText({ code: 'signature_missing' }, known, 'id'), names.id);
  });

  it('keeps the name of a reason that was retired, and uses it for nothing', async () => {
    const retired = await put('document_expired', { names, usedFor: ['reject'], active: false });
    assert.deepEqual(retired.body['usedFor'], []);
    const known = (await knownReasons(database.db)).get('document_expired');
    assert.deepEqual(known, { names, usedFor: [] });
  });

  it('is the administrators’ to change', async () => {
    assert.equal((await put('other', { names, usedFor: ['reject'] }, await api.person('supervisor'))).status, 403);
    assert.equal((await put('Other-1', { names, usedFor: ['reject'] })).status, 422);
    assert.equal((await put('other', { names, usedFor: ['approve'] })).status, 422);
  });

  it('is asked by two changes at once, one after the other', async () => {
    const uses = ['reject', 'request_correction'];
    await Promise.all(uses.map((use) => put('both_at_once', { names, usedFor: [use] })));
    assert.equal((await events('both_at_once')).length, 2);
  });
});
