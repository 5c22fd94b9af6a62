/** How a process says the time and says no. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { FailureCode, FailureFacts } from '../domain/failures.ts';
import type { Refusal } from '../domain/licensing.ts';

/** Now, as the history tells it: the same on every replay. Activities write this, never their own clock. */
export const clock = (): string => new Date(Date.now()).toISOString();

/** A refusal as the caller of an update receives it; expected, so it raises no alarm. */
export const refused = ({ code, message, facts }: Refusal): ApplicationFailure =>
  ApplicationFailure.create({
    message,
    type: code,
    nonRetryable: true,
    details: [facts],
    category: ApplicationFailureCategory.BENIGN,
  });

/** For validators, which refuse by throwing. */
export function refuseIf(refusal: Refusal | null): void {
  if (refusal) throw refused(refusal);
}

export const refusal = (code: FailureCode, message: string, facts: FailureFacts = {}): Refusal => ({
  code,
  message,
  facts,
});
