/** Cases of the review in depth: each under a policy of its own, free of charge so that an approved one ends by itself. */
import { randomUUID } from 'node:crypto';
import { writeStatement } from '../../db/statements.ts';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import {
  cancelUpdate,
  documentScannedSignal,
  movePolicyUpdate,
  overrideUpdate,
  replannedSignal,
  respondUpdate,
  resubmitUpdate,
} from '../../workflows/messages.ts';
import { policy } from '../builders/licensing.ts';
import { ONE_STAGE, processOf, REASONS, reviewOf } from '../support/review.ts';
import type { TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

const FREE: Partial<LicensePolicy> = { ...ONE_STAGE, fee: { statutoryMinor: '0', serviceMinor: '0', currency: 'IDR' } };

export function reviewCasesOf(system: TestSystem): (() => Promise<Played>)[] {
  const review = reviewOf(system);
  const { db } = system.database;
  const owner = () => review.actor(demoUserId('owner'));
  const supervisor = () => review.actor(demoUserId('supervisor'));
  const at = async (id: string, column: 'due_at' | 'legal_due_at'): Promise<string> => {
    const found = await eventually(`${column} of ${id}`, async () => {
      const row: { at: Date | null } | undefined = await db('applications').where({ id }).first({ at: column });
      return row?.at;
    });
    return found.toISOString();
  };
  const resubmit = async (id: string) =>
    review.handle(id).executeUpdate(resubmitUpdate, { args: [{ by: await owner() }] });
  const lapsed = async () => {
    const correction = { maxRounds: 2, answerWithinWorkingDays: 10, remindAtPercent: [50, 80], reopenWithinDays: 180 };
    const { id, assignee } = await review.open({ ...FREE, correction });
    await review.decide(id, assignee, { decision: 'request_correction' });
    await review.until(id, await at(id, 'due_at'));
    await review.reaches(id, 'lapsed_no_response');
    return { id, assignee };
  };

  return [
    async () => {
      const quorum = { of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' } as const;
      const stages = [{ stage: 'approval', role: 'approver', sharePercent: 50, quorum }] as const;
      const { id } = await review.open({ ...FREE, stages });
      await review.decide(id, demoUserId('approver'), { decision: 'reject' });
      await review.decide(id, demoUserId('approver2'));
      await review.decide(id, demoUserId('head'));
      await review.reaches(id, 'active');
      return { 'licenseReview-quorum': processOf(id) };
    },
    async () => {
      const { id, assignee } = await review.open({ ...FREE, intent: { required: true, answerWithinWorkingDays: 5 } });
      await review.decide(id, assignee, { decision: 'intend_to_reject' });
      const statementId = randomUUID();
      const by = await owner();
      const said = { applicationId: asId<ApplicationId>(id), kind: 'response', round: 1, by: by.userId } as const;
      await writeStatement(db, { ...said, id: statementId, at: new Date().toISOString(), text: 'It is not so.' });
      await review.handle(id).executeUpdate(respondUpdate, { args: [{ by, statementId }] });
      await review.decide(id, assignee, { decision: 'reject' });
      await review.reaches(id, 'rejected');
      return { 'licenseReview-intent-answered': processOf(id) };
    },
    async () => {
      const { id } = await review.open({ ...FREE, deemedApproval: 'issue' });
      await review.until(id, await at(id, 'legal_due_at'), -1_500);
      await review.reaches(id, 'active');
      return { 'licenseReview-deemed-approval': processOf(id) };
    },
    async () => {
      const { id } = await review.open(FREE);
      const request = { by: await supervisor(), decision: 'reject', reasons: REASONS, reason: 'no time left' } as const;
      await review.handle(id).executeUpdate(overrideUpdate, { args: [request] });
      await review.reaches(id, 'rejected');
      return { 'licenseReview-override': processOf(id) };
    },
    async () => {
      const { id } = await review.open(FREE);
      const request = { by: await supervisor(), code: 'duplicate', reason: 'twice' } as const;
      await review.handle(id).executeUpdate(cancelUpdate, { args: [request] });
      return { 'licenseReview-cancelled': processOf(id) };
    },
    async () => {
      const { id } = await lapsed();
      await review.again(id, 'reopened', 'approval');
      await review.reaches(id, 'correction_requested');
      await resubmit(id);
      const { assignee } = await review.at(id, 'approval', 2);
      await review.decide(id, assignee);
      await review.reaches(id, 'active');
      return { 'licenseReview-reopened': processOf(id) };
    },
    async () => {
      const { id } = await lapsed();
      return { 'licenseReview-reminded-of-a-correction': processOf(id) };
    },
    async () => {
      const { id, assignee } = await review.open({ ...FREE, appeal: { withinDays: 30 } });
      await review.decide(id, assignee, { decision: 'reject' });
      await review.reaches(id, 'rejected');
      await review.again(id, 'appeal');
      const now = await review.at(id, 'approval', 2);
      await review.decide(id, now.assignee);
      await review.reaches(id, 'active');
      return { 'licenseReview-appeal': processOf(id) };
    },
    async () => {
      const fallback = { stage: 'compliance_check', role: 'examiner', sharePercent: 90 } as const;
      const code = await review.typeUnder({
        ...FREE,
        path: 'automatic',
        stages: [],
        automatic: { auditPercent: 10, fallback },
      });
      const rule = { code: 'never', expression: 'false', otherwise: 'fail', reason: { id: 'Tidak', en: 'No' } };
      await db('compliance_rule_sets').insert({
        id: randomUUID(),
        type_code: code,
        version: 1,
        effective_from: '2026-01-01T00:00:00Z',
        rules: JSON.stringify([rule]),
        published_at: '2026-01-01T00:00:00Z',
      });
      const id = await review.submitted(code);
      const { assignee } = await review.at(id, 'compliance_check');
      await review.decide(id, assignee);
      await review.reaches(id, 'active');
      return { 'licenseReview-fallback': processOf(id) };
    },
    async () => {
      const { id, assignee } = await review.open(FREE);
      await review.handle(id).signal(replannedSignal, { calendarVersion: 2 });
      const request = {
        by: await supervisor(),
        policy: policy({ ...FREE, legalWorkingDays: 20 }),
        reason: 'new rules',
      };
      await review.handle(id).executeUpdate(movePolicyUpdate, { args: [request] });
      await review.decide(id, assignee);
      await review.reaches(id, 'active');
      return { 'licenseReview-policy-moved': processOf(id) };
    },
    async () => {
      const id = await review.story.draft(
        await review.typeUnder({ ...FREE, checklist: [{ kind: 'ktp', required: true }] }),
      );
      await db('documents').where({ application_id: id }).update({ scan_state: 'waiting' });
      await review.story.expect(200, review.story.call('POST', `licenses/applications/${id}/submit`, { as: 'owner' }));
      await eventually('the process to wait for the scan', async () => {
        const events = (await review.handle(id).fetchHistory()).events ?? [];
        return events.some((event) => event.timerStartedEventAttributes);
      });
      const [document] = await db('documents')
        .where({ application_id: id })
        .update({ scan_state: 'clean' })
        .returning('id');
      await review.handle(id).signal(documentScannedSignal, { documentId: document.id });
      const { assignee } = await review.at(id, 'approval');
      await review.decide(id, assignee);
      await review.reaches(id, 'active');
      return { 'licenseReview-scanned-first': processOf(id) };
    },
  ];
}
