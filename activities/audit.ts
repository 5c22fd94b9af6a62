/** Sealing the events, for as long as there are unsealed ones. */
import { Context } from '@temporalio/activity';
import { sealNextBatch } from '../db/audit.ts';
import { createAuditSigner } from '../db/audit-hash.ts';
import type { ActivityDeps } from './deps.ts';

export interface SealingDone {
  readonly batches: number;
  readonly events: number;
}

export function createAuditActivities({ db, auditPrivateKeyPem }: Pick<ActivityDeps, 'db' | 'auditPrivateKeyPem'>) {
  return {
    /** Batch after batch, each a transaction of its own; safe to repeat and to run in many workers at once. */
    async sealEvents(): Promise<SealingDone> {
      const signer = createAuditSigner(auditPrivateKeyPem);
      const context = Context.current();
      let done: SealingDone = { batches: 0, events: 0 };
      for (;;) {
        context.cancellationSignal.throwIfAborted();
        const sealed = await sealNextBatch(db, signer);
        if (typeof sealed === 'string') return done;
        done = { batches: done.batches + 1, events: done.events + sealed.events };
        context.heartbeat(done);
      }
    },
  };
}
