/** A second factor given anew in a log-in that goes on: what sensitive actions ask for. */
import { recordEvent } from '../db/events.ts';
import { noteSecondFactor } from '../db/sessions.ts';
import { findUser, type User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { Method } from '../domain/second-factors.ts';
import type { ApiDeps } from './deps.ts';
import { hasSteppedUp, STEP_UP_MS } from './middleware/authorisation.ts';
import type { Caller } from './request.ts';
import { type ProofDeps, prove } from './second-factor-proof.ts';

/** A person in a log-in of their own, as opposed to a key. */
export interface Person {
  readonly user: User;
  readonly sessionId: string;
}

/** @throws Failure `forbidden` for a key: it has no second factor, and must not get one for its account */
export async function personOf({ db }: Pick<ApiDeps, 'db'>, caller: Caller): Promise<Person> {
  const user = await findUser(db, caller.userId);
  if (caller.sessionId === undefined || !user) {
    throw new Failure('forbidden', 'A second factor belongs to a person: log in with e-mail address and password.');
  }
  return { user, sessionId: caller.sessionId };
}

/** @returns until when the session counts as fresh */
export async function stepUp(
  deps: ProofDeps,
  { user, sessionId }: Person,
  given: {
    readonly code: string;
    readonly method?: Method | undefined;
    readonly origin: Origin;
    readonly requestKey: string;
  },
): Promise<Date> {
  const { at } = await prove(
    deps,
    user,
    { ...given, purpose: 'step_up' },
    {
      begin: async () => sessionId,
      right: async (trx, _session, method, now) => {
        await noteSecondFactor(trx, sessionId, now);
        await recordEvent(trx, {
          key: `session/${sessionId}/stepped-up/${given.requestKey}`,
          type: 'step_up.succeeded',
          by: user.id,
          subject: `session/${sessionId}`,
          origin: given.origin,
          data: { method },
          at: now.toISOString(),
        });
      },
    },
  );
  return new Date(at.getTime() + STEP_UP_MS);
}

/** For what wants it only in some cases; a route that always does declares `stepUp`. @throws Failure `step_up_required` */
export async function requireStepUp(db: ApiDeps['db'], { sessionId }: Pick<Person, 'sessionId'>): Promise<void> {
  if (!(await hasSteppedUp(db, { sessionId }))) throw new Failure('step_up_required', '');
}
