/** How a process says the time, says no, and takes no for an answer. */
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { isCancellation } from '@temporalio/workflow';
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

/** An activity that gave up under its policy, or nobody there to be told; what is cancelled stays cancelled. */
export async function orNull<T>(activity: Promise<T>): Promise<T | null> {
  try {
    return await activity;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return null;
  }
}

/** As a local activity first, which costs the history one event; a database that is away is waited for by the server. */
export async function nearFirst<Input, Output>(
  near: (input: Input) => Promise<Output>,
  byServer: (input: Input) => Promise<Output>,
  input: Input,
): Promise<Output> {
  return (await orNull(near(input))) ?? byServer(input);
}
