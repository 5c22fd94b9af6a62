import { changeProfile, findProfile, type Profile } from '../../db/personal-numbers.ts';
import { Failure } from '../../domain/failures.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { changedProfile, profileWithNik, profileWithNikChange } from '../schemas/personal-data.ts';
import { timeJson } from '../wire.ts';

const tags = ['Users'];
const NIK = 'users.nik';

const readProfile = defineRoute({
  method: 'get',
  path: '/users/profile',
  summary: "The caller's own profile",
  tags,
  permission: 'profile.use',
  responses: { 200: { description: 'The profile.', schema: profileWithNik } },
  handler: async ({ actor, deps }) => json(200, toProfile(await findProfile(deps.db, actor.userId))),
});

const putProfile = defineRoute({
  method: 'put',
  path: '/users/profile',
  summary: 'Change name, language and NIK',
  description:
    'The NIK is stored encrypted and shown masked; it belongs to one account. One that looks odd only warns.',
  tags,
  permission: 'profile.use',
  body: profileWithNikChange,
  problems: ['number_taken'],
  responses: { 200: { description: 'The profile as it is now.', schema: changedProfile } },
  handler: async ({ actor, body: { nik, ...rest }, origin, deps: { db, personalData } }) => {
    const sealed = nik && {
      encrypted: personalData.seal(nik.value, NIK),
      hashes: personalData.fingerprints(nik.value, NIK),
      masked: maskNumber(nik.value),
    };
    const changed = await changeProfile(db, actor.userId, { ...rest, nik: sealed }, { origin, at: new Date() });
    if (changed === 'number_taken') throw new Failure('number_taken', '');
    return json(200, { ...toProfile(changed), ...(nik ? { warnings: nik.warnings } : {}) });
  },
});

function toProfile(found: Profile | null) {
  // The token outlives its user by minutes at most.
  if (!found) throw new Failure('unauthenticated', '');
  const { id, email, name, locale, roles, emailVerifiedAt, nikMasked, createdAt, updatedAt } = found;
  return {
    id,
    email,
    name,
    locale,
    roles,
    emailVerified: emailVerifiedAt !== null,
    nik: nikMasked,
    createdAt: timeJson(createdAt),
    updatedAt: timeJson(updatedAt),
  };
}

export const userRoutes: readonly Route[] = [readProfile, putProfile];
