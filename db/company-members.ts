/** Who acts for a company, and who is invited to. */
import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, InvitationId, UserId } from '../domain/ids.ts';
import type { Role } from '../domain/roles.ts';

export interface Member {
  readonly userId: UserId;
  readonly name: string;
  readonly email: string;
  readonly joinedAt: Date;
}

/** Whoever came first on top. */
export async function membersOf(db: Knex, companyId: CompanyId): Promise<Member[]> {
  const found: Member[] = await db('company_members as m')
    .join('users as u', 'u.id', 'm.user_id')
    .where('m.company_id', companyId)
    .orderBy([{ column: 'm.created_at' }, { column: 'm.user_id' }])
    .select({ userId: 'u.id', name: 'u.name', email: 'u.email', joinedAt: 'm.created_at' });
  return found;
}

/** Whether this person acts for the company of the case. */
export async function actsForCase(db: Knex, userId: UserId, applicationId: ApplicationId): Promise<boolean> {
  const found = await db('applications as a')
    .join('company_members as m', 'm.company_id', 'a.company_id')
    .where({ 'a.id': applicationId, 'm.user_id': userId })
    .first('m.user_id');
  return found !== undefined;
}

/** Members and invitations of a company change one after the other: two who leave at once must not both be the last but one. */
export async function lockCompany(trx: Knex, id: CompanyId): Promise<void> {
  await trx('companies').where({ id }).forUpdate().first('id');
}

export async function isMember(db: Knex, companyId: CompanyId, userId: UserId): Promise<boolean> {
  return (await db('company_members').where({ company_id: companyId, user_id: userId }).first('user_id')) !== undefined;
}

/** @param email in lower case */
export async function hasMemberWith(db: Knex, companyId: CompanyId, email: string): Promise<boolean> {
  const found = await db('company_members as m')
    .join('users as u', 'u.id', 'm.user_id')
    .where({ 'm.company_id': companyId, 'u.email': email })
    .first('u.id');
  return found !== undefined;
}

/** Members who can invite and remove others: people with an open account, not the accounts of programmes. */
export async function managersOf(db: Knex, companyId: CompanyId): Promise<UserId[]> {
  return db('company_members as m')
    .join('users as u', 'u.id', 'm.user_id')
    .where({ 'm.company_id': companyId, 'u.status': 'active' })
    .whereRaw(`u.roles @> array['owner']`)
    .pluck<UserId[]>('u.id');
}

/** @returns false when the person was a member already */
export async function addMember(trx: Knex, companyId: CompanyId, userId: UserId, at: Date): Promise<boolean> {
  const added = await trx('company_members')
    .insert({ company_id: companyId, user_id: userId, created_at: at })
    .onConflict()
    .ignore()
    .returning('user_id');
  return added.length > 0;
}

/** @returns false when the person was no member */
export async function removeMember(trx: Knex, companyId: CompanyId, userId: UserId): Promise<boolean> {
  return (await trx('company_members').where({ company_id: companyId, user_id: userId }).delete()) > 0;
}

export interface Joiner {
  readonly id: UserId;
  readonly roles: readonly Role[];
  readonly status: 'active' | 'disabled';
  readonly emailVerifiedAt: Date | null;
}

/** The account of an address, in lower case; its roles stay as they are until the transaction ends. */
export async function lockJoiner(trx: Knex, email: string): Promise<Joiner | null> {
  const found: Joiner | undefined = await trx('users')
    .where({ email })
    .forUpdate()
    .first({ id: 'id', roles: 'roles', status: 'status', emailVerifiedAt: 'email_verified_at' });
  return found ?? null;
}

export interface Invitation {
  readonly id: InvitationId;
  readonly companyId: CompanyId;
  readonly emailMasked: string;
  readonly emailEncrypted: Buffer;
  readonly invitedBy: UserId;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

const COLUMNS = {
  id: 'id',
  companyId: 'company_id',
  emailMasked: 'email_masked',
  emailEncrypted: 'email_encrypted',
  invitedBy: 'invited_by',
  createdAt: 'created_at',
  expiresAt: 'expires_at',
};

const open = (db: Knex) => db('company_invitations').where({ accepted_at: null, revoked_at: null });

/** Those that can still be accepted, the oldest first. */
export async function openInvitations(db: Knex, companyId: CompanyId, at: Date): Promise<Invitation[]> {
  const found: Invitation[] = await open(db)
    .where('company_id', companyId)
    .where('expires_at', '>', at)
    .orderBy([{ column: 'created_at' }, { column: 'id' }])
    .select(COLUMNS);
  return found;
}

/** One that can still be accepted; kept so until the transaction ends. */
export async function lockOpenInvitation(trx: Knex, id: string, at: Date): Promise<Invitation | null> {
  const found: Invitation | undefined = await open(trx)
    .where({ id })
    .where('expires_at', '>', at)
    .forUpdate()
    .first(COLUMNS);
  return found ?? null;
}

export async function findInvitation(db: Knex, id: string): Promise<Invitation | null> {
  const found: Invitation | undefined = await db('company_invitations').where({ id }).first(COLUMNS);
  return found ?? null;
}

export interface NewInvitation extends Invitation {
  readonly emailHash: string;
}

/** @returns false when the address has an open invitation of this company */
export async function addInvitation(trx: Knex, invitation: NewInvitation): Promise<boolean> {
  const added = await trx('company_invitations')
    .insert({
      id: invitation.id,
      company_id: invitation.companyId,
      email_hash: invitation.emailHash,
      email_encrypted: invitation.emailEncrypted,
      email_masked: invitation.emailMasked,
      invited_by: invitation.invitedBy,
      created_at: invitation.createdAt,
      expires_at: invitation.expiresAt,
    })
    .onConflict()
    .ignore()
    .returning('id');
  return added.length > 0;
}

/** @param hashes of the address, under every key that may have made one */
export async function isInvited(db: Knex, companyId: CompanyId, hashes: readonly string[]): Promise<boolean> {
  const found = await open(db)
    .where('company_id', companyId)
    .whereIn('email_hash', [...hashes])
    .first('id');
  return found !== undefined;
}

/** Clears away what ran out, so that the address can be invited anew. */
export async function closeExpired(trx: Knex, companyId: CompanyId, at: Date): Promise<void> {
  await open(trx).where('company_id', companyId).where('expires_at', '<=', at).update({ revoked_at: at });
}

/** @returns false when the company has no such open invitation */
export async function revokeInvitation(trx: Knex, companyId: CompanyId, id: InvitationId, at: Date): Promise<boolean> {
  return (await open(trx).where({ id, company_id: companyId }).update({ revoked_at: at })) > 0;
}

/** @returns the open invitations that this person had sent */
export async function revokeInvitationsBy(
  trx: Knex,
  companyId: CompanyId,
  invitedBy: UserId,
  at: Date,
): Promise<InvitationId[]> {
  const revoked: { id: InvitationId }[] = await open(trx)
    .where({ company_id: companyId, invited_by: invitedBy })
    .update({ revoked_at: at })
    .returning('id');
  return revoked.map(({ id }) => id);
}

export async function acceptInvitation(trx: Knex, id: InvitationId, by: UserId, at: Date): Promise<void> {
  await open(trx).where({ id }).update({ accepted_at: at, accepted_by: by });
}
