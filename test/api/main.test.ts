import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAccessTokens } from '../../api/tokens.ts';
import type { UserId } from '../../domain/ids.ts';
import { freePorts } from '../../local/ports.ts';
import { aCompany, aLicenseType, anApplication, aUser } from '../builders/licensing.ts';
import { newPrivateKey, testSession } from '../support/api.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

describe('the process of the API', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let settings: Record<string, string>;
  const started: ReturnType<typeof start>[] = [];

  before(async () => {
    database = await createTestDatabase();
    const [port = 0] = await freePorts(1);
    settings = {
      ALUR_MODE: 'test',
      ALUR_API_PORT: String(port),
      ALUR_PUBLIC_URL: `http://127.0.0.1:${port}`,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      SMTP_URL: 'smtp://127.0.0.1:1',
      ALUR_FILES_DIR: '/nonexistent/files',
      MIDTRANS_SERVER_KEY: 'SB-Mid-server-test',
      ALUR_JWT_PRIVATE_KEY: newPrivateKey(),
      ALUR_AUDIT_PRIVATE_KEY: newPrivateKey(),
      ALUR_SECRET_KEY: PERSONAL_DATA_KEY.toString('base64'),
      ALUR_PERSONAL_DATA_KEY: PERSONAL_DATA_KEY.toString('base64'),
      ALUR_SIGNER_KEY_FILE: '/nonexistent/key.pem',
      ALUR_SIGNER_CERTIFICATE_FILE: '/nonexistent/certificate.pem',
      ALUR_SHUTDOWN_GRACE_SECONDS: '10',
    };
  });
  afterEach(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.splice(0).map(({ exit }) => exit));
  });
  after(() => database.drop());

  const start = (
    env: Record<string, string>,
  ): { child: ChildProcess; exit: Promise<{ code: unknown; errors: string }> } => {
    const child = spawn(process.execPath, ['--import=tsx', 'api/main.ts'], {
      cwd: REPOSITORY,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const exit = once(child, 'exit').then(([code]: unknown[]) => ({ code, errors: Buffer.concat(errors).toString() }));
    started.push({ child, exit });
    return { child, exit };
  };

  const alive = async () => {
    for (;;) {
      const answer = await fetch(`${settings['ALUR_PUBLIC_URL']}/health/live`).catch(() => undefined);
      if (answer?.ok) return;
      await delay(50);
    }
  };

  it('says in sentences which settings are missing, and exits with 1', async () => {
    const { code, errors } = await start({ ...settings, DATABASE_URL: '' }).exit;
    assert.deepEqual([code, errors], [1, 'DATABASE_URL is not set; it must be a URL starting with postgres://.\n']);
  });

  it('names port and variable when the port is taken', async () => {
    start(settings);
    await alive();
    const { code, errors } = await start(settings).exit;
    const port = settings['ALUR_API_PORT'];
    assert.deepEqual(
      [code, errors],
      [1, `Port ${port} is taken; stop what listens there, or set ALUR_API_PORT to another.\n`],
    );
  });

  it('says that it is about to stop, answers everybody who is in, and exits with 0 long before its grace is over', async () => {
    const { child, exit } = start(settings);
    await alive();
    const held = await database.db.transaction();
    await held.raw('lock table users in exclusive mode');
    const answers = Promise.all(Array.from({ length: 8 }, (_, index) => register(index)));
    try {
      await waiting(8);
      child.kill('SIGTERM');
      assert.deepEqual(await readiness(), [503, 'refused']);
    } finally {
      await held.rollback();
    }
    const stoppedAt = performance.now();
    assert.deepEqual(
      (await answers).map(({ status }) => status),
      Array.from({ length: 8 }, () => 201),
    );
    assert.equal((await exit).code, 0);
    assert.ok(performance.now() - stoppedAt < 5_000, 'connections that have nothing more to say do not hold it up');
  });

  it('lets go at once who waits for a change, with what is so, and hangs up on who says nothing', async () => {
    const { child, exit } = start(settings);
    await alive();
    const owner = await aUser(database.db, 'owner');
    const companyId = await aCompany(database.db, owner);
    const type = await aLicenseType(database.db);
    const id = await anApplication(database.db, { companyId, type, applicantId: owner, state: 'draft' });
    const token = await tokenOf(owner);
    const silent = await keptAlive();
    const held = await database.db.transaction();
    await held.raw('lock table users in exclusive mode');
    try {
      const registered = register(100);
      await waiting(1);
      const polled = await poll(token, id);
      const since = performance.now();
      child.kill('SIGTERM');
      const answer = await polled.answer;
      assert.ok(performance.now() - since < 2_000, 'at once, and not after its 25 seconds');
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /"state":"draft"/);
      await silent.hungUp;
      assert.equal((await readiness()).at(-1), 'refused', 'nobody new gets in');
      await held.rollback();
      assert.equal((await registered).status, 201, 'who is in is answered');
      assert.equal((await exit).code, 0);
    } finally {
      if (!held.isCompleted()) await held.rollback();
    }
    assert.equal(await connections(), 0);
  });

  it('ends though a statement never does: what runs when the grace is over is cut off', async () => {
    const { child, exit } = start({ ...settings, ALUR_SHUTDOWN_GRACE_SECONDS: '1' });
    await alive();
    const held = await database.db.transaction();
    await held.raw('lock table users in exclusive mode');
    try {
      const cutOff = assert.rejects(register(200));
      await waiting(1);
      child.kill('SIGTERM');
      await cutOff;
      assert.equal((await exit).code, 0);
    } finally {
      await held.rollback();
    }
  });

  /** A connection that has had an answer and says nothing more. */
  const keptAlive = async () => {
    const socket = connect(Number(settings['ALUR_API_PORT']), '127.0.0.1');
    socket.write('GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const [first] = await once(socket, 'data');
    assert.match(String(first), /^HTTP\/1\.1 200 /);
    return { hungUp: once(socket, 'close') };
  };

  const tokenOf = async (userId: UserId): Promise<string> => {
    const tokens = await createAccessTokens({
      privateKeyPem: settings['ALUR_JWT_PRIVATE_KEY'] ?? '',
      publicUrl: settings['ALUR_PUBLIC_URL'] ?? '',
    });
    return tokens.issue({ userId, roles: ['owner'], sessionId: await testSession(database.db, userId) });
  };

  /** Asks where a draft stands, and waits until the API listens for a change of it. */
  const poll = async (token: string, id: string) => {
    const url = `${settings['ALUR_PUBLIC_URL']}/api/v1/licenses/status/${id}?wait=25`;
    const answer = fetch(url, { headers: { authorization: `Bearer ${token}` } });
    while ((await connections('alur-waiting')) === 0) await delay(20);
    return { answer };
  };

  /** Of the API to the database; those of the test itself are called otherwise. */
  const connections = async (name?: string): Promise<number> => {
    const { rows } = await database.db.raw(
      `select count(*)::int as n from pg_stat_activity
        where datname = current_database() and application_name = any(:names)`,
      { names: name ? [name] : ['alur-api', 'alur-waiting'] },
    );
    return rows[0].n;
  };

  const register = (index: number) =>
    fetch(`${settings['ALUR_PUBLIC_URL']}/api/v1/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: `stop${index}@example.id`, password: 'Kopi-Tubruk-42', name: 'Sari' }),
    });

  /** Until so many statements stand at the lock. */
  const waiting = async (count: number) => {
    for (;;) {
      const { rows } = await database.db.raw(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (rows[0].n === count) return;
      await delay(20);
    }
  };

  /** What readiness said from now on until nobody answers any more, each once. */
  const readiness = async () => {
    const seen: (number | 'refused')[] = [];
    while (seen.at(-1) !== 'refused') {
      // A question that came before the signal looks for Temporal, which is away, for two seconds: ask again, not longer.
      const soon = { signal: AbortSignal.timeout(150) };
      const state = await fetch(`${settings['ALUR_PUBLIC_URL']}/health/ready`, soon).then(
        ({ status, headers }) => (headers.get('connection') === 'close' ? status : undefined),
        (error: Error) => (error.name === 'TimeoutError' ? undefined : ('refused' as const)),
      );
      if (state !== undefined && state !== seen.at(-1)) seen.push(state);
    }
    return seen;
  };
});
