/** The steps of sealing everything anew. Each is safe to repeat, and to be left off in the middle by a worker that dies. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import {
  type ResealedPage,
  type RotationProgress,
  recordRotated,
  recordRotationStarted,
  resealPage,
  rotationProgress,
  type SealedColumn,
} from '../db/rotation.ts';
import type { UserId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';

export function createPersonalDataActivities({ db, personalData }: Pick<ActivityDeps, 'db' | 'personalData'>) {
  /** Retried until a worker takes it that seals with this key: while they are restarted one by one, others still run. */
  const requireKey = (keyId: string): void => {
    if (personalData.keyId === keyId) return;
    throw new Error(
      `This worker seals with the key ${personalData.keyId}, and everything is to be sealed with ${keyId}. ` +
        'Start all workers with that key as ALUR_PERSONAL_DATA_KEY; this goes on by itself then.',
    );
  };

  return {
    /** @throws ApplicationFailure `key_missing` when something is sealed with a key that this worker does not have */
    async beginRotation(input: {
      keyId: string;
      by: UserId;
      started: string;
      startedAt: string;
      remaining: number;
    }): Promise<RotationProgress> {
      const { keyId, by, started, startedAt, remaining } = input;
      requireKey(keyId);
      const progress = await rotationProgress(db, personalData);
      const { missingKeys } = progress;
      if (missingKeys.length > 0) throw ApplicationFailure.nonRetryable(withoutKeys(missingKeys), 'key_missing');
      await recordRotationStarted(db, { key: started, keyId, remaining, by, at: startedAt });
      return progress;
    },

    /** One page of one column, in one transaction; heartbeats after each value. */
    async reencryptBatch(input: {
      keyId: string;
      column: SealedColumn;
      after: string | null;
      limit: number;
    }): Promise<ResealedPage> {
      requireKey(input.keyId);
      const context = Context.current();
      return resealPage(db, personalData, input, () => context.heartbeat());
    },

    async countSealed(input: { keyId: string }): Promise<RotationProgress> {
      requireKey(input.keyId);
      return rotationProgress(db, personalData);
    },

    async endRotation(input: { started: string; keyId: string; sealed: number; at: string }): Promise<void> {
      await recordRotated(db, input);
    },
  };
}

const withoutKeys = (keys: RotationProgress['missingKeys']): string =>
  `Values are sealed with keys that this worker does not have: ${keys.map(({ keyId, count }) => `${keyId} (${count})`).join(', ')}. ` +
  'Add these to ALUR_PERSONAL_DATA_PREVIOUS_KEYS of the worker and the API, then start the rotation again.';
