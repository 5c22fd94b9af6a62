/** A case as the records hold it, made up: approved in three stages, with one correction. A day in Jakarta begins at 01:00 UTC. */
import { asId, type UserId } from '../../domain/ids.ts';
import type { Stage } from '../../domain/licensing.ts';
import type { CaseRecord, DecisionRecord, EventRecord, TaskRecord } from './records.ts';

export const at = (time: string): number => Date.parse(`2026-03-${time}:00Z`);
const HOUR_MS = 3_600_000;
export const person = (name: string): UserId => asId(name);

const task = (stage: Stage, from: string, to: string, more: Partial<TaskRecord> = {}): TaskRecord => ({
  ...{ round: 1, stage, seat: 1, assignee: person(stage), state: 'decided' as const, usedMs: 0 },
  ...{ assignedAt: at(from), openedAt: at(from), closedAt: at(to) },
  ...more,
});

const decision = (stage: Stage, when: string, more: Partial<DecisionRecord> = {}): DecisionRecord => ({
  ...{ round: 1, stage, seat: 1, decision: 'approve' as const, by: person(stage), at: at(when), override: false },
  ...more,
});

const event = (type: EventRecord['type'], when: string, data: EventRecord['data'] = {}): EventRecord => ({
  ...{ type, by: null, at: at(when), data },
});

export const A_CASE: CaseRecord = {
  number: 7,
  typeCode: 'restaurant',
  isAutomatic: false,
  state: 'active',
  round: 2,
  submittedAt: at('02T02:00'),
  closedAt: at('04T03:00'),
  completeAt: at('02T02:00'),
  budgetMs: 40 * HOUR_MS,
  suspensions: [{ from: at('02T04:00'), to: at('03T02:00') }],
  tasks: [
    task('document_verification', '02T02:00', '02T04:00'),
    task('document_verification', '03T02:00', '03T03:00', { round: 2, usedMs: 2 * HOUR_MS }),
    task('compliance_check', '03T03:00', '03T08:00', { round: 2 }),
    task('approval', '03T08:00', '04T03:00', { round: 2 }),
  ],
  decisions: [
    decision('document_verification', '02T04:00', { decision: 'request_correction' }),
    decision('document_verification', '03T03:00', { round: 2 }),
    decision('compliance_check', '03T08:00', { round: 2 }),
    decision('approval', '04T03:00', { round: 2 }),
  ],
  rungs: [{ round: 2, stage: 'compliance_check', code: 'half', at: at('03T07:00') }],
  events: [
    event('application.submitted', '02T02:00'),
    event('application.completeness_checked', '02T02:00'),
    event('task.assigned', '02T02:00', { stage: 'document_verification' }),
    event('decision.recorded', '02T04:00', { to: 'correction_requested' }),
    event('application.correction_requested', '02T04:00'),
    event('application.resubmitted', '03T02:00'),
    event('application.completeness_checked', '03T02:00'),
    event('task.assigned', '03T02:00', { stage: 'document_verification' }),
    event('decision.recorded', '03T03:00', { to: 'compliance_check' }),
    event('task.assigned', '03T03:00', { stage: 'compliance_check' }),
    event('task.reminded', '03T07:00', { assignee: person('compliance_check') }),
    event('decision.recorded', '03T08:00', { to: 'approval' }),
    event('task.assigned', '03T08:00', { stage: 'approval' }),
    event('decision.recorded', '04T03:00', { to: 'activating' }),
    event('license.issued', '04T03:00'),
  ],
};
