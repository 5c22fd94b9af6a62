import type { Knex } from 'knex';
import { z } from 'zod';
import { type License, licensesOf } from '../../db/license-reads.ts';
import { revokeLicense } from '../../db/license-revocation.ts';
import { type ByOffice, reinstateLicense, supersedeLicense, suspendLicense } from '../../db/license-standing.ts';
import { Failure } from '../../domain/failures.ts';
import type { LicenseId } from '../../domain/ids.ts';
import { licenseJson, licenseSeenBy } from '../license-json.ts';
import { tellFollower } from '../license-process.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import type { Caller } from '../request.ts';
import { type Context, defineRoute, json } from '../route.ts';
import { licenseIdSchema, positionInTime } from '../schemas/ids.ts';
import { licenseSchema, standingSchema, successionSchema } from '../schemas/licenses.ts';
import { onceStored, storedPdf } from '../stored-pdf.ts';

const params = z.object({ id: licenseIdSchema });
const tags = ['Licences'];

const own = defineRoute({
  method: 'get',
  path: '/users/licenses',
  summary: "Licences of the caller's companies, newest first",
  tags,
  permission: 'license.read',
  query: z.strictObject(pageQuery),
  responses: { 200: { description: 'A page of licences', schema: pageOf(licenseSchema) } },
  async handler({ query: { limit, cursor }, actor, deps, locale }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await licensesOf(deps.db, actor, { after, limit: limit + 1 });
    const position = ({ issuedAt, id }: License) => ({ at: issuedAt, id });
    const { items, nextCursor } = page(rows, limit, (license) => license, position);
    return json(200, { items: await Promise.all(items.map((one) => licenseJson(deps, one, locale))), nextCursor });
  },
});

const read = defineRoute({
  method: 'get',
  path: '/licenses/:id',
  summary: 'A licence',
  tags,
  permission: 'license.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The licence', schema: licenseSchema } },
  async handler({ params: { id }, actor, deps, locale }) {
    return json(200, await licenseJson(deps, await licenseSeenBy(deps, actor, id), locale));
  },
});

const certificate = defineRoute({
  method: 'get',
  path: '/licenses/:id/certificate',
  summary: 'The signed certificate',
  description: 'The same bytes for ever: rendered and signed once.',
  tags,
  permission: 'license.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The certificate', contentType: 'application/pdf' } },
  async handler({ params: { id }, actor, deps }) {
    const license = await licenseSeenBy(deps, actor, id);
    const again = async () => (await licenseSeenBy(deps, actor, id)).certificateSha256;
    const stored = license.certificateSha256 ?? (await onceStored(deps.changes, license.applicationId, again));
    if (stored) return storedPdf(deps.files, stored, license.number);
    throw new Failure('not_found', 'The certificate is being made. Ask again in a minute; it is also sent by e-mail.');
  },
});

const permission = 'license.manage';
const problems = ['not_found', 'license_ended', 'own_application', 'step_up_required'] as const;
const responses = { 200: { description: 'The licence as it is now', schema: licenseSchema } };

const suspend = defineRoute({
  method: 'post',
  path: '/licenses/:id/suspend',
  summary: 'Suspend a licence',
  description:
    'Its public page says so at once, and its owner is written to. A suspension for missing money is another.',
  tags,
  permission,
  stepUp: 'where_there_is_a_factor',
  params,
  body: standingSchema,
  problems: [...problems, 'license_not_active'],
  responses,
  handler: ({ params: { id }, body, ...asked }) =>
    changed(asked, id, 'suspended', (tx, change) => suspendLicense(tx, { ...change, ...body, cause: 'office' })),
});

const reinstate = defineRoute({
  method: 'post',
  path: '/licenses/:id/reinstate',
  summary: "Take the office's own suspension back",
  description: 'One for missing money ends with the money: until then the licence stays suspended.',
  tags,
  permission,
  stepUp: 'where_there_is_a_factor',
  params,
  body: standingSchema,
  problems: [...problems, 'license_not_suspended'],
  responses,
  handler: ({ params: { id }, body, ...asked }) =>
    changed(asked, id, 'reinstated', (tx, change) => reinstateLicense(tx, { ...change, ...body })),
});

const revoke = defineRoute({
  method: 'post',
  path: '/licenses/:id/revoke',
  summary: 'Revoke a licence, for good',
  tags,
  permission,
  stepUp: 'where_there_is_a_factor',
  params,
  body: standingSchema,
  problems,
  responses,
  handler: ({ params: { id }, body, ...asked }) =>
    changed(asked, id, 'revoked', (tx, change) => revokeLicense(tx, asked.deps.money, { ...change, ...body })),
});

const supersede = defineRoute({
  method: 'post',
  path: '/licenses/:id/supersede',
  summary: 'Put a newer licence in the place of this one',
  description: 'Both of the same company and type. The earlier one ends for good, and its page names the newer one.',
  tags,
  permission,
  stepUp: 'where_there_is_a_factor',
  params,
  body: successionSchema,
  problems,
  responses,
  handler: ({ params: { id }, body: { byLicenseId, reason }, ...asked }) =>
    changed(asked, id, 'superseded', (tx, change) =>
      supersedeLicense(tx, { ...change, reason, successorId: byLicenseId }),
    ),
});

/** `/licenses/:id` takes any word that stands there: list these after every other path under /licenses. */
export const licenseRoutes = [own, read, certificate, suspend, reinstate, revoke, supersede];

type Asked = Pick<
  Context<unknown, undefined, unknown, undefined, Caller>,
  'actor' | 'origin' | 'deps' | 'requestKey' | 'locale'
>;

async function changed(
  { actor, origin, deps, requestKey, locale }: Asked,
  licenseId: LicenseId,
  what: string,
  change: (tx: Knex, by: Omit<ByOffice, 'reason'>) => Promise<void>,
) {
  await licenseSeenBy(deps, actor, licenseId);
  const key = `license/${licenseId}/${what}/${requestKey}`;
  const at = new Date().toISOString();
  await deps.db.transaction((tx) => change(tx, { licenseId, by: actor.userId, origin, key, at }));
  tellFollower(deps, licenseId);
  return json(200, await licenseJson(deps, await licenseSeenBy(deps, actor, licenseId), locale));
}
