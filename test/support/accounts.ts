/** People who registered over the API, and the letters that were written to them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createLink } from '../../db/link-tokens.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { type AccountLetter, LINK_OF_LETTER } from '../../domain/mail.ts';
import type { Called, TestApi } from './api.ts';

export const PASSWORD = 'Kopi-Tubruk-42';

export interface Account {
  readonly email: string;
  readonly id: UserId;
}

export async function newAccount(api: TestApi, password = PASSWORD): Promise<Account> {
  const email = `${randomUUID()}@example.id`;
  const { status, body } = await api.call('/auth/register', { body: { email, password, name: 'Sari' } });
  assert.equal(status, 201);
  return { email, id: asId<UserId>(String(body.id)) };
}

export interface LogInFrom {
  readonly password?: string;
  readonly deviceToken?: unknown;
  /** An IP address; the API must trust one proxy. */
  readonly from?: string;
  readonly userAgent?: string;
}

export const logIn = (
  api: TestApi,
  email: string,
  { password = PASSWORD, deviceToken, from, userAgent }: LogInFrom = {},
): Promise<Called> =>
  api.call('/auth/login', {
    body: { email, password, ...(deviceToken === undefined ? {} : { deviceToken }) },
    headers: {
      ...(from === undefined ? {} : { 'x-forwarded-for': from }),
      ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
    },
  });

export const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` });

/** What was written to a person, in order. */
export const lettersTo = (api: TestApi, id: UserId): Promise<string[]> =>
  api.deps.db('account_letters').where({ user_id: id }).orderBy('created_at').pluck('template');

/** The token in the newest letter of this kind, as its workflow would make it. */
export async function tokenInLetter(api: TestApi, userId: UserId, template: AccountLetter): Promise<string> {
  const purpose = LINK_OF_LETTER[template];
  const letter: { id: string; created_at: Date } | undefined = await api.deps
    .db('account_letters')
    .where({ template })
    .modify((query) => {
      // A reset's letter goes to an address, not to an account.
      if (template !== 'password_reset') query.where({ user_id: userId });
    })
    .orderBy('created_at', 'desc')
    .first('id', 'created_at');
  assert.ok(purpose && letter, `there is no letter ${template} with a link`);
  const link = { id: letter.id, purpose, userId, subjectId: null, createdAt: letter.created_at };
  return (await createLink(api.deps.db, api.deps.secretKey, link)).token;
}

interface StoredEvent {
  readonly type: string;
  readonly subject: string | null;
  readonly actor_id: string | null;
  readonly address: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events about an account, oldest first. */
export const eventsAbout = (api: TestApi, subject: string): Promise<StoredEvent[]> =>
  api.deps.db('events').where({ subject }).orderBy('id').select('type', 'subject', 'actor_id', 'address', 'data');
