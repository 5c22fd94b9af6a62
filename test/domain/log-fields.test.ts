import assert from 'node:assert/strict';
import { errorFields, loggableFields, REDACTED } from '../../domain/log-fields.ts';

const PERSONAL = {
  email: 'sari@warung-sari.id',
  npwp: '0012345678901234',
  nik: '3174031708450001',
  password: 'correct horse battery staple',
  token: 'eyJhbGciOiJFZERTQSJ9.secret',
  address: 'Jl. Braga 1, Bandung',
  name: 'Sari Dewi',
  phone: '+62 812 3456 7890',
};
const VALUES = Object.values(PERSONAL);
const told = (line: unknown): string[] => VALUES.filter((value) => JSON.stringify(line).includes(value));

describe('what may stand in a log line', () => {
  it('is what is named, as it is', () => {
    const at = new Date('2026-03-02T09:30:00Z');
    const fields = { requestId: 'r1', status: 200, ms: 1.5, cutOff: true, userId: undefined, state: null, count: 3n };
    assert.deepEqual(loggableFields({ ...fields, signal: at }), { ...fields, count: '3', signal: at });
  });

  it('is no name, number, address or secret, however deep it lies', () => {
    const nested = { ...PERSONAL, subject: { ...PERSONAL, errors: [{ ...PERSONAL, code: { ...PERSONAL } }] } };
    const line = loggableFields({ requestId: 'r1', ...nested, event: [nested, [nested]] });
    assert.deepEqual(told(line), []);
    assert.equal(line['requestId'], 'r1');
    assert.equal(line['email'], REDACTED);
    assert.ok(JSON.stringify(line).includes('"code":{"email":"[redacted]"'), 'it is gone through, not cut off');
  });

  it('is nothing that could hold one unseen: bytes, functions, what lies too deep', () => {
    const deep = { state: { state: { state: { state: { state: { state: { state: PERSONAL.email } } } } } } };
    const line = loggableFields({ ...deep, target: Buffer.from(PERSONAL.email), part: () => PERSONAL.email });
    assert.deepEqual(told(line), []);
    assert.deepEqual([line['target'], line['part']], [REDACTED, REDACTED]);
    const circle: Record<string, unknown> = {};
    circle['state'] = circle;
    assert.ok(JSON.stringify(loggableFields(circle)).includes(REDACTED));
  });

  it('is not what calls itself an error', () => {
    const line = loggableFields({ err: { type: 'Failure', message: PERSONAL.email, stack: PERSONAL.email } });
    assert.deepEqual(told(line), []);
  });
});

describe('what may be logged of an error', () => {
  const withName = (name: string, message: string, options?: ErrorOptions) =>
    Object.assign(new Error(message, options), { name });

  it('is its sentence when Alur or Temporal wrote it, and nobody’s data can be in it', () => {
    assert.equal(errorFields(withName('Failure', 'The case is closed.')).message, 'The case is closed.');
    assert.equal(errorFields(withName('ActivityFailure', 'Activity task failed')).message, 'Activity task failed');
  });

  for (const [what, error] of Object.entries({
    'a mail server that quotes the address': withName('MailError', `550 <${PERSONAL.email}> unknown`),
    'a parser that quotes what it could not read': caught(() => JSON.parse(PERSONAL.email)),
    'an error of no kind': new Error(`no such person: ${PERSONAL.name}`),
    'its cause': withName('Failure', 'Not stored.', { cause: new Error(PERSONAL.npwp) }),
    'one of several': new AggregateError([new Error(PERSONAL.nik)], PERSONAL.address),
    'its code': Object.assign(new Error('x'), { code: `no ${PERSONAL.email}`, constraint: PERSONAL.address }),
    'fields that it carries': Object.assign(withName('Failure', 'x'), { detail: PERSONAL.npwp, facts: PERSONAL }),
  }))
    it(`is not the message of ${what}`, () => {
      const fields = loggableFields({ err: error, error, cause: { errors: [error] } });
      assert.deepEqual(told(fields), []);
      assert.match(JSON.stringify(fields['err']), /"stack":" {4}at .*log-fields\.test\.ts/, 'but where it was thrown');
    });

  it('is a code of one word, and a constraint', () => {
    const error = Object.assign(new Error('duplicate key'), { code: '23505', constraint: 'users_email' });
    assert.deepEqual(
      [errorFields(error).code, errorFields(error).constraint, errorFields(error).message],
      ['23505', 'users_email', undefined],
    );
    assert.equal(errorFields(Object.assign(new Error('x'), { code: 14 })).code, '14');
  });

  it('has an end, also when an error is its own cause', () => {
    const error = new Error('x');
    error.cause = error;
    assert.ok(JSON.stringify(errorFields(error)).length < 20_000);
  });

  it('is only the type of what is no error', () => {
    assert.equal(JSON.stringify(errorFields(PERSONAL.email)), '{"type":"string"}');
  });
});

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
