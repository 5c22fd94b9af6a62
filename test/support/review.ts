/** Cases under policies of a test's own, spoken to as their processes are: the rules of a review, without the frame of the API. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { appealedRoundOf } from '../../db/case-reads.ts';
import { pinnedPolicyOf } from '../../db/policies.ts';
import { writeStatement } from '../../db/statements.ts';
import { type ApplicationId, asId, type UserId } from '../../domain/ids.ts';
import type { ApplicationState, DecisionRequest, LicensePolicy, Stage } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import {
  decideUpdate,
  type LicenseReviewInput,
  progressQuery,
  type ReviewProgress,
  type TakenUpAgain,
} from '../../workflows/messages.ts';
import { aPolicy, aTypeCode, policy } from '../builders/licensing.ts';
import { demoOffice } from '../builders/people.ts';
import { storyOf } from './story.ts';
import type { TestSystem } from './system.ts';
import { travel } from './time.ts';
import { eventually } from './wait.ts';

export const REASONS = [{ code: 'requirement_not_met' }];
export const FIRST: Stage = 'document_verification';

/** One stage, one approver: the shortest review there is. */
export const ONE_STAGE: Partial<LicensePolicy> = {
  stages: [{ stage: 'approval', role: 'approver', sharePercent: 50 }],
  checklist: [],
};

export function reviewOf(system: TestSystem) {
  const { client } = system;
  const { db } = system.database;
  const story = storyOf(system);
  const handle = (id: string): WorkflowHandle => client.workflow.getHandle(processOf(id));

  /** A licence type of the demonstration office, whose staff reviews it. @returns its code */
  const typeUnder = async (changes: Partial<LicensePolicy>): Promise<string> => {
    const code = aTypeCode();
    const name = JSON.stringify({ id: 'Izin Uji', en: 'Test licence' });
    await db('license_types').insert({
      code,
      office_id: await demoOffice(db),
      name,
      risk: 'medium_high',
      position: 99,
    });
    await aPolicy(db, code, { version: 1, effectiveFrom: '2026-01-01T00:00:00Z', policy: policy(changes) });
    return code;
  };

  const submitted = async (code: string): Promise<string> => story.submitted(code);

  const progress = (id: string): Promise<ReviewProgress> => handle(id).query(progressQuery);

  const at = (id: string, stage: Stage, round = 1): Promise<ReviewProgress> =>
    eventually(`${id} at ${stage} in round ${round}`, async () => {
      const now = await progress(id);
      return now.stage === stage && now.round === round ? now : null;
    });

  /** Submitted, and at its first stage. */
  const open = async (changes: Partial<LicensePolicy>, stage: Stage = 'approval') => {
    const code = await typeUnder(changes);
    const id = await submitted(code);
    return { id, code, ...(await at(id, stage)) };
  };

  const stateOf = async (id: string): Promise<ApplicationState> => {
    const row: { state: ApplicationState } | undefined = await db('applications').where({ id }).first('state');
    return row?.state ?? assert.fail(`no application ${id}`);
  };

  const reaches = (id: string, state: ApplicationState): Promise<boolean> =>
    eventually(`${id} to be ${state}`, async () => (await stateOf(id)) === state);

  const decide = async (id: string, by: UserId | null, request: Partial<DecisionRequest> = {}) => {
    assert.ok(by, 'somebody holds the task');
    const { decision = 'approve' } = request;
    return handle(id).executeUpdate(decideUpdate, {
      updateId: randomUUID(),
      args: [{ by: await actor(by), decision, reasons: decision === 'approve' ? [] : REASONS, ...request }],
    });
  };

  const actor = async (userId: UserId): Promise<{ userId: UserId; roles: readonly Role[] }> => {
    const row: { roles: Role[] } | undefined = await db('users').where({ id: userId }).first('roles');
    return { userId, roles: row?.roles ?? [] };
  };

  const events = (id: string, type?: string): Promise<{ type: string; actor_id: string | null; data: EventData }[]> =>
    db('events')
      .where({ application_id: id, ...(type ? { type } : {}) })
      .orderBy('id')
      .select('type', 'actor_id', 'data');

  const letters = (id: string, template: string): Promise<string[]> =>
    db('mail_deliveries').where({ application_id: id, template, state: 'sent' }).orderBy('queued_at').pluck('user_id');

  const rungs = (id: string): Promise<string[]> =>
    db('escalations').where({ application_id: id }).orderBy('fired_at').orderBy('rung').pluck('rung');

  // The execution's own clock, which time travel moves.
  const ahead = new Map<string, number>();
  const nowOf = (id: string): number => Date.now() + (ahead.get(id) ?? 0);
  /** To a moment after this instant, by the process's own clock. */
  const until = async (id: string, instant: string, afterMs = 30_000): Promise<void> => {
    const ms = Date.parse(instant) + afterMs - nowOf(id);
    if (ms <= 0) return;
    await travel(client, processOf(id), ms / 1000);
    ahead.set(id, (ahead.get(id) ?? 0) + ms);
  };

  /** Takes the case up again as the API does. */
  const again = async (id: string, kind: TakenUpAgain['kind'], stage: Stage | null = null): Promise<string> => {
    const [row] = await db('applications').where({ id }).select('company_id', 'type_code', 'round');
    const statementId = randomUUID();
    const by = demoUserId('owner');
    const said = new Date(nowOf(id)).toISOString();
    const applicationId = asId<ApplicationId>(id);
    const appealedRound = await appealedRoundOf(db, applicationId);
    await writeStatement(db, {
      id: statementId,
      applicationId,
      kind: kind === 'appeal' ? 'appeal' : 'reopening',
      round: row.round,
      by,
      at: said,
      text: 'Please look again.',
    });
    ahead.delete(id);
    const input: LicenseReviewInput = {
      applicationId,
      companyId: row.company_id,
      applicant: by,
      typeCode: row.type_code,
      policy: await pinnedPolicyOf(db, applicationId),
      submittedAt: said,
      again: { kind, round: row.round, stage, statementId, ...(appealedRound > 0 ? { appealedRound } : {}) },
    };
    await eventually(
      'the run before to have ended',
      async () => (await handle(id).describe()).status.name !== 'RUNNING',
    );
    await client.workflow.start('licenseReview', {
      workflowId: processOf(id),
      taskQueue: system.taskQueue,
      args: [input],
    });
    return statementId;
  };

  return {
    story,
    handle,
    typeUnder,
    submitted,
    progress,
    at,
    open,
    stateOf,
    reaches,
    decide,
    actor,
    events,
    letters,
    rungs,
    nowOf,
    until,
    again,
  };
}

export type Review = ReturnType<typeof reviewOf>;
type EventData = Readonly<Record<string, unknown>>;

export const processOf = (id: string): string => licenseReviewId(asId<ApplicationId>(id));

/** The code that an update was refused with; null when it was not. */
export async function refusalOf(update: Promise<unknown>): Promise<string | null> {
  try {
    await update;
    return null;
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    return error.cause.type ?? 'a refusal without a code';
  }
}
