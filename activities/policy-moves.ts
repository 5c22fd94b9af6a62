/** Moving the open cases of a type to another version of its rules: each is asked by its own update. */
import { activityInfo, getClient, heartbeat, log } from '@temporalio/activity';
import {
  type Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { openCasesOf, policyOfMove } from '../db/policies.ts';
import type { ApplicationId, PolicyId } from '../domain/ids.ts';
import type { Actor, LicensePolicy } from '../domain/licensing.ts';
import type { ActivityDeps } from './deps.ts';

export interface MoveCases {
  readonly errands: readonly { readonly applicationId: ApplicationId; readonly workflowId: string }[];
  /** Its ID is the same at every try: a case answers a repeat as it did before. */
  readonly update: { readonly name: string; readonly id: string };
  readonly policyId: PolicyId;
  readonly by: Actor;
  readonly reason: string;
}

/** Shorter than the heartbeat: a case whose process hangs must not look like a dead worker. */
const ANSWER_WITHIN_MS = 5_000;
/** A case that does not answer at so many tries of its page stays, and the others go on. */
const TRIES = 3;

export function createPolicyMoveActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    casesOfType: (page: { typeCode: string; after: ApplicationId | null; limit: number }): Promise<ApplicationId[]> =>
      openCasesOf(db, page.typeCode, page),

    /** @returns those that stay under their rules */
    async moveCases({ errands, update, policyId, by, reason }: MoveCases): Promise<{ stayed: ApplicationId[] }> {
      const client = getClient();
      const answers = { stayed: [] as ApplicationId[], silent: [] as ApplicationId[] };
      for (const { applicationId, workflowId } of errands) {
        heartbeat();
        const policy = await policyOfMove(db, applicationId, policyId);
        const answer = await ask(client, workflowId, update, { by, policy, reason });
        if (answer !== 'moved') answers[answer].push(applicationId);
      }
      if (answers.silent.length > 0 && activityInfo().attempt < TRIES)
        throw new Error(`${answers.silent.length} cases did not answer; the page is asked again`);
      return { stayed: [...answers.stayed, ...answers.silent] };
    },
  };
}

async function ask(
  client: Client,
  workflowId: string,
  update: MoveCases['update'],
  request: { readonly by: Actor; readonly policy: LicensePolicy; readonly reason: string },
): Promise<'moved' | 'stayed' | 'silent'> {
  try {
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow
        .getHandle(workflowId)
        .executeUpdate<unknown, [typeof request]>(update.name, { updateId: update.id, args: [request] }),
    );
    return 'moved';
  } catch (error) {
    // Refused by its rules, or it is over by now: both are answers.
    if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError) return 'stayed';
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
    log.warn('a case did not answer when it was to be moved to another policy', { workflowId });
    return 'silent';
  }
}
