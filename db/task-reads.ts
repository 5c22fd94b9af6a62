import type { Knex } from 'knex';
import type { ApplicationId, TaskId, UserId } from '../domain/ids.ts';
import type { Actor, Stage } from '../domain/licensing.ts';
import type { AfterInTime } from './applications.ts';

export interface InboxItem {
  readonly taskId: TaskId;
  readonly applicationId: ApplicationId;
  readonly companyName: string;
  readonly typeCode: string;
  readonly stage: Stage;
  readonly round: number;
  /** Of a quorum, from 1; and how many seats the stage has. */
  readonly seat: number;
  readonly seats: number;
  /** null = nobody was free: any supervisor may take it. */
  readonly assigneeId: UserId | null;
  readonly assignedAt: Date;
  readonly dueAt: Date;
  readonly legalDueAt: Date | null;
  /** At risk or overdue, as of the instant that the list was asked for. */
  readonly late: boolean;
  readonly overdue: boolean;
}

export interface InboxFilter {
  readonly stage?: Stage | undefined;
  readonly typeCode?: string | undefined;
  /** Overdue ones among them. */
  readonly atRisk?: boolean | undefined;
  readonly overdue?: boolean | undefined;
  /** true = only what nobody has, false = only one's own. */
  readonly unassigned?: boolean | undefined;
  /** How the company's name begins, in whichever case. */
  readonly companyName?: string | undefined;
}

/** The last row of the page before. */
export interface AfterInInbox extends AfterInTime {
  readonly late: boolean;
}

/** When a task is to be looked at first; the expression of tasks_inbox and tasks_unassigned. */
const LATE_AT = 'least(t.at_risk_at, t.due_at)';
const PAGE_ORDER = 't.due_at, t.id';

/**
 * The open tasks of a person, and for a supervisor those that nobody has: what is at risk or overdue first, then by due time.
 * @param options.asOf what "at risk" is judged by; the same for all pages of a list, or tasks would change places between them
 */
export async function inboxOf(
  db: Knex,
  viewer: Actor,
  options: InboxFilter & { asOf: Date; after: AfterInInbox | null; limit: number },
): Promise<InboxItem[]> {
  const { asOf, after, limit } = options;
  const conditions = filters(options);
  // Ordered walks, each along its own index, instead of one condition with "or" that would sort everything.
  const walks = latenesses(options).flatMap((late) =>
    whose(viewer, options).map((mine) => walk([mine, ...conditions], late, after)),
  );
  if (walks.length === 0) return [];
  const { rows }: { rows: InboxItem[] } = await db.raw(
    `select t.id as "taskId", t.application_id as "applicationId", c.name as "companyName", a.type_code as "typeCode", t.stage, t.round,
            t.seat, t.assignee_id as "assigneeId", t.assigned_at as "assignedAt", t.due_at as "dueAt", a.legal_due_at as "legalDueAt",
            t.late, t.due_at <= :asOf as overdue,
            (select count(*)::integer from tasks s
              where s.application_id = t.application_id and s.round = t.round and s.stage = t.stage) as seats
       from (select * from (${walks.join(' union all ')}) t order by t.late desc, ${PAGE_ORDER} limit :limit) t
       join applications a on a.id = t.application_id
       join companies c on c.id = a.company_id
      order by t.late desc, ${PAGE_ORDER}`,
    {
      viewer: viewer.userId,
      asOf,
      limit,
      at: after?.at ?? null,
      id: after?.id ?? null,
      stage: options.stage ?? null,
      typeCode: options.typeCode ?? null,
      companyName: options.companyName?.replace(/[\\%_]/g, '\\$&') ?? null,
    },
  );
  return rows;
}

/** Whose tasks; each has an index of its own. */
function whose({ roles }: Actor, { unassigned }: InboxFilter): string[] {
  return [
    ...(unassigned === true ? [] : ['t.assignee_id = :viewer']),
    ...(unassigned !== false && roles.includes('supervisor') ? ['t.assignee_id is null'] : []),
  ];
}

/** Late ones come first; a page that continues among the others has them behind it. */
function latenesses({ atRisk, overdue, after }: InboxFilter & { after: AfterInInbox | null }): boolean[] {
  return [true, false].filter(
    (late) => (atRisk ?? late) === late && !(overdue === true && !late) && !(late && after?.late === false),
  );
}

function walk(conditions: readonly string[], late: boolean, after: AfterInInbox | null): string {
  const all = [
    "t.state = 'open'",
    ...conditions,
    `${LATE_AT} ${late ? '<=' : '>'} :asOf`,
    ...(after?.late === late ? [`(${PAGE_ORDER}) > (:at, :id)`] : []),
  ];
  return `(select t.id, t.application_id, t.stage, t.round, t.seat, t.assignee_id, t.assigned_at, t.due_at, ${late} as late
             from tasks t where ${all.join(' and ')} order by ${PAGE_ORDER} limit :limit)`;
}

const filters = ({ stage, typeCode, overdue, companyName }: InboxFilter): string[] => [
  ...(stage === undefined ? [] : ['t.stage = :stage']),
  ...(overdue === undefined ? [] : [`t.due_at ${overdue ? '<=' : '>'} :asOf`]),
  ...(typeCode === undefined
    ? []
    : ['exists (select 1 from applications a where a.id = t.application_id and a.type_code = :typeCode)']),
  ...(companyName === undefined
    ? []
    : [
        `t.application_id in (select a.id from companies c join applications a on a.company_id = c.id
                               where lower(c.name) like lower(:companyName) || '%')`,
      ]),
];

export interface StageCount {
  readonly stage: Stage;
  readonly open: number;
  /** Overdue ones among them. */
  readonly atRisk: number;
  readonly overdue: number;
}

/** How many tasks the list of `inboxOf` has, by stage; stages without any are left out. */
export async function countInbox(db: Knex, viewer: Actor, asOf: Date): Promise<StageCount[]> {
  const walks = whose(viewer, {}).map(
    (mine) => `select t.stage, t.due_at, ${LATE_AT} as late_at from tasks t where t.state = 'open' and ${mine}`,
  );
  const { rows }: { rows: StageCount[] } = await db.raw(
    `select t.stage, count(*)::integer as open, (count(*) filter (where t.late_at <= :asOf))::integer as "atRisk",
            (count(*) filter (where t.due_at <= :asOf))::integer as overdue
       from (${walks.join(' union all ')}) t group by t.stage`,
    { viewer: viewer.userId, asOf },
  );
  return rows;
}
