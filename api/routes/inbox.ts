import { z } from 'zod';
import { countInbox, type InboxItem, inboxOf, type StageCount } from '../../db/task-reads.ts';
import { Failure } from '../../domain/failures.ts';
import { STAGES } from '../../domain/licensing.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { positionInTime } from '../schemas/ids.ts';
import { inboxCountsSchema, inboxItemSchema, stageSchema } from '../schemas/licenses.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const tags = ['Review'];
const yesOrNo = z.enum(['true', 'false']).transform((word) => word === 'true');

/** Where a page ended, and the instant by which all pages of the list tell what is at risk. */
const positionInInbox = positionInTime.extend({
  late: z.boolean(),
  asOf: z.iso.datetime().transform((text) => new Date(text)),
});

const inbox = defineRoute({
  method: 'get',
  path: '/licenses/assigned',
  summary: "The caller's open tasks: what is at risk or overdue on top, then what is due first",
  description: 'Supervisors also see the tasks that nobody was free for.',
  tags,
  permission: 'review.inbox',
  query: z.strictObject({
    ...pageQuery,
    stage: stageSchema.optional(),
    typeCode: z.string().min(1).max(64).optional(),
    atRisk: yesOrNo.optional().describe('`true` = only what is at risk or overdue.'),
    overdue: yesOrNo.optional(),
    unassigned: yesOrNo.optional().describe('For supervisors: `true` = only what nobody has, `false` = only your own.'),
    companyName: z.string().min(1).max(200).optional().describe('How the name begins, in whichever case.'),
  }),
  responses: { 200: { description: 'A page of tasks', schema: pageOf(inboxItemSchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps }) {
    if (filter.unassigned && !actor.roles.includes('supervisor')) {
      throw new Failure('forbidden', 'Only supervisors see the tasks that nobody has.');
    }
    const after = readCursor(cursor, positionInInbox) ?? null;
    const asOf = after?.asOf ?? new Date();
    const rows = await inboxOf(deps.db, actor, { ...filter, asOf, after, limit: limit + 1 });
    const positionOf = ({ dueAt, taskId, late }: InboxItem) => ({ at: dueAt, id: taskId, late, asOf });
    return json(200, page(rows, limit, inboxJson, positionOf));
  },
});

const inboxJson = (item: InboxItem) => ({
  applicationId: item.applicationId,
  companyName: item.companyName,
  typeCode: item.typeCode,
  stage: item.stage,
  round: item.round,
  seat: item.seat,
  seats: item.seats,
  assignedAt: timeJson(item.assignedAt),
  dueAt: timeJson(item.dueAt),
  legalDueAt: timeOrNull(item.legalDueAt),
  atRisk: item.late,
  overdue: item.overdue,
  assigneeId: item.assigneeId,
});

const counts = defineRoute({
  method: 'get',
  path: '/licenses/assigned/counts',
  summary: "How many of the caller's tasks are open, at risk and overdue, by stage",
  description: 'Of the same tasks as the list without a filter.',
  tags,
  permission: 'review.inbox',
  responses: { 200: { description: 'Counts', schema: inboxCountsSchema } },
  async handler({ actor, deps }) {
    const counted = await countInbox(deps.db, actor, new Date());
    const ofStage = (stage: StageCount['stage']) =>
      counted.find((one) => one.stage === stage) ?? { stage, open: 0, atRisk: 0, overdue: 0 };
    const sum = (what: 'open' | 'atRisk' | 'overdue') => counted.reduce((all, one) => all + one[what], 0);
    return json(200, {
      stages: STAGES.map(ofStage),
      total: { open: sum('open'), atRisk: sum('atRisk'), overdue: sum('overdue') },
    });
  },
});

export const inboxRoutes = [inbox, counts];
