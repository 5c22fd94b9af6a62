/** What the records hold of every case when the year is over: what the report tells and the invariants are asked of. */
import type { Knex } from 'knex';
import type { RungCode } from '../../domain/escalation.ts';
import type { EventType } from '../../domain/events.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Suspension } from '../../domain/legal-clock.ts';
import type { ApplicationState, Decision, Stage } from '../../domain/licensing.ts';
import type { PlayedCase } from './office.ts';

export interface TaskRecord {
  readonly round: number;
  readonly stage: Stage;
  readonly seat: number;
  readonly assignee: UserId | null;
  readonly state: 'open' | 'decided' | 'cancelled';
  /** Epoch milliseconds, here and below. */
  readonly assignedAt: number;
  readonly openedAt: number;
  readonly closedAt: number | null;
  readonly usedMs: number;
}

export interface DecisionRecord {
  readonly round: number;
  readonly stage: Stage;
  readonly seat: number;
  readonly decision: Decision;
  readonly by: UserId;
  readonly at: number;
  readonly override: boolean;
}

export interface RungRecord {
  readonly round: number;
  readonly stage: Stage;
  readonly code: RungCode;
  readonly at: number;
}

export interface EventRecord {
  readonly type: EventType;
  readonly by: UserId | null;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A case from its submission to its end. */
export interface CaseRecord {
  readonly number: number;
  readonly typeCode: string;
  readonly isAutomatic: boolean;
  readonly state: ApplicationState;
  readonly round: number;
  readonly submittedAt: number;
  /** When the licence was issued, or the case was closed otherwise. */
  readonly closedAt: number | null;
  /** null = its first submission was never complete. */
  readonly completeAt: number | null;
  readonly budgetMs: number;
  readonly suspensions: readonly Suspension[];
  readonly tasks: readonly TaskRecord[];
  readonly decisions: readonly DecisionRecord[];
  readonly rungs: readonly RungRecord[];
  /** In the order in which they were written. */
  readonly events: readonly EventRecord[];
}

type Of<Row> = Row & { readonly id: string };

/** Rows of many cases, looked up by the case. */
function byCase<Row>(rows: readonly Of<Row>[]): (id: string) => Row[] {
  const found = new Map<string, Row[]>();
  for (const row of rows) found.set(row.id, [...(found.get(row.id) ?? []), row]);
  return (id) => found.get(id) ?? [];
}

/** Epoch milliseconds of a column of time. */
const ms = (column: string): string => `round(extract(epoch from ${column}) * 1000)::float8`;

export async function recordsOf(db: Knex, cases: readonly PlayedCase[]): Promise<CaseRecord[]> {
  const read = async <Row>(columns: string, table: string, order: string): Promise<(id: string) => Row[]> => {
    const sql = `select application_id as id, ${columns} from ${table} where application_id = any(?) order by ${order}`;
    const { rows }: { rows: Of<Row>[] } = await db.raw(sql, [cases.map(({ id }) => id)]);
    return byCase(rows);
  };
  const suspensions = await read<Suspension>(`${ms('from_at')} as "from", ${ms('to_at')} as "to"`, 'suspensions', 'id');
  const tasks = await read<TaskRecord>(TASK, 'tasks', 'opened_at, seat');
  const decisions = await read<DecisionRecord>(DECISION, 'decisions', 'decided_at, seat');
  const rungs = await read<RungRecord>(
    `round, stage, rung as code, ${ms('fired_at')} as at`,
    'escalations',
    'fired_at, rung',
  );
  const events = await read<EventRecord>(
    `type, actor_id as "by", ${ms('occurred_at')} as at, data`,
    'events',
    'events.id',
  );
  const applications = await read<Application>(
    APPLICATION,
    '(select *, id as application_id from applications) a',
    'id',
  );
  return cases.map(({ id, number, typeCode, policy }) => {
    const [application] = applications(id);
    if (!application) throw new Error(`case ${number} (${id}) is not on record`);
    const isAutomatic = policy.path === 'automatic';
    const parts = { suspensions: suspensions(id), tasks: tasks(id), decisions: decisions(id), rungs: rungs(id) };
    return { number, typeCode, isAutomatic, ...application, ...parts, events: events(id) };
  });
}

type Application = Pick<CaseRecord, 'state' | 'round' | 'submittedAt' | 'closedAt' | 'completeAt' | 'budgetMs'>;

const APPLICATION = `state, round, ${ms('submitted_at')} as "submittedAt", ${ms('closed_at')} as "closedAt",
  ${ms('complete_at')} as "completeAt", coalesce(legal_budget_ms, 0)::float8 as "budgetMs"`;
const TASK = `round, stage, seat, assignee_id as assignee, state, ${ms('assigned_at')} as "assignedAt",
  ${ms('opened_at')} as "openedAt", ${ms('closed_at')} as "closedAt", used_ms::float8 as "usedMs"`;
const DECISION = `round, stage, seat, decision, decided_by as "by", ${ms('decided_at')} as at, override`;
