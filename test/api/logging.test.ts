import assert from 'node:assert/strict';
import { Client, type Connection } from '@temporalio/client';
import { pino } from 'pino';
import { createLogger, loggable } from '../../api/logging.ts';
import { Failure } from '../../domain/failures.ts';
import { someNik, someNpwp } from '../builders/sealed.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { connectToTemporal } from '../support/temporal-connection.ts';

describe('a log line of the API', () => {
  const write = (log: (logger: ReturnType<typeof createLogger>) => void): string => {
    const lines: string[] = [];
    log(createLogger('debug', { write: (text) => void lines.push(text) }));
    return lines.join();
  };

  it('holds what is on the list, at any depth, and nothing else', () => {
    const person = { email: 'sari@warung-sari.id', npwp: '0012345678901234', password: 'Rahasia-123', token: 'eyJ.x' };
    const text = write((logger) =>
      logger.info({ requestId: 'r1', ...person, subject: { address: 'Jl. Braga 1', person } }, 'x'),
    );
    for (const value of [...Object.values(person), 'Braga']) assert.ok(!text.includes(value), text);
    assert.ok(text.includes('"requestId":"r1"') && text.includes('"email":"[redacted]"'));
  });

  it('takes neither the message of an error nor values in place of %s', () => {
    for (const log of [
      (logger: ReturnType<typeof createLogger>) => logger.error(new Error('no sari@warung-sari.id')),
      (logger: ReturnType<typeof createLogger>) => logger.error({ err: new Error('no sari@warung-sari.id') }),
      (logger: ReturnType<typeof createLogger>) => logger.error(new Error('no sari@warung-sari.id'), 'it failed'),
      (logger: ReturnType<typeof createLogger>) => logger.info('hello %s', 'sari@warung-sari.id'),
      (logger: ReturnType<typeof createLogger>) => logger.info({}, 'hello %s', 'sari@warung-sari.id'),
    ])
      assert.ok(!write(log).includes('sari@'), write(log));
  });

  it('has no child loggers, whose fields would pass by the list', () => {
    assert.throws(
      () => createLogger('info', { write: () => undefined }).child({ email: 'x' }),
      /put them into each line/,
    );
  });

  it('says of an error what it is, where it came from and, of a refusal, why', () => {
    const cause = Object.assign(new Error('sari@warung-sari.id'), { code: '23505', constraint: 'users_email' });
    const text = write((logger) =>
      logger.warn({ err: loggable(new Failure('email_taken', 'Taken.', {}, { cause })) }, 'x'),
    );
    const { err } = JSON.parse(text);
    assert.deepEqual([err.type, err.code, err.message], ['Failure', 'email_taken', 'Taken.']);
    assert.deepEqual([err.cause.code, err.cause.constraint, err.cause.message], ['23505', 'users_email', undefined]);
    assert.match(err.stack, /^ {4}at /);
  });

  it('costs a request next to nothing', () => {
    const fields = {
      requestId: 'r1',
      method: 'GET',
      pattern: '/api/v1/licenses/status/:id',
      status: 200,
      ms: 1.2,
      userId: 'u',
    };
    const nowhere = { write: () => undefined };
    const time = (logger: ReturnType<typeof createLogger>): number => {
      const startedAt = performance.now();
      for (let index = 0; index < 20_000; index += 1) logger.info(fields, 'request');
      return (performance.now() - startedAt) / 20;
    };
    const [ours, plain] = [createLogger('info', nowhere), pino({ level: 'info' }, nowhere)];
    // Both once before, so that neither pays for being compiled; then the better of three, for the machine has other work.
    for (const logger of [ours, plain]) time(logger);
    const least = (logger: typeof ours) => Math.min(...[1, 2, 3].map(() => time(logger)));
    const extra = least(ours) - least(plain);
    assert.ok(extra < 15, `${extra.toFixed(1)} µs more a line than pino alone`);
  });
});

describe('the log of people who use the API', () => {
  let database: TestDatabase;
  let api: TestApi;
  let connection: Connection;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    connection = await connectToTemporal((await temporal()).address);
    api = await startApi(database, { temporal: new Client({ connection }) });
  });
  after(async () => {
    await api?.close();
    await connection?.close();
    await database?.drop();
  });

  it('does not tell who they are, also when a statement fails on what they sent', async () => {
    const [email, name, npwp, nik] = ['sari.dewi@warung-sari.id', 'Sari Dewi Lestari', someNpwp(), someNik()];
    const password = 'Rahasia-sekali-123';
    await api.call('/auth/register', { body: { email, name, password } });
    const login = await api.call('/auth/login', { body: { email, password } });
    await api.call('/auth/login', { body: { email, password: `${password}!` } });
    const owner = await api.person('owner');
    const company = { name, legalForm: 'CV', npwp, address: 'Jl. Kenanga 77', kbli: ['56101'] };
    assert.equal((await api.call('/users/companies', { as: owner, body: company })).status, 201);
    assert.equal((await api.call('/users/companies', { as: owner, body: company })).status, 409);
    const profile = { method: 'PUT', as: owner, body: { name, locale: 'id', nik } };
    assert.equal((await api.call('/users/profile', profile)).status, 200);
    // PostgreSQL quotes the failing row, with all that is in it.
    await database.db.raw("alter table users add constraint nobody check (name <> 'Sari Dewi Lestari') not valid");
    const failed = await api.call('/users/profile', { ...profile, body: { name, locale: 'en', nik: null } });
    assert.equal(failed.status, 500);

    const lines = api.log.join('');
    assert.ok(lines.includes('"code":"23514"') && lines.includes('"constraint":"nobody"'), 'the failure is there');
    assert.ok(lines.includes('"pattern":"/api/v1/auth/register"'));
    for (const value of [
      email,
      'sari.dewi',
      name,
      npwp,
      nik,
      password,
      company.address,
      owner.token,
      login.body['accessToken'],
    ])
      if (typeof value === 'string') assert.ok(!lines.includes(value), value);
  });
});
