/** People with passwords and second factors, and what they do with them at a real API. */
import assert from 'node:assert/strict';
import { generateSync } from 'otplib';
import { z } from 'zod';
import { hashPassword } from '../../api/passwords.ts';
import { sentCode } from '../../db/one-time-secrets.ts';
import type { Role } from '../../domain/roles.ts';
import type { SentKind } from '../../domain/second-factors.ts';
import { type Called, OPEN_ACCESS, startApi, type TestApi, type TestPerson } from './api.ts';
import { createTestDatabase } from './database.ts';

export const PASSWORD = 'Kopi-Tubruk-42';
export const challengeSchema = z.object({
  mfaRequired: z.literal(true),
  mfaToken: z.string(),
  methods: z.array(z.string()),
});
export const tokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string(), deviceToken: z.string() });
export const totpSchema = z.object({ secret: z.string(), otpauthUrl: z.string(), qrSvg: z.string() });
export const codesSchema = z.object({ backupCodes: z.array(z.string()) });

/** The code of an authenticator app. @param steps of 30 seconds from now */
export const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + 30 * steps });

/** Six digits that no step around now has. */
export function wrongCodeOf(secret: string): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps));
  const wrong = ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code));
  assert.ok(wrong);
  return wrong;
}

export const refused = ({ status, body }: Called, wanted: number, code: string): void =>
  assert.deepEqual({ status, code: body['code'] }, { status: wanted, code }, JSON.stringify(body));

export type SecondFactorTests = Awaited<ReturnType<typeof startSecondFactorTests>>;

/** Close it in `after`. `strict` is the API of an office that requires a second factor of its staff. */
export async function startSecondFactorTests() {
  const database = await createTestDatabase();
  const { db } = database;
  const api = await startApi(database);
  const strict = await startApi(database, { access: { ...OPEN_ACCESS, staffSecondFactor: 'required' } });
  const passwordHash = await hashPassword(PASSWORD);

  const personWithPassword = async (role: Role = 'owner') => {
    const person = await api.person(role);
    await db('users').where({ id: person.id }).update({ password_hash: passwordHash });
    return person;
  };
  /** Instead of waiting for half a minute until the app shows another code. */
  const forgetSteps = ({ id }: TestPerson) => db('second_factors').where({ user_id: id }).update({ last_step: null });
  const setUpTotp = async (person: TestPerson) => {
    const { secret } = totpSchema.parse((await api.call('/auth/mfa/totp', { as: person, body: {} })).body);
    const confirmed = await api.call('/auth/mfa/totp/confirm', { as: person, body: { code: codeOf(secret) } });
    assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
    await forgetSteps(person);
    return { secret, ...codesSchema.parse(confirmed.body) };
  };
  const lastCode = async (person: TestPerson, kind: SentKind): Promise<string> => {
    const newest = db('sent_codes').where({ user_id: person.id, kind }).orderBy('created_at', 'desc');
    const { id }: { id: string } = await newest.first('id');
    return sentCode(api.deps.secretKey, id);
  };
  const logIn = (person: TestPerson, on = api, more = {}) =>
    on.call('/auth/login', { body: { email: person.email, password: PASSWORD, ...more } });

  return {
    database,
    api,
    strict,
    personWithPassword,
    forgetSteps,
    setUpTotp,
    lastCode,
    logIn,
    withTotp: async (role: Role = 'owner') => {
      const person = await personWithPassword(role);
      return { person, ...(await setUpTotp(person)) };
    },
    setUpEmail: async (person: TestPerson) => {
      assert.equal((await api.call('/auth/mfa/email', { as: person, body: {} })).status, 200);
      const code = await lastCode(person, 'email');
      const confirmed = await api.call('/auth/mfa/email/confirm', { as: person, body: { code } });
      assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
      return codesSchema.parse(confirmed.body);
    },
    /** As if an hour had passed since the last code was sent. */
    forgetSends: ({ id }: TestPerson) => db('sent_codes').where({ user_id: id }).delete(),
    /** Makes the second factor of this log-in as old as eleven minutes. */
    age: ({ sessionId }: TestPerson) =>
      db('sessions')
        .where({ id: sessionId })
        .update({ second_factor_at: new Date(Date.now() - 11 * 60_000) }),
    challenge: async (person: TestPerson) => {
      const { status, body } = await logIn(person);
      assert.equal(status, 200);
      return challengeSchema.parse(body).mfaToken;
    },
    give: (mfaToken: string, code: string, more = {}) =>
      api.call('/auth/login/mfa', { body: { mfaToken, code, ...more } }),
    stepUp: (person: TestPerson, code: string) => api.call('/auth/step-up', { as: person, body: { code } }),
    remove: (person: TestPerson, kind: string) => api.call(`/auth/mfa/${kind}`, { as: person, method: 'DELETE' }),
    /** The same log-in at an API that signs with another key. */
    tokenFor: async (on: TestApi, person: TestPerson): Promise<TestPerson> => {
      const { roles } = await db('users').where({ id: person.id }).first('roles');
      const token = await on.deps.tokens.issue({ userId: person.id, roles, sessionId: person.sessionId });
      return { ...person, token, headers: { authorization: `Bearer ${token}` } };
    },
    eventsOf: ({ id }: TestPerson, type: string) =>
      db('events')
        .where({ subject: `user/${id}`, type })
        .orderBy('id')
        .select('actor_id', 'address', 'data'),
    lettersOf: async ({ id }: TestPerson, template: string): Promise<Record<string, unknown>[]> =>
      db('account_letters').where({ user_id: id, template }).orderBy('created_at').pluck('data'),
    close: async () => {
      await strict.close();
      await api.close();
      await database.drop();
    },
  };
}
