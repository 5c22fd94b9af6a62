/** Slow because it needs a process of its own and enough reads to tell a percentile. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { hashPassword } from '../../api/passwords.ts';
import { createAccessTokens } from '../../api/tokens.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { freePorts } from '../../local/ports.ts';
import { aCompany, aLicenseType, anApplication } from '../builders/licensing.ts';
import { newPrivateKey, testSession } from '../support/api.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const LOG_INS = 200;
const PASSWORD = 'Kopi-Tubruk-42';
const READ_EVERY_MS = 10;
const QUIET_MS = 4_000;
const ROUNDS = 3;
const REPOSITORY = join(import.meta.dirname, '../..');

/** In a thread of its own: what it costs to send so much at once must not be taken for slow answers. */
const CROWD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { request } = require('node:http');
  const { url, emails, password } = workerData;
  const logIn = (email) => new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    request(url, { method: 'POST', headers, agent: false }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    }).once('error', reject).end(JSON.stringify({ email, password }));
  });
  Promise.all(emails.map(logIn)).then((statuses) => parentPort.postMessage(statuses));
`;

describe('two hundred log-ins at once', function () {
  this.timeout(300_000);
  const agent = new Agent({ keepAlive: true });
  let database: TestDatabase;
  let api: ChildProcess;
  let url: string;
  let reader: { path: string; token: string };

  before(async () => {
    database = await createTestDatabase();
    const [port = 0] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    const privateKeyPem = newPrivateKey();
    api = startProcess(port, privateKeyPem);
    await eventually('the API answers', async () => (await fetch(`${url}/health/live`).catch(() => null))?.ok);
    const id = asId<UserId>(randomUUID());
    await addPeople([id], null);
    const tokens = await createAccessTokens({ privateKeyPem, publicUrl: url });
    const [companyId, type] = [await aCompany(database.db, id), await aLicenseType(database.db)];
    const application = await anApplication(database.db, { companyId, type, applicantId: id, state: 'approval' });
    const token = await tokens.issue({ userId: id, roles: ['owner'], sessionId: await testSession(database.db, id) });
    reader = { path: `/api/v1/licenses/status/${application}`, token };
  });
  after(async () => {
    agent.destroy();
    const exit = once(api, 'exit');
    api.kill('SIGKILL');
    await exit;
    await database.drop();
  });

  function startProcess(port: number, signingKey: string): ChildProcess {
    const env = {
      PATH: process.env['PATH'],
      ALUR_MODE: 'test',
      ALUR_LOG_LEVEL: 'warn',
      ALUR_API_PORT: String(port),
      ALUR_PUBLIC_URL: url,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      SMTP_URL: 'smtp://127.0.0.1:1',
      ALUR_FILES_DIR: '/nonexistent/files',
      MIDTRANS_SERVER_KEY: 'SB-Mid-server-test',
      ALUR_JWT_PRIVATE_KEY: signingKey,
      ALUR_AUDIT_PRIVATE_KEY: newPrivateKey(),
      ALUR_SECRET_KEY: PERSONAL_DATA_KEY.toString('base64'),
      ALUR_PERSONAL_DATA_KEY: PERSONAL_DATA_KEY.toString('base64'),
      ALUR_SIGNER_KEY_FILE: '/nonexistent/key.pem',
      ALUR_SIGNER_CERTIFICATE_FILE: '/nonexistent/certificate.pem',
      ALUR_REQUESTS_PER_MINUTE: '1000000',
    };
    return spawn(process.execPath, ['--import=tsx', 'api/main.ts'], { cwd: REPOSITORY, env, stdio: 'ignore' });
  }

  const emailOf = (id: string) => `${id}@example.id`;
  const addPeople = (ids: readonly string[], passwordHash: string | null) =>
    database.db('users').insert(
      ids.map((id) => ({
        id,
        email: emailOf(id),
        name: 'Sari',
        roles: ['owner'],
        password_hash: passwordHash,
        email_verified_at: new Date(),
      })),
    );

  const read = () =>
    new Promise<{ status: number; ms: number }>((resolve, reject) => {
      const startedAt = performance.now();
      const headers = { authorization: `Bearer ${reader.token}` };
      request(`${url}${reader.path}`, { headers, agent }, (answer) => {
        answer
          .resume()
          .once('end', () => resolve({ status: answer.statusCode ?? 0, ms: performance.now() - startedAt }));
      })
        .once('error', reject)
        .end();
    });

  /** Reads at a steady pace, whether the answers come or not, until `until` is settled. @returns p95 in milliseconds */
  async function readUntil(until: Promise<unknown>): Promise<number> {
    let goesOn = true;
    void until.finally(() => {
      goesOn = false;
    });
    const reads: ReturnType<typeof read>[] = [];
    for (; goesOn; await delay(READ_EVERY_MS)) reads.push(read());
    const answers = await Promise.all(reads);
    assert.ok(answers.every(({ status }) => status === 200));
    const times = answers.map(({ ms }) => ms).toSorted((a, b) => a - b);
    return times[Math.floor(times.length * 0.95)] ?? Number.NaN;
  }

  async function storm(): Promise<number[]> {
    const ids = Array.from({ length: LOG_INS }, () => randomUUID());
    await addPeople(ids, await hashPassword(PASSWORD));
    const order = { url: `${url}/api/v1/auth/login`, emails: ids.map(emailOf), password: PASSWORD };
    const crowd = new Worker(CROWD, { eval: true, workerData: order });
    const [statuses]: unknown[] = await once(crowd, 'message');
    return z.array(z.number()).parse(statuses);
  }

  it('leave status reads under twice their normal p95', async () => {
    await readUntil(delay(2_000));
    await Promise.all([storm(), readUntil(delay(2_000))]);
    const rounds: { quiet: number; stormy: number; seconds: number }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const quiet = await readUntil(delay(QUIET_MS));
      const startedAt = performance.now();
      const logIns = storm();
      const stormy = await readUntil(logIns);
      assert.deepEqual(new Set(await logIns), new Set([200]));
      rounds.push({ quiet, stormy, seconds: (performance.now() - startedAt) / 1000 });
    }
    const told = rounds
      .map(({ quiet, stormy, seconds }) => `${quiet.toFixed(1)} → ${stormy.toFixed(1)} ms, ${seconds.toFixed(1)} s`)
      .join('; ');
    process.stderr.write(`      p95 of status reads, quiet → storm, and its length: ${told}\n`);
    // Other programs use the machine too: the rounds in which they did so least are the ones that tell of ours.
    const least = (of: 'quiet' | 'stormy') => Math.min(...rounds.map((round) => round[of]));
    assert.ok(least('stormy') < 2 * least('quiet'), told);
  });
});
