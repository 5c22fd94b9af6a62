import { z } from 'zod';
import { type Invitation, type Member, membersOf, openInvitations } from '../../db/company-members.ts';
import { maskEmail } from '../../domain/email-addresses.ts';
import { invite, joinCompany, ownCompany, remove, takeBack } from '../company-members.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import {
  invitation,
  invitationIdSchema,
  joinedCompany,
  joiningCompany,
  members,
  newInvitation,
} from '../schemas/company-members.ts';
import { companyIdSchema, userIdSchema } from '../schemas/ids.ts';
import { timeJson } from '../wire.ts';

const tags = ['Users'];
const permission = 'company.manage';
const params = z.object({ id: companyIdSchema });

const list = defineRoute({
  method: 'get',
  path: '/users/companies/:id/members',
  summary: 'Who acts for a company, and who is invited to',
  tags,
  permission,
  params,
  responses: { 200: { description: 'Members and open invitations', schema: members } },
  async handler({ params: { id }, actor, deps }) {
    await ownCompany(deps.db, id, actor.userId);
    const [people, invitations] = await Promise.all([membersOf(deps.db, id), openInvitations(deps.db, id, new Date())]);
    return json(200, {
      items: people.map(memberJson),
      invitations: invitations.map(invitationJson),
      nextCursor: null,
    });
  },
});

const memberJson = ({ userId, name, email, joinedAt }: Member) => ({
  userId,
  name,
  email: maskEmail(email),
  joinedAt: timeJson(joinedAt),
});

const invitationJson = (open: Invitation) => ({
  id: open.id,
  email: open.emailMasked,
  invitedBy: open.invitedBy,
  createdAt: timeJson(open.createdAt),
  expiresAt: timeJson(open.expiresAt),
});

const inviteMember = defineRoute({
  method: 'post',
  path: '/users/companies/:id/invitations',
  summary: 'Invite somebody to act for a company',
  description:
    'A letter goes to the address; its link holds for 7 days and counts once. Whether the address has an account is not told.',
  tags,
  permission,
  params,
  body: newInvitation,
  problems: ['already_member', 'plan_limit_reached'],
  responses: { 201: { description: 'The invitation', schema: invitation } },
  async handler({ params: { id }, body: { email }, actor, origin, deps, requestKey }) {
    const made = await invite(deps, { companyId: id, by: actor.userId, email, origin, requestKey });
    return json(201, invitationJson(made));
  },
});

const revoke = defineRoute({
  method: 'delete',
  path: '/users/companies/:id/invitations/:invitationId',
  summary: 'Take an invitation back',
  tags,
  permission,
  params: params.extend({ invitationId: invitationIdSchema }),
  responses: { 204: { description: 'Its link no longer counts' } },
  async handler({ params: { id, invitationId }, actor, origin, deps, requestKey }) {
    await takeBack(deps, { companyId: id, by: actor.userId, origin, requestKey }, invitationId);
    return noContent();
  },
});

const removeOne = defineRoute({
  method: 'delete',
  path: '/users/companies/:id/members/:userId',
  summary: 'Take a person out of a company, or leave it',
  description: 'From then on they see nothing of it. The last member stays.',
  tags,
  permission,
  params: params.extend({ userId: userIdSchema }),
  problems: ['last_member'],
  responses: { 204: { description: 'They are out' } },
  async handler({ params: { id, userId }, actor, origin, deps, requestKey }) {
    await remove(deps, { companyId: id, by: actor.userId, origin, requestKey }, userId);
    return noContent();
  },
});

const join = defineRoute({
  method: 'post',
  path: '/users/companies/join',
  summary: 'Accept an invitation to act for a company',
  description: "The caller's verified address must be the one that was invited.",
  tags,
  permission,
  body: joiningCompany,
  problems: ['link_not_valid', 'email_not_verified'],
  responses: { 200: { description: 'The company', schema: joinedCompany } },
  async handler({ body, actor, origin, deps }) {
    return json(200, await joinCompany(deps, body, origin, actor));
  },
});

export const companyMemberRoutes: readonly Route[] = [list, inviteMember, revoke, removeOne, join];
