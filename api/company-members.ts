/** Several people for one company: invited by letter, joined by its link, removed at once. */
import { randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import { type Company, findOwnCompany } from '../db/companies.ts';
import {
  acceptInvitation,
  addInvitation,
  addMember,
  closeExpired,
  findInvitation,
  hasMemberWith,
  type Invitation,
  isInvited,
  isMember,
  type Joiner,
  lockCompany,
  lockJoiner,
  lockOpenInvitation,
  managersOf,
  type NewInvitation,
  removeMember,
  revokeInvitation,
  revokeInvitationsBy,
} from '../db/company-members.ts';
import type { Knex } from '../db/connection.ts';
import { type NewEvent, recordEvent } from '../db/events.ts';
import { peekLinkToken, useLinkToken } from '../db/link-tokens.ts';
import { findUser } from '../db/users.ts';
import { maskEmail } from '../domain/email-addresses.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { asId, type CompanyId, type InvitationId, type UserId } from '../domain/ids.ts';
import { LINK_HOLDS_MS } from '../domain/mail.ts';
import { isStaff, may } from '../domain/roles.ts';
import { dispatchLetter } from './account-letters.ts';
import type { ApiDeps } from './deps.ts';
import { requireWithin } from './entitlements.ts';
import { idFromKey } from './request-key.ts';

/** The column that seals an invited address, and under which it is looked for. */
const EMAIL = 'company_invitations.email';

/** What every change knows of its request. */
interface Asked {
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly origin: Origin;
  readonly requestKey: string;
}

/** @throws Failure `not_found`: for those who do not act for it there is no such company */
export async function ownCompany(db: Knex, id: CompanyId, userId: UserId): Promise<Company> {
  const company = await findOwnCompany(db, id, userId);
  if (!company) throw noSuchCompany();
  return company;
}

const noSuchCompany = () =>
  new Failure('not_found', 'You have no such company. Look at GET /api/v1/users/companies for yours.');

/**
 * Invites an address, whether or not it has an account: neither answer nor letter tells.
 * @throws Failure `not_found`, `already_member` for a member's address, and while an invitation of it is open,
 *   `plan_limit_reached`
 */
export async function invite(deps: ApiDeps, asked: Asked & { readonly email: string }): Promise<Invitation> {
  const { companyId, by, email, origin, requestKey } = asked;
  const at = new Date();
  const letter = idFromKey(requestKey, 'letter');
  const invitation: NewInvitation = {
    id: asId<InvitationId>(idFromKey(requestKey, 'invitation')),
    companyId,
    emailMasked: maskEmail(email),
    emailEncrypted: deps.personalData.seal(email, EMAIL),
    emailHash: deps.personalData.fingerprint(email, EMAIL),
    invitedBy: by,
    createdAt: at,
    expiresAt: new Date(at.getTime() + LINK_HOLDS_MS.join_company),
  };
  const { users: allowed } = (await deps.entitlements.of(companyId)).limits;
  await deps.db.transaction(async (trx) => {
    await lockCompany(trx, companyId);
    const company = await ownCompany(trx, companyId, by);
    // A repeat after a crash meets what it did the first time.
    if (await findInvitation(trx, invitation.id)) return;
    await closeExpired(trx, companyId, at);
    const known = await isInvited(trx, companyId, deps.personalData.fingerprints(email, EMAIL));
    if (known || (await hasMemberWith(trx, companyId, email))) throw new Failure('already_member', '');
    if (!(await addInvitation(trx, invitation))) throw new Failure('already_member', '');
    await requireWithin(trx, { companyId, limit: 'users', allowed, at });
    await recordEvent(trx, {
      ...about(asked, `invited/${invitation.id}`, at),
      type: 'company.member_invited',
      subject: `invitation/${invitation.id}`,
      origin,
    });
    const inviter = await findUser(trx, by);
    const data = { inviterName: inviter?.name ?? '', companyName: company.name, invitationId: invitation.id };
    const addressEncrypted = deps.personalData.seal(email, 'account_letters.address');
    await writeLetter(trx, { id: letter, template: 'join_company', addressEncrypted, data, at });
  });
  void dispatchLetter(deps, letter);
  return invitation;
}

const about = (
  { companyId, by }: Pick<Asked, 'companyId' | 'by'>,
  step: string,
  at: Date,
): Pick<NewEvent, 'key' | 'companyId' | 'by' | 'at'> => ({
  key: `company/${companyId}/${step}`,
  companyId,
  by,
  at: at.toISOString(),
});

/** @throws Failure `not_found` */
export async function takeBack(deps: Pick<ApiDeps, 'db'>, asked: Asked, id: InvitationId): Promise<void> {
  const at = new Date();
  await deps.db.transaction(async (trx) => {
    await lockCompany(trx, asked.companyId);
    await ownCompany(trx, asked.companyId, asked.by);
    if (!(await revokeInvitation(trx, asked.companyId, id, at))) {
      throw new Failure('not_found', 'There is no such open invitation.');
    }
    await recordRevoked(trx, asked, id, at);
  });
}

const recordRevoked = (trx: Knex, asked: Asked, id: InvitationId, at: Date) =>
  recordEvent(trx, {
    ...about(asked, `revoked/${id}`, at),
    type: 'company.invitation_revoked',
    subject: `invitation/${id}`,
    origin: asked.origin,
  });

/**
 * Takes a person out, oneself too; whom they had invited is no longer invited.
 * @throws Failure `not_found`, `last_member`
 */
export async function remove(deps: Pick<ApiDeps, 'db'>, asked: Asked, userId: UserId): Promise<void> {
  const { companyId, by, origin } = asked;
  const at = new Date();
  await deps.db.transaction(async (trx) => {
    await lockCompany(trx, companyId);
    await ownCompany(trx, companyId, by);
    if (!(await isMember(trx, companyId, userId))) throw new Failure('not_found', 'The company has no such member.');
    const staying = (await managersOf(trx, companyId)).filter((id) => id !== userId);
    if (staying.length === 0) throw new Failure('last_member', '');
    await removeMember(trx, companyId, userId);
    await recordEvent(trx, {
      ...about(asked, `removed/${userId}/${randomUUID()}`, at),
      type: 'company.member_removed',
      subject: `user/${userId}`,
      origin,
      data: { left: userId === by },
    });
    for (const id of await revokeInvitationsBy(trx, companyId, userId, at)) await recordRevoked(trx, asked, id, at);
  });
}

export interface Joined {
  readonly companyId: CompanyId;
  readonly companyName: string;
}

/**
 * Accepts an invitation: the link counts once, for 7 days, and only for the account whose verified address was invited.
 * Without a caller the account of that very address joins, since whoever has the link reads that address's post.
 * @throws Failure `link_not_valid`; `email_not_verified`: an account that anybody may have opened in that name;
 *   `unauthenticated` without a caller when no account has the address yet; `forbidden` for people of the office.
 *   After the last three the link still counts.
 */
export async function joinCompany(
  deps: Pick<ApiDeps, 'db' | 'personalData'>,
  { token }: { readonly token: string },
  origin: Origin,
  caller?: { readonly userId: UserId },
): Promise<Joined> {
  const at = new Date();
  return deps.db.transaction(async (trx) => {
    const link = await peekLinkToken(trx, 'join_company', token, at);
    const found = link?.subjectId ? await findInvitation(trx, link.subjectId) : null;
    if (!found) throw new Failure('link_not_valid', '');
    await lockCompany(trx, found.companyId);
    const invitation = await lockOpenInvitation(trx, found.id, at);
    if (!invitation) throw new Failure('link_not_valid', '');
    const email = deps.personalData.open(invitation.emailEncrypted, EMAIL);
    const user = await whoJoins(trx, email, caller);
    if (!(await useLinkToken(trx, 'join_company', token, at))) throw new Failure('link_not_valid', '');
    await acceptInvitation(trx, invitation.id, user.id, at);
    if (await addMember(trx, invitation.companyId, user.id, at)) {
      await recordEvent(trx, {
        ...about({ companyId: invitation.companyId, by: user.id }, `joined/${invitation.id}`, at),
        type: 'company.member_joined',
        subject: `user/${user.id}`,
        origin,
        data: { invitationId: invitation.id, invitedBy: invitation.invitedBy },
      });
    }
    const { id: companyId, name: companyName } = await ownCompany(trx, invitation.companyId, user.id);
    return { companyId, companyName };
  });
}

async function whoJoins(trx: Knex, email: string, caller: { readonly userId: UserId } | undefined): Promise<Joiner> {
  const user = await lockJoiner(trx, email);
  // Whose address it is instead is not told.
  if (caller && caller.userId !== user?.id) throw new Failure('link_not_valid', '');
  if (!user) throw new Failure('unauthenticated', REGISTER_FIRST);
  if (user.status !== 'active' || isStaff(user.roles) || !may(user.roles, 'company.read')) {
    throw new Failure('forbidden', 'This account cannot act for a company. Ask to be invited by another address.');
  }
  if (user.emailVerifiedAt === null) throw new Failure('email_not_verified', '');
  return user;
}

const REGISTER_FIRST =
  'No account has this address yet. Register with it, verify it, then open the link of the invitation again.';
