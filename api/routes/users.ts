import { findUser, type User, updateProfile } from '../../db/users.ts';
import { Failure } from '../../domain/failures.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { profile, profileChange } from '../schemas/people.ts';
import { timeJson } from '../wire.ts';

const tags = ['Users'];

const readProfile = defineRoute({
  method: 'get',
  path: '/users/profile',
  summary: "The caller's own profile",
  tags,
  permission: 'profile.use',
  responses: { 200: { description: 'The profile.', schema: profile } },
  handler: async ({ actor, deps }) => json(200, toProfile(await findUser(deps.db, actor.userId))),
});

const changeProfile = defineRoute({
  method: 'put',
  path: '/users/profile',
  summary: 'Change name and language',
  tags,
  permission: 'profile.use',
  body: profileChange,
  responses: { 200: { description: 'The profile as it is now.', schema: profile } },
  handler: async ({ actor, body, deps }) => json(200, toProfile(await updateProfile(deps.db, actor.userId, body))),
});

function toProfile(user: User | null) {
  // The token outlives its user by minutes at most.
  if (!user) throw new Failure('unauthenticated', '');
  const { id, email, name, locale, roles } = user;
  return { id, email, name, locale, roles, createdAt: timeJson(user.createdAt), updatedAt: timeJson(user.updatedAt) };
}

export const userRoutes: readonly Route[] = [readProfile, changeProfile];
