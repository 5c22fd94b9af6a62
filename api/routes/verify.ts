import { z } from 'zod';
import { type License, licenseByVerifyCode } from '../../db/license-reads.ts';
import { Failure } from '../../domain/failures.ts';
import { changedAt, isNotYetValid, statusAt } from '../../domain/licenses.ts';
import { unknownPage, type Verification, verificationPage } from '../pages/verify.ts';
import type { Locale } from '../request.ts';
import { defineRoute, html, json } from '../route.ts';
import { verificationSchema } from '../schemas/licenses.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const HEADERS = { Vary: 'Accept, Accept-Language', 'X-Robots-Tag': 'noindex', 'Referrer-Policy': 'no-referrer' };

const verify = defineRoute({
  method: 'get',
  base: 'root',
  path: '/verify/:code',
  summary: 'Whether a licence is genuine and in force: where the QR code of a certificate leads',
  description:
    'A page, or JSON with `Accept: application/json`. It shows the public record of the licence and no more.',
  tags: ['Public'],
  permission: 'public',
  params: z.object({ code: z.string().max(200) }),
  problems: ['not_found'],
  responses: {
    200: { description: 'The public record', schema: verificationSchema, contentType: 'text/html' },
    404: { description: 'No licence has this code', contentType: 'text/html' },
  },
  async handler({ params: { code }, deps, locale, req }) {
    const license = await licenseByVerifyCode(deps.db, code);
    const asJson = req.accepts(['html', 'json']) === 'json';
    if (!license && asJson)
      throw new Failure('not_found', 'No licence has this code. Compare it with the certificate.');
    if (!license) return html(404, unknownPage(locale), HEADERS);
    const found = verificationOf(license, locale, new Date());
    return asJson ? json(200, found, { headers: HEADERS }) : html(200, verificationPage(found, locale), HEADERS);
  },
});

export const verifyRoutes = [verify];

function verificationOf(license: License, locale: Locale, now: Date): Verification {
  const status = statusAt(license, now);
  const notYetValid = isNotYetValid(license, now);
  const renewedBy = license.renewedBy?.number ?? null;
  return {
    valid: status === 'active' && !notYetValid,
    status,
    notYetValid,
    statusChangedAt: timeOrNull(changedAt(license, now)),
    supersededByNumber: license.supersededBy?.number ?? (status === 'superseded' ? renewedBy : null),
    renewsNumber: license.renews?.number ?? null,
    renewedByNumber: renewedBy,
    grantedBy: license.grantedBy,
    number: license.number,
    typeCode: license.typeCode,
    typeName: license.typeName[locale],
    companyName: license.companyName,
    validFrom: timeJson(license.validFrom),
    validUntil: timeOrNull(license.validUntil),
    issuedAt: timeJson(license.issuedAt),
  };
}
