import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { OfficeId, RiskTableId, UserId } from '../domain/ids.ts';
import type { KnownType, RiskRow } from '../domain/risk-table.ts';
import { recordEvent } from './events.ts';

export interface StoredRiskRow extends RiskRow {
  readonly id: string;
}

export interface RiskTable {
  readonly id: RiskTableId;
  readonly version: number;
  readonly effectiveFrom: Date;
  readonly publishedAt: Date;
  readonly publishedBy: UserId | null;
}

const TABLE = {
  id: 'id',
  version: 'version',
  effectiveFrom: 'effective_from',
  publishedAt: 'published_at',
  publishedBy: 'published_by',
};

const rowColumns = (db: Knex) => ({
  id: 'r.id',
  kbli: 'r.kbli',
  scale: 'r.scale',
  risk: 'r.risk',
  typeCode: 'r.type_code',
  path: 'r.path',
  checklist: 'r.checklist',
  legalWorkingDays: 'r.legal_working_days',
  validityMonths: 'r.validity_months',
  validForLife: 'r.valid_for_life',
  deemedApproval: 'r.deemed_approval',
  // As digits, like the fees of a policy.
  statutoryMinor: db.raw('r.statutory_minor::text'),
  serviceMinor: db.raw('r.service_minor::text'),
});

/** The table that the office goes by at `at`; null before its first. */
export async function riskTableInForce(db: Knex, officeId: OfficeId, at: Date): Promise<RiskTable | null> {
  const found: RiskTable | undefined = await inForce(db, officeId, at).first(TABLE);
  return found ?? null;
}

export async function riskTable(db: Knex, id: RiskTableId): Promise<RiskTable> {
  const found: RiskTable | undefined = await db('risk_tables').where({ id }).first(TABLE);
  if (!found) throw new Error(`risk table ${id} does not exist`);
  return found;
}

// Two from the same instant: the higher number is the later correction.
const inForce = (db: Knex, officeId: OfficeId, at: Date) =>
  db('risk_tables')
    .where({ office_id: officeId })
    .where('effective_from', '<=', at)
    .orderBy([
      { column: 'effective_from', order: 'desc' },
      { column: 'version', order: 'desc' },
    ]);

/** null when there is none of this ID. */
export async function riskRow(db: Knex, id: string): Promise<StoredRiskRow | null> {
  const found: StoredRiskRow | undefined = await db('risk_rows as r').where('r.id', id).first(rowColumns(db));
  return found ?? null;
}

/** In the order of the table. @param typeCode only the rows of this type */
export async function riskRows(db: Knex, tableId: RiskTableId, typeCode?: string): Promise<StoredRiskRow[]> {
  const found: StoredRiskRow[] = await db('risk_rows as r')
    .where('r.table_id', tableId)
    .modify((query) => {
      if (typeCode !== undefined) query.where('r.type_code', typeCode);
    })
    .orderBy('r.position')
    .select(rowColumns(db));
  return found;
}

/** The rows of the office's table in force, of one type or of all; none without a table. */
export async function riskRowsInForce(
  db: Knex,
  officeId: OfficeId,
  at: Date,
  typeCode?: string,
): Promise<StoredRiskRow[]> {
  const table = await riskTableInForce(db, officeId, at);
  return table ? riskRows(db, table.id, typeCode) : [];
}

/** What a table of the office may name: its licence types, each under the rules in force at `at`. */
export async function typesForRiskTable(db: Knex, officeId: OfficeId, at: Date): Promise<Map<string, KnownType>> {
  const { rows }: { rows: { code: string; hasStages: boolean }[] } = await db.raw(
    `select distinct on (t.code) t.code, jsonb_array_length(p.policy -> 'stages') > 0 as "hasStages"
       from license_types t join license_policies p on p.type_code = t.code
      where t.office_id = :officeId and p.effective_from <= :at
      order by t.code, p.effective_from desc, p.version desc`,
    { officeId, at },
  );
  return new Map(rows.map(({ code, hasStages }) => [code, { hasStages }]));
}

export interface NewRiskTable {
  readonly id: RiskTableId;
  readonly officeId: OfficeId;
  readonly rows: readonly RiskRow[];
  readonly effectiveFrom: Date;
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: string;
  /** How many rows it adds, changes and takes away, for the event. */
  readonly changes: { readonly added: number; readonly changed: number; readonly removed: number };
}

/** Publishes a table as the office's next version; the same ID again changes nothing. */
export async function publishRiskTable(db: Knex, table: NewRiskTable): Promise<void> {
  await db.transaction(async (tx) => {
    // One publication at a time: the next version is the last one plus one.
    await tx('offices').where({ id: table.officeId }).forUpdate().first('id');
    const isNew = await recordEvent(tx, {
      key: `risk-table/${table.id}/published`,
      type: 'risk_table.published',
      subject: `risk_table/${table.id}`,
      by: table.by,
      data: { rows: table.rows.length, effectiveFrom: table.effectiveFrom.toISOString(), ...table.changes },
      origin: table.origin,
      at: table.at,
    });
    if (!isNew) return;
    await tx('risk_tables').insert({
      id: table.id,
      office_id: table.officeId,
      version: tx.raw('(select coalesce(max(version), 0) + 1 from risk_tables where office_id = ?)', [table.officeId]),
      effective_from: table.effectiveFrom,
      published_by: table.by,
      published_at: table.at,
    });
    await insertRiskRows(tx, table.id, table.rows);
  });
}

const ROWS_A_STATEMENT = 1000;

export async function insertRiskRows(tx: Knex, tableId: RiskTableId, rows: readonly RiskRow[]): Promise<void> {
  const values = rows.map((row, index) => ({
    id: randomUUID(),
    table_id: tableId,
    position: index + 1,
    kbli: row.kbli,
    scale: row.scale,
    risk: row.risk,
    type_code: row.typeCode,
    path: row.path,
    checklist: row.checklist === null ? null : JSON.stringify(row.checklist),
    legal_working_days: row.legalWorkingDays,
    statutory_minor: row.statutoryMinor,
    service_minor: row.serviceMinor,
    validity_months: row.validityMonths,
    valid_for_life: row.validForLife,
    deemed_approval: row.deemedApproval,
  }));
  if (values.length > 0) await tx.batchInsert('risk_rows', values, ROWS_A_STATEMENT);
}

/** The office that somebody works for; the only one there is where an account names none. */
export async function officeOfStaff(db: Knex, userId: UserId): Promise<OfficeId | null> {
  const { rows }: { rows: { id: OfficeId }[] } = await db.raw(
    `select coalesce(u.office_id, (select min(o.id::text)::uuid from offices o having count(*) = 1)) as id
       from users u where u.id = ?`,
    [userId],
  );
  return rows[0]?.id ?? null;
}
