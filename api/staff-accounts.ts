/** What administrators do with other people's accounts, and how an invited person takes an account up. */
import { randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { untrustDevices } from '../db/devices.ts';
import { recordEvent } from '../db/events.ts';
import { peekLinkToken, useLinkToken } from '../db/link-tokens.ts';
import { removeAllFactors } from '../db/second-factors.ts';
import { endSessionsOf } from '../db/sessions.ts';
import {
  type Account,
  activeAdmins,
  actsForACompany,
  addAccount,
  changeAccountRow,
  findAccount,
  isOffice,
  lockAccount,
  queueForAccounts,
  takeUpAccount,
  voidInvitationLinks,
} from '../db/staff-accounts.ts';
import { holdsTasksBeyond, planMove } from '../db/task-moves.ts';
import { findUser, type User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { asId, type OfficeId, type TaskMoveId, type UserId } from '../domain/ids.ts';
import { inOrder, isStaff, type Role, rolesFit } from '../domain/roles.ts';
import { dispatchLetter } from './account-letters.ts';
import type { ApiDeps } from './deps.ts';
import { etagOf, requireMatch } from './etag.ts';
import { hashPassword, refuseWeak } from './passwords.ts';
import { startTaskMoveBeside } from './people.ts';
import type { Locale } from './request.ts';
import { idFromKey } from './request-key.ts';
import { timeJson, timeOrNull } from './wire.ts';

/** What every change of an account knows of its request. */
interface Asked {
  readonly by: UserId;
  readonly origin: Origin;
  readonly locale: Locale;
  readonly requestKey: string;
}

export interface Invited {
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly locale?: Locale | undefined;
  readonly officeId?: OfficeId | undefined;
}

/**
 * Opens an account that nobody can open yet, and writes to its person: all or nothing.
 * @throws Failure `email_taken`, `invalid_request` for roles that do not fit together or an office that is not there
 */
export async function inviteAccount(deps: ApiDeps, invited: Invited, asked: Asked): Promise<Account> {
  const { by, origin, requestKey } = asked;
  const roles = fitting(invited.roles, asked.locale);
  const at = new Date();
  const id = asId<UserId>(idFromKey(requestKey, 'user'));
  const letter = idFromKey(requestKey, 'letter');
  const account = await deps.db.transaction(async (trx) => {
    const inviter = await personOf(trx, by);
    const officeId = await officeFor(trx, invited.officeId ?? inviter.officeId, asked.locale);
    const { email, name } = invited;
    const added = await addAccount(trx, { id, email, name, locale: invited.locale ?? 'id', roles, officeId, at });
    if (!added) throw new Failure('email_taken', 'There is an account with this e-mail address. Change that one.');
    await recordEvent(trx, {
      key: `user/${id}/invited/${requestKey}`,
      type: 'user.invited',
      by,
      subject: `user/${id}`,
      origin,
      data: { roles, officeId },
      at: at.toISOString(),
    });
    await writeLetter(trx, invitationLetter(letter, added, inviter.name, at));
    return added;
  });
  void dispatchLetter(deps, letter);
  return account;
}

/** @throws Failure `not_found`, `not_invited` when the account was taken up or is disabled */
export async function inviteAgain(deps: ApiDeps, id: UserId, { by, origin, requestKey }: Asked): Promise<void> {
  const at = new Date();
  const letter = idFromKey(requestKey, 'letter');
  await deps.db.transaction(async (trx) => {
    const account = await lockAccount(trx, id);
    if (!account) throw noSuchAccount();
    if (account.status !== 'invited') throw new Failure('not_invited', '');
    const inviter = await personOf(trx, by);
    await voidInvitationLinks(trx, id, at);
    await recordEvent(trx, {
      key: `user/${id}/invited/${requestKey}`,
      type: 'user.invited',
      by,
      subject: `user/${id}`,
      origin,
      data: { roles: account.roles, again: true },
      at: at.toISOString(),
    });
    await writeLetter(trx, invitationLetter(letter, account, inviter.name, at));
  });
  void dispatchLetter(deps, letter);
}

const invitationLetter = (id: string, { id: userId, roles }: Account, inviterName: string, at: Date) =>
  ({ id, template: 'join_staff', userId, data: { inviterName, roles }, at }) as const;

async function personOf(db: Knex, id: UserId): Promise<User> {
  const person = await findUser(db, id);
  if (!person) throw new Failure('unauthenticated', '');
  return person;
}

async function officeFor(db: Knex, id: OfficeId | null, locale: Locale): Promise<OfficeId | null> {
  if (id === null || (await isOffice(db, id))) return id;
  const detail = { id: 'kantor ini tidak ada', en: 'there is no such office' }[locale];
  throw new Failure('invalid_request', '', { errors: [{ pointer: '/officeId', code: 'unknown_office', detail }] });
}

function fitting(roles: readonly Role[], locale: Locale): Role[] {
  const ordered = inOrder(roles);
  if (rolesFit(ordered)) return ordered;
  throw wrongRoles('roles_do_not_fit', {
    id: 'owner dan integrator hanya berdiri sendiri; peran kantor boleh digabung',
    en: 'owner and integrator stand alone; roles of the office go together',
  })(locale);
}

const wrongRoles = (code: string, sentence: Readonly<Record<Locale, string>>) => (locale: Locale) =>
  new Failure('invalid_request', '', { errors: [{ pointer: '/roles', code, detail: sentence[locale] }] });

const actsForCompany = wrongRoles('acts_for_company', {
  id: 'akun ini mengurus perusahaan; keluarkan dahulu dari perusahaan itu, atau undang alamat lain',
  en: 'the account acts for a company; let it leave that first, or invite another address',
});

export interface AccountChange {
  readonly id: UserId;
  readonly name?: string | undefined;
  readonly roles?: readonly Role[] | undefined;
  readonly status?: 'active' | 'disabled' | undefined;
  readonly ifMatch: string | undefined;
}

type Wanted = Pick<Account, 'name' | 'roles'> & { readonly status: 'active' | 'disabled' };

/**
 * Changes name, roles or status; what is as wanted already is not touched, and an empty change does nothing. Other roles
 * and a disabled account end its log-ins, and its open tasks go to others where it may not hold them any more.
 * @throws Failure `not_found`, `precondition_failed`, `own_account`, `last_admin`, `forbidden` when the administrator has
 *   lost the role meanwhile, `invalid_request` for roles that do not fit
 */
export async function changeAccount(deps: ApiDeps, change: AccountChange, asked: Asked): Promise<Account> {
  const roles = change.roles && fitting(change.roles, asked.locale);
  const moveId = asId<TaskMoveId>(randomUUID());
  const { account, moves } = await deps.db.transaction(async (trx) => {
    await queueForAccounts(trx);
    const before = await lockAccount(trx, change.id);
    if (!before) throw noSuchAccount();
    requireMatch(versionIn(change.ifMatch), versionOf(before));
    const was: Wanted = { ...before, status: before.status === 'disabled' ? 'disabled' : 'active' };
    const wanted: Wanted = {
      name: change.name ?? was.name,
      roles: roles ?? was.roles,
      status: change.status ?? was.status,
    };
    const changed = {
      name: wanted.name !== was.name,
      roles: wanted.roles.join() !== was.roles.join(),
      status: wanted.status !== was.status,
    };
    if (!changed.name && !changed.roles && !changed.status) return { account: before, moves: false };
    if (changed.roles || changed.status) await requireAllowed(trx, before, wanted, asked);
    await apply(trx, before.id, { was, wanted, changed }, asked);
    const moves = await moveTasks(trx, moveId, before.id, wanted, asked);
    return { account: (await findAccount(trx, before.id)) ?? before, moves };
  });
  if (moves) void startTaskMoveBeside(deps, moveId);
  return account;
}

/** Puts the move of what the person holds and may not any more on record. @returns false when there is nothing to move */
async function moveTasks(trx: Knex, id: TaskMoveId, from: UserId, wanted: Wanted, asked: Asked): Promise<boolean> {
  if (!(await holdsTasksBeyond(trx, from, wanted.status === 'active' ? wanted.roles : []))) return false;
  const { by, origin } = asked;
  const reason = wanted.status === 'active' ? 'roles changed' : 'account disabled';
  await planMove(trx, { id, from, to: null, absenceId: null, reason, by, origin, at: new Date().toISOString() });
  return true;
}

async function requireAllowed(trx: Knex, before: Account, wanted: Wanted, { by, locale }: Asked): Promise<void> {
  if (before.id === by) throw new Failure('own_account', '');
  const admins = await activeAdmins(trx);
  const staysAdmin = wanted.status === 'active' && wanted.roles.includes('admin');
  if (!staysAdmin && admins.length === 1 && admins.includes(before.id)) throw new Failure('last_admin', '');
  // Somebody who came first in the queue may have taken the caller's own role; the token does not know it yet.
  if (!admins.includes(by)) throw new Failure('forbidden', 'You are no administrator any more. Ask another one.');
  const crosses = isStaff(wanted.roles) && !isStaff(before.roles);
  if (crosses && (await actsForACompany(trx, before.id))) throw actsForCompany(locale);
}

interface Difference {
  readonly was: Wanted;
  readonly wanted: Wanted;
  readonly changed: Readonly<Record<keyof Wanted, boolean>>;
}

async function apply(trx: Knex, id: UserId, { was, wanted, changed }: Difference, asked: Asked): Promise<void> {
  const at = new Date();
  const event = (what: string) => ({
    // Not the request's key: a PUT under the same one may be another change, and none may go unrecorded.
    key: `user/${id}/${what}/${randomUUID()}`,
    by: asked.by,
    subject: `user/${id}` as const,
    origin: asked.origin,
    at: at.toISOString(),
  });
  await changeAccountRow(trx, id, { ...wanted, at });
  // A name is personal data and the record is for ever: it tells that the name changed, not the names.
  if (changed.name) await recordEvent(trx, { ...event('changed'), type: 'user.changed', data: { fields: ['name'] } });
  if (changed.roles) {
    const [before, after] = [{ roles: was.roles }, { roles: wanted.roles }];
    await recordEvent(trx, { ...event('roles'), type: 'user.roles_changed', before, after });
  }
  if (changed.status) {
    const type = wanted.status === 'disabled' ? 'user.disabled' : 'user.enabled';
    const [before, after] = [{ status: was.status }, { status: wanted.status }];
    await recordEvent(trx, { ...event(wanted.status), type, before, after });
  }
  const reason = wanted.status === 'disabled' ? 'disabled' : 'revoked';
  if (changed.roles || changed.status) await endSessionsOf(trx, id, { reason, at });
}

/**
 * For a person whose telephone is lost: takes the second factors away, ends the log-ins and tells the person. Where the
 * office requires one, the next log-in opens nothing but setting it up anew.
 * @throws Failure `not_found`, `own_account`, `second_factor_missing`
 */
export async function resetSecondFactors(deps: ApiDeps, id: UserId, { by, origin }: Asked): Promise<void> {
  if (id === by) throw new Failure('own_account', '');
  const [at, letter] = [new Date(), randomUUID()];
  await deps.db.transaction(async (trx) => {
    if (!(await lockAccount(trx, id))) throw noSuchAccount();
    const kinds = await removeAllFactors(trx, id);
    if (kinds.length === 0) throw new Failure('second_factor_missing', '');
    await untrustDevices(trx, id);
    await endSessionsOf(trx, id, { reason: 'revoked', at });
    await recordEvent(trx, {
      key: `user/${id}/second_factor.removed/${letter}`,
      type: 'second_factor.removed',
      by,
      subject: `user/${id}`,
      origin,
      data: { kinds },
      at: at.toISOString(),
    });
    const data = { at: at.toISOString(), change: 'removed' } as const;
    await writeLetter(trx, { id: letter, template: 'second_factor_changed', userId: id, data, at });
  });
  void dispatchLetter(deps, letter);
}

/** @throws Failure `not_found` */
export async function accountOf({ db }: Pick<ApiDeps, 'db'>, id: UserId): Promise<Account> {
  const account = await findAccount(db, id);
  if (!account) throw noSuchAccount();
  return account;
}

const noSuchAccount = () => new Failure('not_found', 'There is no such account. Look at GET /api/v1/admin/users.');

export const accountJson = (account: Account) => ({
  id: account.id,
  email: account.email,
  name: account.name,
  locale: account.locale,
  roles: account.roles,
  status: account.status,
  officeId: account.officeId,
  createdAt: timeJson(account.createdAt),
  lastLoginAt: timeOrNull(account.lastLoginAt),
  secondFactor: account.secondFactor,
});

/** Starts with the version of what an administrator changes: `If-Match` compares that part, so a log-in is no conflict. */
export const accountTag = (account: Account): string =>
  `${versionOf(account).slice(0, -1)}.${etagOf(JSON.stringify(accountJson(account))).slice(1)}`;

const versionOf = ({ name, roles, status }: Account): string => etagOf(JSON.stringify([name, roles, status]));

const versionIn = (ifMatch: string | undefined): string | undefined => ifMatch?.replaceAll(/\.[\w-]*"/g, '"');

export interface Joining {
  readonly token: string;
  /** Absent = as the invitation called the person. */
  readonly name?: string | undefined;
  readonly password: string;
}

/**
 * Takes an invited account up: sets its password, and takes its address as verified, for the link came there. Single use.
 * @throws Failure `link_not_valid`, `weak_password`
 */
export async function joinStaff(
  deps: Pick<ApiDeps, 'db' | 'access'>,
  { token, name, password }: Joining,
  origin: Origin,
  locale: Locale,
): Promise<User> {
  const link = await peekLinkToken(deps.db, 'join_staff', token, new Date());
  const invited = link?.userId ? await findUser(deps.db, link.userId) : null;
  if (!invited) throw new Failure('link_not_valid', '');
  await refuseWeak(password, invited.email, locale, deps.access.passwords);
  const passwordHash = await hashPassword(password);
  return deps.db.transaction(async (trx) => {
    const at = new Date();
    const account = await lockAccount(trx, invited.id);
    const used = account?.status === 'invited' && (await useLinkToken(trx, 'join_staff', token, at));
    if (!account || !used) throw new Failure('link_not_valid', '');
    await takeUpAccount(trx, account.id, { name: name ?? account.name, passwordHash, at });
    await recordEvent(trx, {
      key: `user/${account.id}/joined/${used.id}`,
      type: 'user.joined',
      by: account.id,
      subject: `user/${account.id}`,
      origin,
      at: at.toISOString(),
    });
    return personOf(trx, account.id);
  });
}
