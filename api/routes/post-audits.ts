/** Audits after the fact: of what the law granted, and of a sample of what nobody looked at. */
import { z } from 'zod';
import { findEvidence } from '../../db/evidence.ts';
import { findAudit, listAudits, type PostAudit } from '../../db/post-audit-reads.ts';
import { decideAudit, decideProposal } from '../../db/post-audits.ts';
import { Failure } from '../../domain/failures.ts';
import type { PostAuditId } from '../../domain/ids.ts';
import { statusAt } from '../../domain/licenses.ts';
import type { Actor } from '../../domain/licensing.ts';
import type { ApiDeps } from '../deps.ts';
import { evidenceJson } from '../evidence-json.ts';
import { page, pageOf, readCursor } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { positionInTime, postAuditIdSchema } from '../schemas/ids.ts';
import {
  auditDecisionSchema,
  auditQuerySchema,
  postAuditInFullSchema,
  postAuditSchema,
  proposalDecisionSchema,
} from '../schemas/post-audits.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const params = z.object({ id: postAuditIdSchema });
const tags = ['Admin'];
const apart = ['own_application', 'conflict_declared', 'already_acted'] as const;
const responses = { 200: { description: 'The audit, as it is now', schema: postAuditInFullSchema } };

const list = defineRoute({
  method: 'get',
  path: '/admin/post-audits',
  summary: 'Audits after the fact, the one that is due first, first',
  description: 'Of the own office. `proposal=open` lists what waits for the decision whether to suspend a licence.',
  tags,
  permission: 'review.audit',
  query: auditQuerySchema,
  responses: { 200: { description: 'A page of audits', schema: pageOf(postAuditSchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const now = new Date();
    const rows = await listAudits(deps.db, actor, { ...filter, now, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, toJson, ({ dueAt, id }) => ({ at: dueAt, id })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/admin/post-audits/:id',
  summary: 'An audit, with the evidence of what the law granted',
  tags,
  permission: 'review.audit',
  params,
  problems: ['not_found'],
  responses,
  handler: async ({ params: { id }, actor, deps }) => json(200, await inFull(deps, actor, id)),
});

const decide = defineRoute({
  method: 'post',
  path: '/admin/post-audits/:id/decide',
  summary: 'Record what an audit found',
  description:
    'A failed one proposes to suspend the licence: another person decides on that. Whoever had a part in the case does ' +
    'not audit it.',
  tags,
  permission: 'review.audit',
  params,
  body: auditDecisionSchema,
  problems: ['not_found', 'audit_not_open', ...apart],
  responses,
  async handler({ params: { id }, body, actor, origin, deps, requestKey }) {
    await seen(deps, actor, id);
    const at = new Date().toISOString();
    await deps.db.transaction((tx) => decideAudit(tx, { id, ...body, by: actor.userId, requestKey, at, origin }));
    return json(200, await inFull(deps, actor, id));
  },
});

const propose = defineRoute({
  method: 'post',
  path: '/admin/post-audits/:id/proposal',
  summary: 'Decide whether the licence of a failed audit is suspended',
  description: 'By another person than the auditor. What is dismissed stays on record.',
  tags,
  permission: 'license.manage',
  stepUp: 'where_there_is_a_factor',
  params,
  body: proposalDecisionSchema,
  problems: ['not_found', 'audit_not_open', 'license_not_active', 'license_ended', 'step_up_required', ...apart],
  responses,
  async handler({ params: { id }, body, actor, origin, deps, requestKey }) {
    await seen(deps, actor, id);
    const at = new Date().toISOString();
    await deps.db.transaction((tx) => decideProposal(tx, { id, ...body, by: actor.userId, requestKey, at, origin }));
    return json(200, await inFull(deps, actor, id));
  },
});

export const postAuditRoutes = [list, read, decide, propose];

async function seen({ db }: ApiDeps, actor: Actor, id: PostAuditId): Promise<PostAudit> {
  const found = await findAudit(db, actor, id, new Date());
  if (!found) throw new Failure('not_found', 'There is no such audit, or none that you may see.');
  return found;
}

async function inFull(deps: ApiDeps, actor: Actor, id: PostAuditId) {
  const audit = await seen(deps, actor, id);
  const evidence = await findEvidence(deps.db, audit.applicationId);
  return { ...toJson(audit), evidence: evidence && (await evidenceJson(deps, actor, evidence)) };
}

function toJson(audit: PostAudit) {
  const { proposal, license } = audit;
  return {
    id: audit.id,
    applicationId: audit.applicationId,
    companyName: audit.companyName,
    typeCode: audit.typeCode,
    kind: audit.kind,
    state: audit.state,
    openedAt: timeJson(audit.openedAt),
    dueAt: timeJson(audit.dueAt),
    overdue: audit.overdue,
    decidedBy: audit.decidedBy,
    decidedAt: timeOrNull(audit.decidedAt),
    findings: audit.findings,
    proposal: proposal && {
      state: proposal,
      dueAt: timeOrNull(audit.proposalDueAt),
      decidedBy: audit.proposalDecidedBy,
      decidedAt: timeOrNull(audit.proposalDecidedAt),
      note: audit.proposalNote,
    },
    license: license && { id: license.id, number: license.number, status: statusAt(license, new Date()) },
  };
}
