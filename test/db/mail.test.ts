import assert from 'node:assert/strict';
import { ensureTemplates, type NewDelivery, newestTemplate, noteTry, queueDelivery } from '../../db/mail.ts';
import type { UserId } from '../../domain/ids.ts';
import { LOCALES, MAIL_TEMPLATE_CODES } from '../../domain/mail.ts';
import { aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the record of letters', () => {
  let database: TestDatabase;
  let userId: UserId;

  before(async () => {
    database = await createTestDatabase();
    userId = await aUser(database.db, 'owner');
  });
  after(() => database?.drop());

  const letter = (key: string, changes: Partial<NewDelivery> = {}): NewDelivery => ({
    key,
    template: 'welcome',
    templateVersion: 1,
    locale: 'id',
    userId,
    applicationId: null,
    messageIdHost: 'alur.example',
    at: MONDAY,
    ...changes,
  });
  const row = (id: string) => database.db('mail_deliveries').where({ id }).first('state', 'tries', 'last_answer');

  it('queues a letter once for a key, and gives its repeat the same Message-ID', async () => {
    const first = await queueDelivery(database.db, letter('once'));
    const again = await queueDelivery(database.db, letter('once', { messageIdHost: 'other.example', locale: 'en' }));
    assert.deepEqual(again, first);
    assert.match(first.messageId, /^<[0-9a-f-]{36}@alur\.example>$/);
    assert.notEqual((await queueDelivery(database.db, letter('another'))).messageId, first.messageId);
  });

  it('queues one though twenty try at once', async () => {
    const queued = await Promise.all(Array.from({ length: 20 }, () => queueDelivery(database.db, letter('race'))));
    assert.equal(new Set(queued.map(({ messageId }) => messageId)).size, 1);
    assert.equal((await database.db('mail_deliveries').where({ key: 'race' })).length, 1);
  });

  it('counts the tries and keeps the last answer, cut to 500 characters', async () => {
    const { id } = await queueDelivery(database.db, letter('tried'));
    await noteTry(database.db, id, { state: 'queued', answer: '451 come back', sentAt: null });
    await noteTry(database.db, id, { state: 'refused', answer: 'x'.repeat(600), sentAt: null });
    assert.deepEqual(await row(id), { state: 'refused', tries: 2, last_answer: 'x'.repeat(500) });
  });

  it('never forgets that a letter was sent', async () => {
    const { id } = await queueDelivery(database.db, letter('sent'));
    await noteTry(database.db, id, { state: 'sent', answer: '250 ok', sentAt: new Date(MONDAY) });
    await noteTry(database.db, id, { state: 'refused', answer: '550 no', sentAt: null });
    assert.deepEqual(await row(id), { state: 'sent', tries: 1, last_answer: '250 ok' });
    assert.equal((await queueDelivery(database.db, letter('sent'))).state, 'sent');
  });

  it('has words for every letter in every language', async () => {
    for (const code of MAIL_TEMPLATE_CODES) {
      for (const locale of LOCALES)
        assert.ok((await newestTemplate(database.db, code, locale)).subject, `${code} ${locale}`);
    }
  });

  it('takes the newest words, and leaves those that an office has changed', async () => {
    const words = { code: 'welcome', locale: 'en', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' } as const;
    await database.db('mail_templates').insert({ ...words, version: 2 });
    await ensureTemplates(database.db, [{ ...words, subject: 'Factory words' }]);
    const newest = await newestTemplate(database.db, 'welcome', 'en');
    assert.deepEqual([newest.version, newest.subject], [2, 'Hello']);
    const subjects = await database.db('mail_templates').where({ code: 'welcome', locale: 'en' }).pluck('subject');
    assert.ok(!subjects.includes('Factory words'), subjects.join());
  });
});
