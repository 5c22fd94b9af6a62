/** How the API starts the process that seals everything anew, and asks what became of it. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type RotationProgress, recordRotationStarted } from '../db/rotation.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { UserId } from '../domain/ids.ts';
import { personalDataRotationId } from '../workflows/ids.ts';
import type { PersonalDataRotationInput } from '../workflows/personal-data-rotation.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';

interface Asked {
  readonly by: UserId;
  readonly origin: Origin;
  readonly requestKey: string;
  readonly at: Date;
}

/**
 * The event is written, the process started, and then the event committed: a start that fails leaves none. Should the API
 * die in between, the process writes it by the same key, without the caller's address.
 * @throws Failure `key_missing` when something is sealed with a key that is not configured, `rotation_running`
 */
export async function startRotation(deps: ApiDeps, progress: RotationProgress, asked: Asked): Promise<void> {
  const { keyId, remaining, missingKeys } = progress;
  if (missingKeys.length > 0) throw new Failure('key_missing', missing(missingKeys));
  const at = asked.at.toISOString();
  const input: PersonalDataRotationInput = {
    keyId,
    by: asked.by,
    started: `${personalDataRotationId(keyId)}/${asked.requestKey}`,
    startedAt: at,
    remaining,
  };
  await deps.db.transaction(async (trx) => {
    const { by, origin } = asked;
    await recordRotationStarted(trx, { key: input.started, keyId, remaining, by, origin, at });
    await start(deps, input);
  });
}

const missing = (keys: RotationProgress['missingKeys']): string =>
  `Values are sealed with keys that are not configured: ${keys.map(({ keyId, count }) => `${keyId} (${count})`).join(', ')}. ` +
  'Add these to ALUR_PERSONAL_DATA_PREVIOUS_KEYS of the API and the worker, then start the rotation again.';

async function start({ temporal, taskQueue }: ApiDeps, input: PersonalDataRotationInput): Promise<void> {
  const workflowId = personalDataRotationId(input.keyId);
  const begin = () =>
    temporal.workflow.start('personalDataRotation', {
      workflowId,
      taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      // Again after one that has ended: what was sealed late by a process with the old key is sealed anew then.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: 'Personal data: seal everything with the current key',
    });
  try {
    await withinTime(temporal, begin);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new Failure('rotation_running', '', {}, { cause: error });
  }
}

export type RotationState = 'not_started' | 'running' | 'completed' | 'failed' | 'unknown';

/** Of the last run for the current key. Temporal away = `unknown`: the counts, which matter more, are the records'. */
export async function rotationState({ temporal, personalData }: ApiDeps): Promise<RotationState> {
  const handle = temporal.workflow.getHandle(personalDataRotationId(personalData.keyId));
  try {
    const { status } = await withinTime(temporal, () => handle.describe());
    if (status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW') return 'running';
    return status.name === 'COMPLETED' ? 'completed' : 'failed';
  } catch (error) {
    const { code } = toFailure(error);
    if (code === 'not_found') return 'not_started';
    if (code === 'temporarily_unavailable') return 'unknown';
    throw error;
  }
}
