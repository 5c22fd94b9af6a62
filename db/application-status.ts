import type { Knex } from 'knex';
import type { ApplicationId, InvoiceId, LicenseId } from '../domain/ids.ts';
import { type LicenseStatus, statusAt } from '../domain/licenses.ts';
import type { Actor, ApplicationState, Stage } from '../domain/licensing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { seesEveryCase } from '../domain/roles.ts';
import { AUDITS } from './applications.ts';
import { prepared } from './prepared.ts';

export interface ApplicationStatus {
  readonly id: ApplicationId;
  readonly state: ApplicationState;
  readonly stage: Stage | null;
  readonly round: number;
  readonly dueAt: Date | null;
  readonly updatedAt: Date;
  readonly invoice: {
    readonly id: InvoiceId;
    readonly number: string;
    readonly state: InvoiceState;
    readonly total: Money;
    readonly dueAt: Date;
  } | null;
  readonly license: {
    readonly id: LicenseId;
    readonly number: string;
    readonly status: LicenseStatus;
    readonly verifyCode: string;
  } | null;
}

/**
 * What owners poll: one statement, six index look-ups, visibility included. $1 case, $2 viewer, $3 sees every case.
 * The same rule as VISIBLE of applications.ts, with numbered parameters: only those can be prepared.
 */
export const STATUS_STATEMENT = {
  name: 'application-status',
  text: `select a.id, a.state, a.stage, a.round, a.due_at, a.updated_at,
       i.id as invoice_id, i.number as invoice_number, i.state as invoice_state, i.total_minor, i.currency, i.due_at as invoice_due_at,
       l.id as license_id, l.number as license_number, l.status as license_status, l.valid_until as license_valid_until, l.verify_code,
       exists (select from licenses x where x.renews_id = l.id) as license_renewed
  from applications a
  left join invoices i on i.application_id = a.id and i.state <> 'void'
  left join licenses l on l.application_id = a.id
 where a.id = $1
   and ($3::boolean
     or exists (select 1 from company_members m where m.user_id = $2 and m.company_id = a.company_id)
     or a.assignee_id = $2
     or exists (select 1 from task_holders h where h.application_id = a.id and h.user_id = $2)
     or ${AUDITS('$2')})`,
} as const;

interface StatusRow {
  readonly id: ApplicationId;
  readonly state: ApplicationState;
  readonly stage: Stage | null;
  readonly round: number;
  readonly due_at: Date | null;
  readonly updated_at: Date;
  readonly invoice_id: InvoiceId | null;
  readonly invoice_number: string;
  readonly invoice_state: InvoiceState;
  readonly total_minor: bigint;
  readonly currency: Currency;
  readonly invoice_due_at: Date;
  readonly license_id: LicenseId | null;
  readonly license_number: string;
  readonly license_status: LicenseStatus;
  readonly license_valid_until: Date | null;
  readonly license_renewed: boolean;
  readonly verify_code: string;
}

/** null when there is no such case, or the viewer may not see it. */
export async function applicationStatus(db: Knex, viewer: Actor, id: ApplicationId): Promise<ApplicationStatus | null> {
  const rows = await prepared<StatusRow>(db, STATUS_STATEMENT, [id, viewer.userId, seesEveryCase(viewer.roles)]);
  return rows[0] ? toStatus(rows[0]) : null;
}

const toStatus = (row: StatusRow): ApplicationStatus => ({
  id: row.id,
  state: row.state,
  stage: row.stage,
  round: row.round,
  dueAt: row.due_at,
  updatedAt: row.updated_at,
  invoice: row.invoice_id && {
    id: row.invoice_id,
    number: row.invoice_number,
    state: row.invoice_state,
    total: money(row.total_minor, row.currency),
    dueAt: row.invoice_due_at,
  },
  license: row.license_id && {
    id: row.license_id,
    number: row.license_number,
    status: statusAt(
      { status: row.license_status, validUntil: row.license_valid_until, isRenewed: row.license_renewed },
      new Date(),
    ),
    verifyCode: row.verify_code,
  },
});
