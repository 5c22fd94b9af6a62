import { z } from 'zod';
import { findLicense, type License, licensesOf } from '../../db/license-reads.ts';
import { Failure } from '../../domain/failures.ts';
import type { LicenseId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { verifyUrl } from '../application-json.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import { licenseIdSchema, positionInTime } from '../schemas/ids.ts';
import { licenseSchema } from '../schemas/licenses.ts';
import { onceStored, storedPdf } from '../stored-pdf.ts';
import { timeJson, timeOrNull } from '../wire.ts';

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
    return json(
      200,
      page(rows, limit, (license) => toJson(license, locale, deps.publicUrl), position),
    );
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
    return json(200, toJson(await licenseSeenBy(deps, actor, id), locale, deps.publicUrl));
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

/** `/licenses/:id` takes any word that stands there: list these after every other path under /licenses. */
export const licenseRoutes = [own, read, certificate];

async function licenseSeenBy(deps: ApiDeps, actor: Actor, id: LicenseId): Promise<License> {
  const license = await findLicense(deps.db, actor, id);
  if (!license) throw new Failure('not_found', 'There is no such licence, or none that you may see.');
  return license;
}

const toJson = (license: License, locale: Locale, publicUrl: string) => ({
  id: license.id,
  number: license.number,
  applicationId: license.applicationId,
  companyId: license.companyId,
  companyName: license.companyName,
  typeCode: license.typeCode,
  typeName: license.typeName[locale],
  status: license.status,
  validFrom: timeJson(license.validFrom),
  validUntil: timeOrNull(license.validUntil),
  issuedAt: timeJson(license.issuedAt),
  verifyUrl: verifyUrl(publicUrl, license.verifyCode),
  certificateUrl: license.certificateSha256 && `${publicUrl}/api/v1/licenses/${license.id}/certificate`,
});
