import { applicationStatus } from '../db/application-status.ts';
import type { ApplicationId } from '../domain/ids.ts';
import type { Actor, ApplicationState } from '../domain/licensing.ts';
import { statusJson } from './application-json.ts';
import type { ApiDeps } from './deps.ts';

/** Where a case stands that its caller has just moved. */
export async function statusAfter(deps: ApiDeps, actor: Actor, id: ApplicationId) {
  const status = await applicationStatus(deps.db, actor, id);
  if (!status) throw new Error(`application ${id} vanished`);
  return statusJson(status, deps.publicUrl);
}

/** As soon as it has left this state, or as it is after `withinMs`: then nobody works on it yet. */
export async function statusPast(
  deps: ApiDeps,
  actor: Actor,
  id: ApplicationId,
  { state, withinMs }: { state: ApplicationState; withinMs: number },
) {
  const until = performance.now() + withinMs;
  const done = new AbortController();
  try {
    for (;;) {
      // Listens before it reads: a change between the two would otherwise be waited for in vain.
      const changed = deps.changes.waitForChange(id, until - performance.now(), done.signal);
      const status = await statusAfter(deps, actor, id);
      if (status.state !== state || !(await changed)) return status;
    }
  } finally {
    done.abort();
  }
}
