import { z } from 'zod';
import { listAccounts } from '../../db/staff-accounts.ts';
import { admit } from '../login.ts';
import { page, readCursor } from '../paging.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import { account, accountChange, accountQuery, accounts, joining, newAccount } from '../schemas/admin-users.ts';
import { userIdSchema } from '../schemas/ids.ts';
import { tokens } from '../schemas/people.ts';
import {
  accountJson,
  accountOf,
  accountTag,
  changeAccount,
  inviteAccount,
  inviteAgain,
  joinStaff,
  resetSecondFactors,
} from '../staff-accounts.ts';

const params = z.object({ id: userIdSchema });
const tags = ['Admin'];
const permission = 'user.manage';
const position = z.object({ at: z.iso.datetime(), id: z.guid() });

const list = defineRoute({
  method: 'get',
  path: '/admin/users',
  summary: 'Accounts, newest first',
  tags,
  permission,
  query: accountQuery,
  responses: { 200: { description: 'A page of accounts', schema: accounts } },
  async handler({ query: { limit, cursor, ...filter }, deps }) {
    const after = readCursor(cursor, position);
    const rows = await listAccounts(deps.db, { ...filter, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, accountJson, ({ createdAtExactly, id }) => ({ at: createdAtExactly, id })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/admin/users/:id',
  summary: 'An account',
  tags,
  permission,
  params,
  responses: { 200: { description: 'The account', schema: account } },
  async handler({ params: { id }, deps }) {
    const found = await accountOf(deps, id);
    return json(200, accountJson(found), { etag: accountTag(found) });
  },
});

const invite = defineRoute({
  method: 'post',
  path: '/admin/users',
  summary: 'Invite somebody: an account without a password, and a letter with a link that sets one',
  description: 'The link holds for 7 days. `owner` and `integrator` go with no other role.',
  tags,
  permission,
  stepUp: true,
  body: newAccount,
  problems: ['email_taken', 'step_up_required'],
  responses: { 201: { description: 'The account, invited', schema: account } },
  async handler({ body, actor, origin, locale, deps, requestKey }) {
    const added = await inviteAccount(deps, body, { by: actor.userId, origin, locale, requestKey });
    const headers = { Location: `/api/v1/admin/users/${added.id}` };
    return json(201, accountJson(added), { etag: accountTag(added), headers });
  },
});

const inviteOnceMore = defineRoute({
  method: 'post',
  path: '/admin/users/:id/invite',
  summary: 'Send the invitation again',
  description: 'The link of the letter before is void from now on.',
  tags,
  permission,
  params,
  problems: ['not_invited'],
  responses: { 204: { description: 'A new letter is on its way' } },
  async handler({ params: { id }, actor, origin, locale, deps, requestKey }) {
    await inviteAgain(deps, id, { by: actor.userId, origin, locale, requestKey });
    return noContent();
  },
});

const resetFactors = defineRoute({
  method: 'delete',
  path: '/admin/users/:id/second-factors',
  summary: 'Take the second factors of an account away: for a lost telephone',
  description: 'Ends its log-ins and tells the person. Make sure by other means who is asking.',
  tags,
  permission,
  stepUp: true,
  params,
  problems: ['own_account', 'second_factor_missing', 'step_up_required'],
  responses: { 204: { description: 'Gone; the next log-in asks for none' } },
  async handler({ params: { id }, actor, origin, locale, deps, requestKey }) {
    await resetSecondFactors(deps, id, { by: actor.userId, origin, locale, requestKey });
    return noContent();
  },
});

const change = defineRoute({
  method: 'put',
  path: '/admin/users/:id',
  summary: 'Change name, roles or status of an account',
  description:
    'What is not sent stays. Other roles, or `disabled`, end all its log-ins within seconds. Nobody changes roles or ' +
    'status of their own account, and one active administrator always stays. With `If-Match`, only if nobody has ' +
    'changed it since it was read.',
  tags,
  permission,
  stepUp: true,
  params,
  body: accountChange,
  problems: ['own_account', 'last_admin', 'precondition_failed', 'step_up_required'],
  responses: { 200: { description: 'The account as it is now', schema: account } },
  async handler({ params: { id }, body, actor, origin, locale, deps, requestKey, req }) {
    const wanted = { ...body, id, ifMatch: req.headers['if-match'] };
    const changed = await changeAccount(deps, wanted, { by: actor.userId, origin, locale, requestKey });
    return json(200, accountJson(changed), { etag: accountTag(changed) });
  },
});

const join = defineRoute({
  method: 'post',
  path: '/auth/join',
  summary: 'Take an invited account up: the link of the letter sets its password, and logs in',
  description: 'The link holds for 7 days and counts once. Without `name`, the person is called as the invitation did.',
  tags: ['Auth'],
  permission: 'public',
  limit: 'reset',
  idempotent: false,
  body: joining,
  problems: ['link_not_valid', 'weak_password', 'temporarily_unavailable'],
  responses: { 200: { description: 'An access token for 15 minutes and a refresh token', schema: tokens } },
  async handler({ body, origin, locale, deps, req }) {
    const user = await joinStaff(deps, body, origin, locale);
    const userAgent = req.get('user-agent');
    const login = { method: 'invitation', origin, userAgent, secondFactorAt: null, locale } as const;
    return json(200, await admit(deps, user, login), { headers: { 'Cache-Control': 'no-store' } });
  },
});

export const adminUserRoutes: readonly Route[] = [list, read, invite, inviteOnceMore, change, resetFactors, join];
