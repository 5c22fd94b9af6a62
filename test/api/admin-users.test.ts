import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { joinStaff } from '../../api/staff-accounts.ts';
import { createLink } from '../../db/link-tokens.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import type { Role } from '../../domain/roles.ts';
import { aCompany } from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson, testSession } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { codeOf, totpSchema } from '../support/second-factors.ts';
import { eventually } from '../support/wait.ts';

const page = z.object({
  items: z.array(z.object({ id: z.string(), email: z.string(), status: z.string(), roles: z.array(z.string()) })),
  nextCursor: z.string().nullable(),
});
const ORIGIN = { address: '203.0.113.9', requestId: 'request-1' };
const PASSWORD = 'Kenari-Biru-1987';

describe('accounts, for administrators', () => {
  let database: TestDatabase;
  let api: TestApi;
  let admin: TestPerson;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database);
    admin = await anAdmin();
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const anAdmin = async () => {
    const person = await api.person('admin');
    await api.stepUp(person);
    return person;
  };
  const invite = (body: object, as = admin) => api.call('/admin/users', { as, body: { name: 'Rina', ...body } });
  const address = () => `${randomUUID()}@kantor.example`;
  const invited = async (roles = ['verifier']) => {
    const email = address();
    const { status, body } = await invite({ email, roles });
    assert.equal(status, 201);
    return { id: asId<UserId>(String(body.id)), email };
  };
  const change = (id: string, body: object, as = admin, headers: Record<string, string> = {}) =>
    api.call(`/admin/users/${id}`, { method: 'PUT', as, body, headers });
  const eventsAbout = (id: string) =>
    database
      .db('events')
      .where({ subject: `user/${id}` })
      .orderBy('id')
      .select('type', 'actor_id', 'data', 'address');
  /** As the letter would carry it. */
  const linkFor = async (userId: UserId) => {
    const letter = await database
      .db('account_letters')
      .where({ user_id: userId })
      .orderBy('created_at', 'desc')
      .first();
    const link = {
      id: letter.id,
      purpose: 'join_staff',
      userId,
      subjectId: null,
      createdAt: letter.created_at,
    } as const;
    return (await createLink(database.db, api.deps.secretKey, link)).token;
  };
  const join = (token: string, over: object = {}) =>
    joinStaff(api.deps, { token, password: PASSWORD, ...over }, ORIGIN, 'en');
  const refusedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

  describe('the list', () => {
    it('shows who has which roles and status, newest first, each once', async () => {
      const seen: string[] = [];
      let cursor = '';
      do {
        const { items, nextCursor } = page.parse(
          (await api.call(`/admin/users?limit=2${cursor && `&cursor=${cursor}`}`, { as: admin })).body,
        );
        assert.ok(items.length <= 2);
        seen.push(...items.map(({ id }) => id));
        cursor = nextCursor ?? '';
      } while (cursor !== '');
      const all = await database
        .db('users')
        .orderBy([
          { column: 'created_at', order: 'desc' },
          { column: 'id', order: 'desc' },
        ])
        .pluck('id');
      assert.deepEqual(seen, all);
    });

    it('filters by role, by status and by how name or address begins', async () => {
      const { id, email } = await invited(['finance', 'ops']);
      const found = async (query: string) =>
        page
          .parse((await api.call(`/admin/users?limit=100&${query}`, { as: admin })).body)
          .items.map((item) => item.id);
      assert.ok((await found('role=finance')).includes(id));
      assert.ok(!(await found('role=verifier')).includes(id));
      assert.ok((await found('status=invited')).includes(id));
      assert.ok(!(await found('status=active')).includes(id));
      assert.deepEqual(await found(`q=${email.slice(0, 20).toUpperCase()}`), [id]);
      assert.ok((await found('q=rIN')).includes(id));
      assert.deepEqual(await found('q=%25'), [], 'a percent sign is no wildcard');
      assert.equal((await api.call('/admin/users?role=king', { as: admin })).status, 422);
    });

    it('tells of the last log-in and of a second factor, and never of secrets', async () => {
      const person = await api.person('verifier');
      await database.db('second_factors').insert({
        id: randomUUID(),
        user_id: person.id,
        kind: 'totp',
        created_at: new Date(),
        confirmed_at: new Date(),
      });
      const { body, headers } = await api.call(`/admin/users/${person.id}`, { as: admin });
      assert.equal(body.secondFactor, true);
      assert.equal(typeof body.lastLoginAt, 'string');
      assert.equal(body.status, 'active');
      assert.ok(headers.get('etag'));
      assert.deepEqual(
        Object.keys(body).filter((key) => /pass|hash|nik|token/i.test(key)),
        [],
      );
      assert.equal((await api.call(`/admin/users/${randomUUID()}`, { as: admin })).status, 404);
    });
  });

  describe('an invitation', () => {
    it('opens an account without a password, with its letter and its event', async () => {
      const { id } = await invited(['approver', 'verifier', 'approver']);
      const row = await database.db('users').where({ id }).first();
      assert.deepEqual([row.password_hash, row.roles, row.email_verified_at], [null, ['verifier', 'approver'], null]);
      const letter = await database.db('account_letters').where({ user_id: id }).first();
      assert.deepEqual(
        [letter.template, letter.data],
        ['join_staff', { inviterName: admin.name, roles: ['verifier', 'approver'] }],
      );
      assert.deepEqual(await eventsAbout(id), [
        {
          type: 'user.invited',
          actor_id: admin.id,
          data: { roles: ['verifier', 'approver'], officeId: null },
          address: '127.0.0.1',
        },
      ]);
    });

    it('is the same invitation when the request is repeated', async () => {
      const email = address();
      const send = () =>
        api.call('/admin/users', {
          as: admin,
          body: { email, name: 'Rina', roles: ['ops'] },
          headers: { 'idempotency-key': `invite-${email}` },
        });
      const [first, again] = [await send(), await send()];
      assert.deepEqual(again.body, first.body);
      assert.equal((await eventsAbout(String(first.body.id))).length, 1);
    });

    it('to an address that has an account is refused, whatever its capitals', async () => {
      const { email } = await invited();
      const { status, body } = await invite({ email: email.toUpperCase(), roles: ['ops'] });
      assert.deepEqual([status, body.code], [409, 'email_taken']);
    });

    it('never puts one person on both sides of the counter', async () => {
      for (const roles of [['owner', 'verifier'], ['integrator', 'owner'], ['integrator', 'ops'], []]) {
        const { status, body } = await invite({ email: address(), roles });
        const [first] = z.array(z.object({ pointer: z.string() })).parse(body.errors);
        assert.deepEqual([status, first?.pointer], [422, '/roles'], roles.join());
      }
      for (const roles of [['owner'], ['integrator'], ['admin', 'supervisor', 'finance']])
        assert.equal((await invite({ email: address(), roles })).status, 201, roles.join());
    });

    it('names an office that is there', async () => {
      const officeId = await database.db('offices').first('id');
      assert.equal(
        (await invite({ email: address(), roles: ['ops'], officeId: officeId.id })).body.officeId,
        officeId.id,
      );
      const { status, body } = await invite({ email: address(), roles: ['ops'], officeId: randomUUID() });
      assert.deepEqual([status, JSON.stringify(body.errors).includes('unknown_office')], [422, true]);
    });

    it('wants a fresh second factor', async () => {
      const stale = await api.person('admin');
      const { status, body } = await invite({ email: address(), roles: ['ops'] }, stale);
      assert.deepEqual([status, body.code], [403, 'step_up_required']);
    });

    it('can be sent again, which voids the link before', async () => {
      const { id } = await invited();
      const old = await linkFor(id);
      const again = await api.call(`/admin/users/${id}/invite`, { as: admin, body: {} });
      assert.equal(again.status, 204);
      await assert.rejects(join(old), refusedWith('link_not_valid'));
      assert.equal((await join(await linkFor(id))).id, id);
      const late = await api.call(`/admin/users/${id}/invite`, { as: admin, body: {} });
      assert.deepEqual([late.status, late.body.code], [409, 'not_invited']);
    });
  });

  describe('taking an account up', () => {
    it('sets password and name, proves the address, and is told', async () => {
      const { id, email } = await invited();
      const user = await join(await linkFor(id), { name: 'Rina Kartika' });
      assert.deepEqual([user.id, user.name, user.emailVerifiedAt !== null], [id, 'Rina Kartika', true]);
      assert.deepEqual((await eventsAbout(id)).at(-1), {
        type: 'user.joined',
        actor_id: id,
        data: {},
        address: ORIGIN.address,
      });
      const login = await api.call('/auth/login', { body: { email, password: PASSWORD } });
      assert.equal(login.status, 200);
      assert.equal((await api.call(`/admin/users/${id}`, { as: admin })).body.status, 'active');
    });

    it('over HTTP logs the person in at once', async () => {
      const { id } = await invited(['supervisor']);
      const body = { token: await linkFor(id), password: PASSWORD };
      const { status, body: tokens, headers } = await api.call('/auth/join', { body });
      assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store']);
      const as = { ...admin, headers: { authorization: `Bearer ${tokens.accessToken}` } };
      const me = await api.call('/users/profile', { as });
      assert.deepEqual([me.body.id, me.body.roles], [id, ['supervisor']]);
      const [session] = await database.db('sessions').where({ user_id: id }).select('method', 'second_factor_at');
      assert.deepEqual(session, { method: 'invitation', second_factor_at: null });
      const again = await api.call('/auth/join', { body });
      assert.deepEqual([again.status, again.body.code], [422, 'link_not_valid']);
    });

    it('counts once, also for two who come at once', async () => {
      const { id } = await invited();
      const token = await linkFor(id);
      const tries = await Promise.allSettled([join(token), join(token, { password: 'Another-Phrase-77' })]);
      assert.deepEqual(tries.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
      await assert.rejects(join(token), refusedWith('link_not_valid'));
    });

    it('refuses a weak password and leaves the link as it was', async () => {
      const { id } = await invited();
      const token = await linkFor(id);
      await assert.rejects(join(token, { password: 'kurang' }), refusedWith('weak_password'));
      assert.equal((await join(token)).id, id);
    });

    it('needs a link that is right, and an account that is not disabled', async () => {
      await assert.rejects(join('nonsense'), refusedWith('link_not_valid'));
      const { id } = await invited();
      const token = await linkFor(id);
      assert.equal((await change(id, { status: 'disabled' })).status, 200);
      await assert.rejects(join(token), refusedWith('link_not_valid'));
    });
  });

  describe('a change', () => {
    it('of roles is written with before and after, and the token of before counts no more within moments', async () => {
      const person = await api.person('verifier');
      const { status, body } = await change(person.id, { roles: ['examiner'] });
      assert.deepEqual([status, body.roles], [200, ['examiner']]);
      const [event] = await eventsAbout(person.id);
      assert.deepEqual(
        [event.type, event.actor_id, event.data],
        ['user.roles_changed', admin.id, { before: { roles: ['verifier'] }, after: { roles: ['examiner'] } }],
      );
      await eventually(
        'the token to end',
        async () => (await api.call('/users/profile', { as: person })).status === 401,
      );
    });

    it('to disabled ends the log-ins, and to active opens none of them again', async () => {
      const person = await api.person('verifier');
      const second = await testSession(database.db, person.id);
      assert.equal((await change(person.id, { status: 'disabled' })).body.status, 'disabled');
      const sessions = await database.db('sessions').whereIn('id', [person.sessionId, second]).pluck('end_reason');
      assert.deepEqual(sessions, ['disabled', 'disabled']);
      await eventually(
        'the token to end',
        async () => (await api.call('/users/profile', { as: person })).status === 401,
      );
      assert.equal((await change(person.id, { status: 'active' })).body.status, 'active');
      assert.deepEqual(
        (await eventsAbout(person.id)).map(({ type, data }) => [type, data.before, data.after]),
        [
          ['user.disabled', { status: 'active' }, { status: 'disabled' }],
          ['user.enabled', { status: 'disabled' }, { status: 'active' }],
        ],
      );
      assert.equal((await api.call('/users/profile', { as: person })).status, 401);
    });

    it('of a name ends nothing, and the record does not keep the names', async () => {
      const person = await api.person('verifier');
      assert.equal((await change(person.id, { name: 'Budi Baru' })).body.name, 'Budi Baru');
      assert.equal((await api.call('/users/profile', { as: person })).status, 200);
      const events = await eventsAbout(person.id);
      assert.deepEqual(
        events.map(({ type, data }) => [type, data]),
        [['user.changed', { fields: ['name'] }]],
      );
    });

    it('is recorded each time, also under a key that was used before', async () => {
      const person = await api.person('verifier');
      for (const roles of [['examiner'], ['approver'], ['examiner']])
        assert.equal((await change(person.id, { roles }, admin, { 'idempotency-key': 'always-the-same' })).status, 200);
      assert.equal((await eventsAbout(person.id)).length, 3);
    });

    it('that changes nothing writes nothing', async () => {
      const person = await api.person('verifier', 'examiner');
      for (const body of [{}, { name: person.name, roles: ['examiner', 'verifier'], status: 'active' }])
        assert.equal((await change(person.id, body)).status, 200);
      assert.deepEqual(await eventsAbout(person.id), []);
    });

    it('is refused when somebody else was quicker, and a log-in meanwhile is no conflict', async () => {
      const person = await api.person('verifier');
      const etag = (await api.call(`/admin/users/${person.id}`, { as: admin })).headers.get('etag') ?? '';
      await testSession(database.db, person.id);
      assert.equal((await change(person.id, { name: 'First' }, admin, { 'if-match': etag })).status, 200);
      const late = await change(person.id, { name: 'Second' }, admin, { 'if-match': etag });
      assert.deepEqual([late.status, late.body.code], [412, 'precondition_failed']);
    });

    it('is never of one’s own roles or status; one’s name is fine', async () => {
      for (const body of [{ roles: ['ops'] }, { roles: ['admin', 'ops'] }, { status: 'disabled' }]) {
        const { status, body: said } = await change(admin.id, body);
        assert.deepEqual([status, said.code], [403, 'own_account']);
      }
      assert.equal((await change(admin.id, { name: admin.name, roles: ['admin'] })).status, 200);
    });

    it('does not make an owner who acts for a company one of the office', async () => {
      const owner = await api.person('owner');
      await aCompany(database.db, owner.id);
      const { status, body } = await change(owner.id, { roles: ['verifier'] });
      assert.deepEqual([status, JSON.stringify(body.errors).includes('acts_for_company')], [422, true]);
      assert.equal((await change((await api.person('owner')).id, { roles: ['verifier'] })).status, 200);
    });

    it('wants a fresh second factor, and the right', async () => {
      const person = await api.person('verifier');
      assert.equal((await change(person.id, { name: 'X' }, await api.person('admin'))).body.code, 'step_up_required');
      const supervisor = await api.person('supervisor');
      await api.stepUp(supervisor);
      assert.equal((await change(person.id, { name: 'X' }, supervisor)).body.code, 'forbidden');
    });
  });

  describe('the last administrator', () => {
    const alone = async (...admins: TestPerson[]) => {
      const kept = admins.map(({ id }) => id);
      await database
        .db('users')
        .whereRaw(`roles @> array['admin']`)
        .whereNotIn('id', kept)
        .update({ status: 'disabled' });
    };
    /** As if a change had not reached this process yet: the trigger is what tells it. */
    const demotedUnnoticed = ({ id }: TestPerson) =>
      database.db.transaction(async (trx) => {
        await trx.raw('set local session_replication_role = replica');
        await trx('users')
          .where({ id })
          .update({ roles: ['ops'] });
      });

    it('stays, for an invited one who has not come yet does not count', async () => {
      const [first, second] = [await anAdmin(), await anAdmin()];
      await alone(first, second);
      const yetToCome = await invite({ email: address(), roles: ['admin'] }, first);
      assert.deepEqual([yetToCome.status, yetToCome.body.status], [201, 'invited']);
      await demotedUnnoticed(second);
      for (const body of [{ roles: ['ops'] }, { status: 'disabled' }]) {
        const { status, body: said } = await change(first.id, body, second);
        assert.deepEqual([status, said.code], [409, 'last_admin']);
      }
    });

    it('is left over when two take each other’s role at once, ten times in ten', async () => {
      for (let round = 0; round < 10; round += 1) {
        const [first, second] = [await anAdmin(), await anAdmin()];
        await alone(first, second);
        const answers = await Promise.all([
          change(second.id, { roles: ['ops'] }, first),
          change(first.id, { status: 'disabled' }, second),
        ]);
        const refused = answers.filter(({ status }) => status !== 200).map(({ body }) => body.code);
        assert.equal(refused.length, 1, refused.join());
        // Who came so late that the log-in is over already does not get as far as the rule.
        assert.ok(['last_admin', 'unauthenticated', 'step_up_required'].includes(String(refused[0])), refused.join());
        const left = await database
          .db('users')
          .whereRaw(`roles @> array['admin']`)
          .where({ status: 'active' })
          .whereNotNull('email_verified_at');
        assert.equal(left.length, 1);
      }
    });

    it('cannot be taken out by one who has just lost the role', async () => {
      const [first, second, third] = [await anAdmin(), await anAdmin(), await anAdmin()];
      await alone(first, second, third);
      await demotedUnnoticed(second);
      const { status, body } = await change(third.id, { roles: ['ops'] }, second);
      assert.deepEqual([status, body.code], [403, 'forbidden']);
    });
  });

  describe('taking second factors away for somebody', () => {
    let admin: TestPerson;
    before(async () => {
      admin = await anAdmin();
    });
    const withApp = async (role: Role) => {
      const person = await api.person(role);
      const { body } = await api.call('/auth/mfa/totp', { as: person, body: {} });
      const code = codeOf(totpSchema.parse(body).secret);
      assert.equal((await api.call('/auth/mfa/totp/confirm', { as: person, body: { code } })).status, 200);
      return person;
    };
    const takeAway = (id: string, as: TestPerson = admin) =>
      api.call(`/admin/users/${id}/second-factors`, {
        method: 'DELETE',
        as,
        headers: { 'idempotency-key': randomUUID() },
      });

    it('leaves none, no backup code and no log-in, tells the person and is recorded', async () => {
      const person = await withApp('verifier');
      assert.equal((await takeAway(person.id)).status, 204);
      for (const table of ['second_factors', 'backup_codes']) {
        assert.deepEqual(await database.db(table).where({ user_id: person.id }), [], table);
      }
      assert.deepEqual(await database.db('sessions').where({ user_id: person.id, ended_at: null }), []);
      await eventually('the old token to be refused', async () =>
        (await api.call('/users/profile', { as: person })).status === 401 ? true : null,
      );
      const letters = await database.db('account_letters').where({ user_id: person.id }).orderBy('created_at').select();
      assert.deepEqual(letters.at(-1)?.data.change, 'removed');
      const [last] = (await eventsAbout(person.id)).toReversed();
      assert.deepEqual([last.type, last.actor_id, last.data], ['second_factor.removed', admin.id, { kinds: ['totp'] }]);
    });

    it('is refused for oneself, for somebody who has none, for nobody, and without a fresh second factor', async () => {
      const person = await withApp('examiner');
      const [self, none, nobody] = [
        await takeAway(admin.id),
        await takeAway((await api.person('owner')).id),
        await takeAway(randomUUID()),
      ];
      assert.deepEqual(
        [self, none, nobody].map(({ body }) => body.code),
        ['own_account', 'second_factor_missing', 'not_found'],
      );
      assert.equal((await takeAway(person.id, await api.person('admin'))).body.code, 'step_up_required');
      assert.equal((await takeAway(person.id, await api.person('ops'))).body.code, 'forbidden');
      assert.equal((await database.db('second_factors').where({ user_id: person.id })).length, 1);
    });
  });
});
