import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { bearer, eventsAbout, lettersTo, logIn, newAccount, PASSWORD, tokenInLetter } from '../support/accounts.ts';
import { type Called, startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const HOME = '203.0.113.7';
/** The same /24 as home. */
const NEXT_DOOR = '203.0.113.99';

describe('wrong passwords', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, { trustedProxies: 1 });
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  let lines = 0;
  /** An address in a network of its own, that nobody came from before. */
  const newLine = () => {
    lines += 1;
    return `198.18.${lines}.1`;
  };
  const guess = (email: string, from: string, deviceToken?: unknown) =>
    logIn(api, email, { password: 'wrong', from, deviceToken });
  const lockFrom = async (email: string, from: string, deviceToken?: unknown) => {
    for (let time = 0; time < 5; time += 1) {
      const { body } = await guess(email, from, deviceToken);
      assert.equal(body.code, 'invalid_credentials');
    }
  };
  const told = ({ status, headers, body: { code, title, detail } }: Called) => {
    return { status, code, title, detail, waits: Number(headers.get('retry-after')) > 0 };
  };
  const counts = (from: string) => database.db('rate_limits').where('key', 'like', `login_line:${from}%`);

  it('make the account wait after the fifth: the right one is refused too, for 15 minutes', async () => {
    const { email } = await newAccount(api);
    await lockFrom(email, newLine());
    const answer = await logIn(api, email, { from: newLine() });
    assert.deepEqual([answer.status, answer.body.code], [429, 'account_locked']);
    const seconds = Number(answer.headers.get('retry-after'));
    assert.ok(seconds > 890 && seconds <= 900, `${seconds} s`);
    await database.db('login_locks').update({ locked_until: new Date() });
    assert.equal((await logIn(api, email, { from: newLine() })).status, 200);
  });

  it('are answered alike where nobody has the address', async () => {
    const { email } = await newAccount(api);
    const [nobody, line] = [`${randomUUID()}@example.id`, newLine()];
    for (let time = 0; time < 6; time += 1) {
      assert.deepEqual(told(await guess(nobody, line)), told(await guess(email, line)), `attempt ${time + 1}`);
    }
  });

  it('are not even looked at while the account waits', async () => {
    const { email } = await newAccount(api);
    const line = newLine();
    const timed = async () => {
      const startedAt = performance.now();
      await guess(email, line);
      return performance.now() - startedAt;
    };
    const looking: number[] = [];
    for (let time = 0; time < 5; time += 1) looking.push(await timed());
    const waiting: number[] = [];
    for (let time = 0; time < 10; time += 1) waiting.push(await timed());
    assert.ok(Math.min(...waiting) < Math.min(...looking) / 2, `looking ${looking} ms, waiting ${waiting} ms`);
  });

  it('fifty at once get five answers', async () => {
    const { email, id } = await newAccount(api);
    const line = newLine();
    const answers = await Promise.all(Array.from({ length: 50 }, () => guess(email, line)));
    const codes = answers.map(({ body }) => body.code);
    assert.equal(codes.filter((code) => code === 'invalid_credentials').length, 5);
    assert.equal(codes.filter((code) => code === 'account_locked').length, 45);
    assert.deepEqual(await lettersTo(api, id), ['verify_email', 'account_locked']);
  });

  it('from elsewhere keep the owner out neither at home nor with a known device', async () => {
    const { email } = await newAccount(api);
    const { deviceToken } = (await logIn(api, email, { from: HOME })).body;
    await lockFrom(email, newLine());
    assert.equal((await logIn(api, email, { from: newLine() })).status, 429);
    assert.equal((await logIn(api, email, { from: NEXT_DOOR })).status, 200);
    assert.equal((await logIn(api, email, { from: newLine(), deviceToken })).status, 200);
  });

  it('of a neighbour keep out the neighbourhood, but not a known device', async () => {
    const { email } = await newAccount(api);
    const { deviceToken } = (await logIn(api, email, { from: HOME })).body;
    await lockFrom(email, NEXT_DOOR);
    assert.equal((await logIn(api, email, { from: HOME })).status, 429);
    assert.equal((await logIn(api, email, { from: HOME, deviceToken })).status, 200);
  });

  it('on a device that was forgotten count like those of a stranger', async () => {
    const { email } = await newAccount(api);
    const { accessToken, deviceToken } = (await logIn(api, email, { from: HOME })).body;
    const headers = bearer(accessToken);
    const { body } = await api.call('/auth/devices', { headers });
    assert.ok(Array.isArray(body.items));
    assert.equal((await api.call(`/auth/devices/${body.items[0].id}`, { method: 'DELETE', headers })).status, 204);
    await lockFrom(email, newLine());
    assert.equal((await logIn(api, email, { from: HOME, deviceToken })).status, 429);
  });

  it('are forgotten with the right one', async () => {
    const { email } = await newAccount(api);
    const line = newLine();
    for (let round = 0; round < 2; round += 1) {
      for (let time = 0; time < 4; time += 1) await guess(email, line);
      assert.equal((await logIn(api, email, { from: line })).status, 200);
    }
  });

  it('are told by a letter once a lock, whose link opens the account even while the guessing goes on', async () => {
    const { email, id } = await newAccount(api);
    const line = newLine();
    await lockFrom(email, line);
    await guess(email, line);
    assert.deepEqual(await lettersTo(api, id), ['verify_email', 'account_locked']);
    const token = await tokenInLetter(api, id, 'account_locked');
    const unlock = () => api.call('/auth/unlock', { body: { token }, headers: { 'x-forwarded-for': newLine() } });
    const unlocked = await unlock();
    assert.equal(unlocked.status, 200);
    assert.equal(unlocked.headers.get('cache-control'), 'no-store');
    assert.equal((await logIn(api, email, { from: newLine(), password: 'wrong' })).status, 401, 'the lock is lifted');
    // The guesser locks it again; the device that was given in stays known.
    for (let time = 0; time < 5; time += 1) await guess(email, line);
    assert.equal((await logIn(api, email, { from: newLine() })).status, 429);
    const owner = await logIn(api, email, { from: newLine(), deviceToken: unlocked.body.deviceToken });
    assert.equal(owner.status, 200);
    assert.deepEqual(told(await unlock()).code, 'link_not_valid');
    assert.deepEqual(await lettersTo(api, id), ['verify_email', 'account_locked', 'account_locked']);
  });

  it('are events about the account, with the address and without the e-mail', async () => {
    const { email, id } = await newAccount(api);
    const line = newLine();
    await lockFrom(email, line);
    await guess(email, line);
    const events = await eventsAbout(api, `user/${id}`);
    const types = events.map(({ type }) => type);
    assert.deepEqual(types, ['user.registered', ...Array(5).fill('login.failed'), 'login.locked', 'login.failed']);
    assert.deepEqual(events[1]?.data, { method: 'password', reason: 'credentials', from: 'unknown' });
    assert.equal(events.at(-1)?.data.reason, 'locked');
    assert.deepEqual([events[1]?.address, events[1]?.actor_id], [line, null]);
    assert.ok(!JSON.stringify(events).includes(email));
    await guess(`${randomUUID()}@example.id`, newLine());
    const last = await database.db('events').where({ type: 'login.failed' }).orderBy('id', 'desc').first();
    assert.equal(last.subject, null);
  });

  it('at many accounts slow the address down, longer each time; nobody else waits, and successes do not count', async () => {
    const line = newLine();
    const { email } = await newAccount(api);
    const { deviceToken } = (await logIn(api, email, { from: line })).body;
    const failAtMany = (times: number) =>
      Promise.all(Array.from({ length: times }, () => guess(`${randomUUID()}@example.id`, line)));
    await failAtMany(29);
    for (let time = 0; time < 3; time += 1) assert.equal((await logIn(api, email, { from: line })).status, 200);
    await failAtMany(1);
    const slowed = await logIn(api, email, { from: line });
    assert.deepEqual(told(slowed).code, 'rate_limited');
    assert.ok(Number(slowed.headers.get('retry-after')) <= 60);
    assert.equal((await logIn(api, email, { from: newLine() })).status, 200, 'somebody elsewhere');
    assert.equal((await logIn(api, email, { from: line, deviceToken })).status, 200, 'a known device there');
    await counts(line).update({ expire: Date.now() });
    assert.equal((await logIn(api, email, { from: line })).status, 200, 'after the wait');
    await failAtMany(30);
    const again = Number((await logIn(api, email, { from: line })).headers.get('retry-after'));
    assert.ok(again > 110 && again <= 120, `${again} s`);
  });

  it('do not add up to the lines of a whole /64', async () => {
    const failFrom = (host: number) => guess(`${randomUUID()}@example.id`, `2001:db8:7:1::${host}`);
    await Promise.all(Array.from({ length: 30 }, (_, host) => failFrom(host + 1)));
    assert.equal((await failFrom(99)).body.code, 'rate_limited');
    const nextLine = await guess(`${randomUUID()}@example.id`, '2001:db8:7:2::1');
    assert.equal(nextLine.body.code, 'invalid_credentials');
  });

  it('that are right, twenty at once, all get in', async () => {
    const { email } = await newAccount(api);
    const line = newLine();
    const answers = await Promise.all(Array.from({ length: 20 }, () => logIn(api, email, { from: line })));
    assert.ok(answers.every(({ status }) => status === 200));
    const open = await database.db('sessions').join('users', 'users.id', 'user_id').where({ email, ended_at: null });
    assert.equal(open.length, 5);
  });

  it('given with a session count too: who found an open browser does not learn the password', async () => {
    const { email } = await newAccount(api);
    const { accessToken } = (await logIn(api, email, { from: HOME })).body;
    const change = (currentPassword: string) =>
      api.call('/auth/password/change', {
        body: { currentPassword, newPassword: 'Teh-Botol-Dingin-9' },
        headers: { ...bearer(accessToken), 'x-forwarded-for': HOME },
      });
    for (let time = 0; time < 5; time += 1) assert.equal((await change('wrong')).body.code, 'wrong_password');
    assert.equal((await change(PASSWORD)).body.code, 'account_locked');
  });
});
