/** For the office: finding people and companies by their numbers, reading these in clear, and changing the key of the seals. */
import { z } from 'zod';
import {
  recordPersonalDataRead,
  sealedNik,
  sealedNpwp,
  searchCompanies,
  searchUsers,
} from '../../db/personal-numbers.ts';
import { rotationProgress } from '../../db/rotation.ts';
import { Failure } from '../../domain/failures.ts';
import { rotationState, startRotation } from '../personal-data-process.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { companyIdSchema, userIdSchema } from '../schemas/ids.ts';
import {
  companyInClear,
  companySearch,
  foundCompanies,
  foundUsers,
  readingReason,
  rotation,
  userInClear,
  userSearch,
} from '../schemas/personal-data.ts';
import { timeJson } from '../wire.ts';

const tags = ['Personal data'];
const NPWP = 'companies.npwp';
const NIK = 'users.nik';
/** A search is for one; who gets so many looks for something narrower. */
const FOUND_AT_MOST = 50;
const NO_STORE = { headers: { 'Cache-Control': 'no-store' } };

const findCompanies = defineRoute({
  method: 'post',
  path: '/admin/companies/search',
  summary: 'Find companies by tax number, NIB or a part of the name',
  description:
    'Exactly one of the three. Numbers are compared by keyed hash and shown masked; at most 50, newest first.',
  tags,
  permission: 'personal_data.read',
  idempotent: false,
  body: companySearch,
  responses: { 200: { description: 'Those found.', schema: foundCompanies } },
  async handler({ body: { npwp, nib, name = '' }, deps }) {
    const by = npwp
      ? { npwpHashes: deps.personalData.fingerprints(npwp.value, NPWP) }
      : nib
        ? { nib: nib.value }
        : { name };
    const found = await searchCompanies(deps.db, by, FOUND_AT_MOST + 1);
    const items = found.slice(0, FOUND_AT_MOST).map(({ npwpMasked, createdAt, ...rest }) => ({
      ...rest,
      npwp: npwpMasked,
      createdAt: timeJson(createdAt),
    }));
    return json(200, { items, more: found.length > FOUND_AT_MOST }, NO_STORE);
  },
});

const findUsers = defineRoute({
  method: 'post',
  path: '/admin/users/search',
  summary: 'Find people by NIK, e-mail address or a part of the name',
  description: 'Exactly one of the three. NIKs are compared by keyed hash and shown masked; at most 50, newest first.',
  tags,
  permission: 'personal_data.read',
  idempotent: false,
  body: userSearch,
  responses: { 200: { description: 'Those found.', schema: foundUsers } },
  async handler({ body: { nik, email, name = '' }, deps }) {
    const by = nik ? { nikHashes: deps.personalData.fingerprints(nik.value, NIK) } : email ? { email } : { name };
    const found = await searchUsers(deps.db, by, FOUND_AT_MOST + 1);
    const items = found.slice(0, FOUND_AT_MOST).map(({ id, email, name, roles, status, nikMasked, createdAt }) => ({
      id,
      email,
      name,
      roles,
      status,
      nik: nikMasked,
      createdAt: timeJson(createdAt),
    }));
    return json(200, { items, more: found.length > FOUND_AT_MOST }, NO_STORE);
  },
});

// ---- in clear: the event is committed before the answer goes out; no event, no answer -------------------------------

const readCompany = defineRoute({
  method: 'post',
  path: '/admin/companies/:id/personal-data',
  summary: "Read a company's tax number in clear",
  description: 'Wants a reason; who read what and why is in the audit before the answer is out.',
  tags,
  permission: 'personal_data.read',
  stepUp: true,
  idempotent: false,
  params: z.object({ id: companyIdSchema }),
  body: readingReason,
  problems: ['not_found'],
  responses: { 200: { description: 'Its numbers.', schema: companyInClear } },
  async handler({ params: { id }, body: { reason }, actor, origin, deps }) {
    const sealed = await sealedNpwp(deps.db, id);
    if (!sealed) throw new Failure('not_found', 'There is no such company.');
    const npwp = deps.personalData.open(sealed, NPWP);
    await recordPersonalDataRead(deps.db, {
      subject: `company/${id}`,
      fields: ['npwp'],
      reason,
      by: actor.userId,
      origin,
      at: new Date(),
    });
    return json(200, { id, npwp }, NO_STORE);
  },
});

const readUser = defineRoute({
  method: 'post',
  path: '/admin/users/:id/personal-data',
  summary: "Read a person's NIK in clear",
  description: 'Wants a reason; who read what and why is in the audit before the answer is out.',
  tags,
  permission: 'personal_data.read',
  stepUp: true,
  idempotent: false,
  params: z.object({ id: userIdSchema }),
  body: readingReason,
  problems: ['not_found'],
  responses: { 200: { description: 'The number; null when it is not known.', schema: userInClear } },
  async handler({ params: { id }, body: { reason }, actor, origin, deps }) {
    const found = await sealedNik(deps.db, id);
    if (!found) throw new Failure('not_found', 'There is no such person.');
    const nik = found.sealed === null ? null : deps.personalData.open(found.sealed, NIK);
    await recordPersonalDataRead(deps.db, {
      subject: `user/${id}`,
      fields: nik === null ? [] : ['nik'],
      reason,
      by: actor.userId,
      origin,
      at: new Date(),
    });
    return json(200, { id, nik }, NO_STORE);
  },
});

// ---- the key ------------------------------------------------------------------------------------------------------

const rotate = defineRoute({
  method: 'post',
  path: '/admin/personal-data/rotation',
  summary: 'Seal everything anew with the current key',
  description:
    'Starts a process that does it in the background; `GET` tells how far it is. The runbook says in which order keys are changed.',
  tags,
  permission: 'personal_data.rotate',
  stepUp: true,
  problems: ['rotation_running', 'key_missing'],
  responses: { 202: { description: 'It is under way.', schema: rotation } },
  async handler({ actor, origin, deps, requestKey }) {
    const progress = await rotationProgress(deps.db, deps.personalData);
    await startRotation(deps, progress, { by: actor.userId, origin, requestKey, at: new Date() });
    const { columns: _columns, ...rest } = progress;
    return json(202, { ...rest, state: 'running' as const });
  },
});

const readRotation = defineRoute({
  method: 'get',
  path: '/admin/personal-data/rotation',
  summary: 'How far sealing anew is',
  description: 'Counts every sealed value, so ask it now and then and not each second.',
  tags,
  permission: 'personal_data.rotate',
  responses: { 200: { description: 'The counts, and the state of the last run.', schema: rotation } },
  async handler({ deps }) {
    const [{ columns: _columns, ...progress }, state] = await Promise.all([
      rotationProgress(deps.db, deps.personalData),
      rotationState(deps),
    ]);
    return json(200, { ...progress, state });
  },
});

export const personalDataRoutes: readonly Route[] = [
  findCompanies,
  findUsers,
  readCompany,
  readUser,
  rotate,
  readRotation,
];
