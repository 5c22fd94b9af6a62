/** Cases that were over and are taken up again: one that lapsed unanswered is reopened, a rejection is appealed. */
import type { FailureFacts } from './failures.ts';
import type { ApplicationState, LicensePolicy, Refusal } from './licensing.ts';

export interface CaseThatEnded {
  readonly state: ApplicationState;
  /** Epoch milliseconds; null = it is open. */
  readonly closedAt: number | null;
  /** That the case is judged by. */
  readonly policy: Pick<LicensePolicy, 'correction' | 'appeal'>;
}

const DAY_MS = 86_400_000;

/** Whether a case that lapsed unanswered may be reopened at `now`; null = it may. Days are calendar days. */
export function refuseReopening({ state, closedAt, policy }: CaseThatEnded, now: number): Refusal | null {
  const days = policy.correction.reopenWithinDays;
  if (state !== 'lapsed_no_response' || closedAt === null) {
    return refusal(`The case is ${state}; only one that lapsed unanswered is reopened.`, { state });
  }
  if (days === undefined) return refusal('Cases of this licence type are not reopened. Begin another application.');
  return within(closedAt, days, now) ? null : tooLate('reopened', days);
}

/** Whether a rejection may be appealed at `now`; null = it may. Once a case. */
export function refuseAppeal(ended: CaseThatEnded & { readonly appealed: boolean }, now: number): Refusal | null {
  const { state, closedAt, policy, appealed } = ended;
  if (appealed) return refusal('The rejection was appealed before; that is possible once. Begin another application.');
  if (state !== 'rejected' || closedAt === null) {
    return refusal(`The case is ${state}; only a rejection is appealed.`, { state });
  }
  if (!policy.appeal) return refusal('Rejections of this licence type are final. Begin another application.');
  const { withinDays } = policy.appeal;
  return within(closedAt, withinDays, now) ? null : tooLate('appealed', withinDays);
}

const within = (closedAt: number, days: number, now: number): boolean => now <= closedAt + days * DAY_MS;

const tooLate = (what: string, days: number): Refusal =>
  refusal(`It could be ${what} within ${days} days of its end; they are over. Begin another application.`);

const refusal = (message: string, facts: FailureFacts = {}): Refusal => ({ code: 'not_reopenable', message, facts });
