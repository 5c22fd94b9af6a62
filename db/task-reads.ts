import type { Knex } from 'knex';
import type { RungCode } from '../domain/escalation.ts';
import type { ApplicationId, OfficeId, TaskId, UserId } from '../domain/ids.ts';
import type { Actor, Stage } from '../domain/licensing.ts';
import type { AfterInTime } from './applications.ts';
import type { StoredPlan } from './tasks.ts';

export interface InboxItem {
  readonly taskId: TaskId;
  readonly applicationId: ApplicationId;
  readonly companyName: string;
  readonly typeCode: string;
  readonly stage: Stage;
  readonly round: number;
  /** null = nobody was free: any supervisor may take it. */
  readonly assigneeId: UserId | null;
  readonly assignedAt: Date;
  readonly dueAt: Date;
  readonly atRiskAt: Date | null;
}

// Two ordered walks, each along its own index, instead of one condition with "or" that would sort everything.
const INBOX = (conditions: readonly string[], after: string) => `
  select t.id as "taskId", t.application_id as "applicationId", c.name as "companyName", a.type_code as "typeCode", t.stage, t.round,
         t.assignee_id as "assigneeId", t.assigned_at as "assignedAt", t.due_at as "dueAt", t.at_risk_at as "atRiskAt"
    from (${conditions
      .map((mine) => `(select * from tasks where state = 'open' and ${mine} ${after} order by due_at, id limit :limit)`)
      .join(' union all ')}) t
    join applications a on a.id = t.application_id
    join companies c on c.id = a.company_id
   order by t.due_at, t.id
   limit :limit`;

/** The open tasks of a person, what is due first on top; a supervisor also sees those that nobody has. */
export async function inboxOf(
  db: Knex,
  viewer: Actor,
  options: { after: AfterInTime | null; limit: number },
): Promise<InboxItem[]> {
  const { after, limit } = options;
  const conditions = ['assignee_id = :viewer', ...(viewer.roles.includes('supervisor') ? ['assignee_id is null'] : [])];
  const { rows }: { rows: InboxItem[] } = await db.raw(
    INBOX(conditions, after ? 'and (due_at, id) > (:at, :id)' : ''),
    {
      viewer: viewer.userId,
      limit,
      at: after?.at ?? null,
      id: after?.id ?? null,
    },
  );
  return rows;
}

export interface OpenTask {
  readonly stage: Stage;
  readonly round: number;
  readonly openedAt: Date;
  readonly dueAt: Date;
  readonly budgetMs: bigint;
  /** Working time of this stage that had passed before `openedAt`. */
  readonly usedMs: bigint;
  readonly plan: StoredPlan;
  readonly fired: readonly { readonly code: RungCode; readonly at: string }[];
  readonly officeId: OfficeId;
}

/** The stage that a case waits at, with its plan and the rungs that have fired; null when it waits at none. */
export async function openTaskOf(db: Knex, applicationId: ApplicationId): Promise<OpenTask | null> {
  const { rows }: { rows: OpenTask[] } = await db.raw(
    `select t.stage, t.round, t.opened_at as "openedAt", t.due_at as "dueAt", t.budget_ms as "budgetMs", t.used_ms as "usedMs", t.plan,
            y.office_id as "officeId",
            coalesce((select json_agg(json_build_object('code', e.rung, 'at', e.fired_at) order by e.fired_at)
                        from escalations e
                       where e.application_id = t.application_id and e.stage = t.stage and e.round = t.round), '[]') as fired
       from tasks t
       join applications a on a.id = t.application_id
       join license_types y on y.code = a.type_code
      where t.application_id = ? and t.state = 'open'`,
    [applicationId],
  );
  return rows[0] ?? null;
}
