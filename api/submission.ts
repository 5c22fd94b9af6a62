/** Handing an application over to the office: accepted while every worker is down, and lost by no crash in between. */

import type { JudgedType } from '../db/license-types.ts';
import { pinRules } from '../db/policies.ts';
import { freezeSubmission } from '../db/submissions.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';
import type { ApiDeps } from './deps.ts';
import { startReview } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

export interface Handover {
  readonly id: ApplicationId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: Date;
}

/**
 * Starts the process first, then records the submission. Should the API die between the two, the process makes the same
 * record as its first step; the other way round, a submitted case could be left without anybody who works on it.
 */
export async function sendIn(deps: ApiDeps, type: JudgedType, handover: Handover): Promise<void> {
  const { id, companyId, by, origin } = handover;
  const at = handover.at.toISOString();
  await pinRules(deps.db, id, type);
  await startReview(deps, {
    applicationId: id,
    companyId,
    applicant: by,
    typeCode: type.code,
    policy: type.policy,
    submittedAt: at,
    origin: sealOrigin(deps, origin),
  });
  const frozen = await freezeSubmission(deps.db, { applicationId: id, round: 1, by, origin, at });
  if (frozen === 'withdrawn')
    throw new Failure('already_closed', 'This application was withdrawn while it was submitted.');
}
