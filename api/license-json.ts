/** A licence as its owner and the office read it. */
import { findLicense, type License, renewableOf } from '../db/license-reads.ts';
import { Failure } from '../domain/failures.ts';
import type { LicenseId } from '../domain/ids.ts';
import { changedAt, isNotYetValid, statusAt } from '../domain/licenses.ts';
import type { Actor } from '../domain/licensing.ts';
import { renewalStanding } from '../domain/renewal.ts';
import { verifyUrl } from './application-json.ts';
import type { ApiDeps } from './deps.ts';
import { lateFeeOf } from './late-fee.ts';
import type { Locale } from './request.ts';
import { moneyJson, timeJson, timeOrNull } from './wire.ts';

/** @throws Failure `not_found` */
export async function licenseSeenBy({ db }: Pick<ApiDeps, 'db'>, actor: Actor, id: LicenseId): Promise<License> {
  const license = await findLicense(db, actor, id);
  if (!license) throw new Failure('not_found', 'There is no such licence, or none that you may see.');
  return license;
}

export async function licenseJson(deps: Pick<ApiDeps, 'db' | 'publicUrl'>, license: License, locale: Locale) {
  const now = new Date();
  const { publicUrl } = deps;
  const status = statusAt(license, now);
  // What the record does not say yet: why it was suspended is not why it has expired.
  const isAsRecorded = status === license.status;
  return {
    id: license.id,
    number: license.number,
    applicationId: license.applicationId,
    companyId: license.companyId,
    companyName: license.companyName,
    typeCode: license.typeCode,
    typeName: license.typeName[locale],
    status,
    statusReason: isAsRecorded ? license.statusReason : null,
    statusChangedAt: timeOrNull(changedAt(license, now)),
    suspendedFor: isAsRecorded ? license.suspendedFor : [],
    supersededBy: license.supersededBy ?? (status === 'superseded' ? license.renewedBy : null),
    renews: license.renews,
    renewedBy: license.renewedBy,
    renewal: await renewalJson(deps, license, now),
    grantedBy: license.grantedBy,
    validFrom: timeJson(license.validFrom),
    notYetValid: isNotYetValid(license, now),
    validUntil: timeOrNull(license.validUntil),
    issuedAt: timeJson(license.issuedAt),
    verifyUrl: verifyUrl(publicUrl, license.verifyCode),
    certificateUrl: license.certificateSha256 && `${publicUrl}/api/v1/licenses/${license.id}/certificate`,
  };
}

async function renewalJson(deps: Pick<ApiDeps, 'db'>, license: License, now: Date) {
  const standing = renewalStanding(renewableOf(license, statusAt(license, now)), now.getTime());
  const { state, opensAt, closesAt } = standing;
  const lateFee = state === 'late' ? await lateFeeOf(deps, license, now) : null;
  return {
    state,
    opensAt: opensAt === null ? null : timeJson(new Date(opensAt)),
    closesAt: closesAt === null ? null : timeJson(new Date(closesAt)),
    ...(license.renewal && { applicationId: license.renewal.id }),
    ...(lateFee && { lateFee: moneyJson(lateFee) }),
  };
}
