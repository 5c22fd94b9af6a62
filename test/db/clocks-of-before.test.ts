/** What migration 0008 makes of cases that were open before there was a legal clock. */
import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { migrateToLatest } from '../../db/migrate.ts';
import { migrationSource } from '../../db/migrations/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const MIGRATIONS = { migrationSource, tableName: 'schema_migrations' };

describe('the legal clocks of cases of before', () => {
  let database: TestDatabase;
  let db: Knex;
  before(async function () {
    this.timeout(30_000);
    database = await createTestDatabase();
    db = database.db;
    await db.migrate.rollback(MIGRATIONS, true);
    for (;;) {
      const [, applied]: [number, string[]] = await db.migrate.up(MIGRATIONS);
      if (applied.length === 0 || applied.includes('0007-books')) break;
    }
    await casesOf0007(db);
    await migrateToLatest(database.url);
  });
  after(() => database?.drop());

  const clockOf = (n: number) =>
    db('applications')
      .where('id', id(n))
      .first('complete_at', 'legal_working_days', 'legal_budget_ms', 'legal_due_at', 'calendar_version');

  it('have run since their first task, for as long as their policy said', async () => {
    assert.deepEqual(await clockOf(1), {
      complete_at: new Date('2026-03-02T02:00:00Z'),
      legal_working_days: 5,
      legal_budget_ms: 5n * 8n * 3_600_000n,
      legal_due_at: null,
      calendar_version: null,
    });
  });

  it('stood still for each correction, and still do for the one that is unanswered', async () => {
    const rows: { application_id: string; from_at: Date; to_at: Date | null }[] =
      await db('suspensions').orderBy('from_at');
    assert.deepEqual(
      rows.map((row) => [row.application_id, row.from_at.toISOString(), row.to_at?.toISOString() ?? null]),
      [
        [id(2), '2026-03-03T02:00:00.000Z', '2026-03-04T02:00:00.000Z'],
        [id(2), '2026-03-05T02:00:00.000Z', null],
      ],
    );
  });

  it('are not known of a case that no stage was opened for, and none of a case that is over', async () => {
    for (const n of [3, 4]) assert.equal((await clockOf(n)).complete_at, null);
  });

  it('and their office has its calendar as the first version, not planned by yet', async () => {
    const [version] = await db('calendar_versions');
    assert.deepEqual(version.calendar, {
      zone: 'Asia/Makassar',
      workdays: [1, 2, 3, 4, 5],
      opensAt: '08:00',
      closesAt: '16:00',
      nationalHolidays: true,
      jointLeave: true,
      closures: [{ date: '2026-03-19', kind: 'national', name: 'Nyepi' }],
    });
    assert.deepEqual([version.version, version.replanned_at], [1, null]);
  });
});

const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

/** 1 at its first stage; 2 corrected once and asked a second time; 3 waiting for its first documents; 4 rejected. */
async function casesOf0007(db: Knex): Promise<void> {
  await db.raw(
    `
    insert into offices (id, name, address, zone, workdays, opens_at_minute, closes_at_minute)
      values (:one, 'Kantor', 'Jalan', 'Asia/Makassar', '{1,2,3,4,5}', 480, 960);
    insert into office_closures (office_id, date, kind, name) values (:one, '2026-03-19', 'national', 'Nyepi');
    insert into users (id, email, password_hash, name, roles) values (:one, 'a@example.test', 'none', 'A', '{owner}');
    insert into companies (id, name, legal_form, npwp_encrypted, npwp_hash, npwp_masked, address, kbli, scale, status)
      values (:one, 'CV', 'CV', '', 'hash', '', '', '{}', 'micro', 'active');
    insert into license_types (code, office_id, name, risk, position) values ('kiosk', :one, '{}', 'medium_high', 1);
    insert into license_policies (id, type_code, version, effective_from, policy, form_schema, example_form)
      values (:one, 'kiosk', 1, '2026-01-01', '{"legalWorkingDays": 5}', '{}', '{}');
    insert into applications (id, company_id, type_code, policy_id, applicant_id, form, state, stage, round, submitted_at, closed_at,
        created_at, updated_at)
      select n.id, :one, 'kiosk', :one, :one, '{}', n.state, null, n.round, '2026-03-02T01:00:00Z',
        case n.state when 'rejected' then timestamptz '2026-03-06T02:00:00Z' end, '2026-03-02T01:00:00Z', '2026-03-02T01:00:00Z'
      from (values (cast(:one as uuid), 'document_verification', 1), (:two, 'correction_requested', 2),
        (:three, 'correction_requested', 1), (:four, 'rejected', 1)) n (id, state, round);
    insert into tasks (id, application_id, round, stage, role, state, assigned_at, opened_at, due_at, budget_ms, plan)
      select gen_random_uuid(), n.id, n.round, 'document_verification', 'verifier', n.state, n.at, n.at, n.at, 1, '{}'
      from (values (cast(:one as uuid), 1, 'open', timestamptz '2026-03-02T02:00:00Z'), (:two, 1, 'decided', '2026-03-02T02:00:00Z'),
        (:two, 2, 'decided', '2026-03-04T02:00:00Z'), (:four, 1, 'decided', '2026-03-02T02:00:00Z')) n (id, round, state, at);
    insert into submissions (id, application_id, round, form, documents, sha256, submitted_by, submitted_at)
      values (gen_random_uuid(), :two, 1, '{}', '[]', repeat('0', 64), :one, '2026-03-02T01:00:00Z'),
        (gen_random_uuid(), :two, 2, '{}', '[]', repeat('1', 64), :one, '2026-03-04T02:00:00Z');
    insert into decisions (id, application_id, round, stage, decision, decided_by, decided_at, reasons, submission_sha256)
      select gen_random_uuid(), n.id, n.round, 'document_verification', n.decision, :one, n.at, '[]', repeat('0', 64)
      from (values (cast(:two as uuid), 1, 'request_correction', timestamptz '2026-03-03T02:00:00Z'),
        (:two, 2, 'request_correction', '2026-03-05T02:00:00Z'), (:four, 1, 'reject', '2026-03-06T02:00:00Z')) n (id, round, decision, at);
  `.replaceAll(
      /:(one|two|three|four)/g,
      (_, name: string) => `'${id(['one', 'two', 'three', 'four'].indexOf(name) + 1)}'`,
    ),
  );
}
