/** Rows of the licensing records, as the processes would have written them: for tests of what reads them. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { EvidencePack } from '../../db/evidence.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { DEFAULT_LADDER } from '../../domain/escalation.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type CreditNoteId,
  type InvoiceId,
  type LicenseId,
  type OfficeId,
  type PaymentId,
  type PolicyId,
  type ReceiptId,
  type Sha256,
  type TaskId,
  type UserId,
} from '../../domain/ids.ts';
import {
  type ApplicationState,
  type Decision,
  isClosed,
  isStage,
  type LicensePolicy,
  type Reason,
  type Stage,
} from '../../domain/licensing.ts';
import type { InvoiceState, PaymentState } from '../../domain/payments.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';

/** A Monday morning in Jakarta. */
export const MONDAY = '2026-03-02T02:00:00.000Z';

export const policy = (changes: Partial<LicensePolicy> = {}): LicensePolicy => ({
  path: 'review',
  stages: [
    { stage: 'document_verification', role: 'verifier', sharePercent: 20 },
    { stage: 'compliance_check', role: 'examiner', sharePercent: 50 },
    { stage: 'approval', role: 'approver', sharePercent: 20 },
  ],
  checklist: [
    { kind: 'ktp', required: true },
    { kind: 'site_plan', required: false },
  ],
  legalWorkingDays: 5,
  ladder: [],
  correction: { maxRounds: 2, answerWithinWorkingDays: 10 },
  fee: { statutoryMinor: '250000', serviceMinor: '100000', currency: 'IDR' },
  payment: { remindAfterDays: [3, 6], lapseAfterDays: 7 },
  validityMonths: 60,
  ...changes,
});

export const FORM_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:test:form',
  type: 'object',
  required: ['shopName', 'contact'],
  additionalProperties: false,
  properties: {
    shopName: { type: 'string', minLength: 3 },
    area: { type: 'integer', minimum: 1 },
    contact: { type: 'object', required: ['email'], properties: { email: { type: 'string', format: 'email' } } },
  },
};
export const GOOD_FORM = { shopName: 'Toko Maju', area: 12, contact: { email: 'toko@example.test' } };

export interface LicenseTypeRow {
  readonly code: string;
  readonly officeId: OfficeId;
  readonly policyId: PolicyId;
  readonly policy: LicensePolicy;
}

/** Letters only: what ops filter by must not look like anybody's number. */
export const aTypeCode = (): string =>
  `test_${[...randomBytes(8)].map((byte) => 'abcdefghijklmnop'[byte % 16]).join('')}`;

/** With an office of its own, so that nothing else in the database gets in the way. */
export async function aLicenseType(db: Knex, changes: Partial<LicensePolicy> = {}): Promise<LicenseTypeRow> {
  const officeId = asId<OfficeId>(randomUUID());
  await db('offices').insert({
    id: officeId,
    name: 'Kantor Uji',
    address: 'Jalan Uji 1, Jakarta',
    zone: 'Asia/Jakarta',
    workdays: [1, 2, 3, 4, 5],
    opens_at_minute: 480,
    closes_at_minute: 960,
  });
  const code = aTypeCode();
  const name = JSON.stringify({ id: 'Izin Uji', en: 'Test licence' });
  await db('license_types').insert({ code, office_id: officeId, name, risk: 'medium_high', position: 99 });
  const policyId = await aPolicy(db, code, {
    version: 1,
    effectiveFrom: '2026-01-01T00:00:00Z',
    policy: policy(changes),
  });
  return { code, officeId, policyId, policy: policy(changes) };
}

export async function aPolicy(
  db: Knex,
  typeCode: string,
  given: { version: number; effectiveFrom: string; policy: LicensePolicy },
): Promise<PolicyId> {
  const id = asId<PolicyId>(randomUUID());
  await db('license_policies').insert({
    id,
    type_code: typeCode,
    version: given.version,
    effective_from: given.effectiveFrom,
    policy: JSON.stringify(given.policy),
    form_schema: JSON.stringify(FORM_SCHEMA),
    example_form: JSON.stringify(GOOD_FORM),
  });
  return id;
}

export async function aUser(db: Knex, ...roles: string[]): Promise<UserId> {
  const id = asId<UserId>(randomUUID());
  await db('users').insert({
    id,
    email: `${id}@example.test`,
    password_hash: 'none',
    name: `Person ${id.slice(0, 8)}`,
    roles,
  });
  return id;
}

export async function aCompany(
  db: Knex,
  member: UserId,
  changes: { name?: string; status?: string } = {},
): Promise<CompanyId> {
  const id = asId<CompanyId>(randomUUID());
  await db('companies').insert({
    id,
    name: changes.name ?? 'CV Uji Coba',
    legal_form: 'CV',
    npwp_encrypted: createPersonalData([PERSONAL_DATA_KEY]).seal('0012345678901000', 'companies.npwp'),
    npwp_hash: randomUUID(),
    npwp_masked: '01.***.***.*-***.000',
    address: 'Jalan Rahasia 7, Bandung',
    kbli: ['47111'],
    scale: 'micro',
    status: changes.status ?? 'active',
  });
  await db('company_members').insert({ company_id: id, user_id: member });
  return id;
}

export interface CaseGiven {
  readonly companyId: CompanyId;
  readonly type: LicenseTypeRow;
  readonly applicantId: UserId;
  readonly state?: ApplicationState;
  readonly assigneeId?: UserId;
  readonly dueAt?: string;
  readonly at?: string;
  readonly form?: unknown;
}

export async function anApplication(db: Knex, given: CaseGiven): Promise<ApplicationId> {
  const { state = 'draft', at = MONDAY } = given;
  const id = asId<ApplicationId>(randomUUID());
  await db('applications').insert({
    id,
    company_id: given.companyId,
    type_code: given.type.code,
    policy_id: given.type.policyId,
    applicant_id: given.applicantId,
    form: JSON.stringify(given.form ?? GOOD_FORM),
    state,
    stage: isStage(state) ? state : null,
    assignee_id: given.assigneeId ?? null,
    due_at: given.dueAt ?? null,
    submitted_at: state === 'draft' ? null : at,
    closed_at: isClosed(state) ? at : null,
    created_at: at,
    updated_at: at,
  });
  return id;
}

export interface TaskGiven {
  readonly applicationId: ApplicationId;
  readonly stage: Stage;
  readonly assigneeId: UserId | null;
  readonly openedAt?: string;
  readonly dueAt: string;
  readonly atRiskAt?: string;
  readonly state?: 'open' | 'decided' | 'cancelled';
  /** Of a quorum; absent = the only one. */
  readonly seat?: number;
  readonly role?: string;
}

export async function aTask(db: Knex, given: TaskGiven): Promise<TaskId> {
  const id = asId<TaskId>(randomUUID());
  const { openedAt = MONDAY, atRiskAt = given.dueAt, dueAt } = given;
  const rungs = DEFAULT_LADDER.map((rung) => ({ ...rung, at: rung.code === 'half' ? openedAt : dueAt }));
  await db('tasks').insert({
    id,
    application_id: given.applicationId,
    round: 1,
    stage: given.stage,
    seat: given.seat ?? 1,
    role: given.role ?? 'verifier',
    assignee_id: given.assigneeId,
    state: given.state ?? 'open',
    assigned_at: openedAt,
    opened_at: openedAt,
    at_risk_at: atRiskAt,
    due_at: dueAt,
    budget_ms: 8 * 3_600_000,
    used_ms: 0,
    plan: JSON.stringify({ dueAt, rungs, skipped: [{ date: '2026-03-03', reason: 'Hari Uji' }] }),
  });
  if (given.assigneeId) await holds(db, given.applicationId, given.assigneeId, given.stage);
  return id;
}

export const holds = (db: Knex, applicationId: ApplicationId, userId: UserId, stage: Stage) =>
  db('task_holders').insert({ application_id: applicationId, user_id: userId, stage, since: MONDAY });

export async function aDecision(
  db: Knex,
  given: {
    applicationId: ApplicationId;
    stage: Stage;
    decision: Decision;
    by: UserId;
    note?: string;
    round?: number;
    seat?: number;
    reasons?: readonly Reason[];
    at?: string;
  },
): Promise<void> {
  await db('decisions').insert({
    id: randomUUID(),
    application_id: given.applicationId,
    round: given.round ?? 1,
    stage: given.stage,
    seat: given.seat ?? 1,
    decision: given.decision,
    decided_by: given.by,
    decided_at: given.at ?? MONDAY,
    reasons: JSON.stringify(given.reasons ?? [{ code: 'unclear_document', text: 'KTP tidak terbaca' }]),
    note: given.note ?? null,
    submission_sha256: hashOf('submission'),
  });
}

/** What the office decides on in a round; documents by kind and what is in them. */
export async function aSubmission(
  db: Knex,
  given: {
    applicationId: ApplicationId;
    by: UserId;
    round?: number;
    form?: unknown;
    documents?: readonly (readonly [kind: string, content: string])[];
  },
): Promise<Sha256> {
  const { round = 1, form = GOOD_FORM } = given;
  const documents = (given.documents ?? []).map(([kind, content]) => ({
    id: randomUUID(),
    kind,
    filename: `${kind}.pdf`,
    sha256: hashOf(content),
  }));
  const sha256 = hashOf(JSON.stringify({ round, form, documents }));
  await db('submissions').insert({
    id: randomUUID(),
    application_id: given.applicationId,
    round,
    form: JSON.stringify(form),
    documents: JSON.stringify(documents),
    sha256,
    submitted_by: given.by,
    submitted_at: MONDAY,
  });
  return sha256;
}

export async function anInvoice(
  db: Knex,
  given: { companyId: CompanyId; applicationId?: ApplicationId; state?: InvoiceState; at?: string; pdf?: Sha256 },
): Promise<InvoiceId> {
  const { state = 'open', at = MONDAY } = given;
  const id = asId<InvoiceId>(randomUUID());
  await db('invoices').insert({
    id,
    number: `INV/2026/${randomBytes(4).toString('hex')}`,
    company_id: given.companyId,
    application_id: given.applicationId ?? null,
    state,
    currency: 'IDR',
    subtotal_minor: 350_000,
    tax_minor: 11_000,
    total_minor: 361_000,
    issued_at: at,
    due_at: new Date(Date.parse(at) + 7 * 86_400_000).toISOString(),
    paid_at: state === 'paid' ? at : null,
    paid_minor: state === 'paid' ? 361_000 : 0,
    pdf_sha256: given.pdf ?? null,
  });
  const line = (position: number, kind: string, net: number, tax: number) => ({
    invoice_id: id,
    position,
    code: kind,
    description: JSON.stringify({ id: `Biaya ${kind}`, en: `Fee ${kind}` }),
    kind,
    net_minor: net,
    tax_minor: tax,
  });
  await db('invoice_lines').insert([line(1, 'statutory', 250_000, 0), line(2, 'service', 100_000, 11_000)]);
  return id;
}

export async function aPayment(
  db: Knex,
  given: {
    invoiceId: InvoiceId;
    state?: PaymentState;
    reference?: string;
    expiresAt?: string;
    at?: string;
    attempt?: number;
  },
): Promise<{ id: PaymentId; reference: string }> {
  const id = asId<PaymentId>(randomUUID());
  const { state = 'pending', reference = `ref-${randomBytes(6).toString('hex')}`, at = MONDAY } = given;
  await db('payments').insert({
    id,
    invoice_id: given.invoiceId,
    attempt: given.attempt ?? 1,
    gateway: 'midtrans',
    gateway_reference: reference,
    state,
    amount_minor: 361_000,
    currency: 'IDR',
    ...(state === 'paid' || state === 'reversed' ? { paid_minor: 361_000, paid_currency: 'IDR' } : {}),
    redirect_url: 'https://pay.example.test/1',
    created_at: at,
    expires_at: given.expiresAt ?? '2099-01-01T00:00:00Z',
    updated_at: at,
  });
  return { id, reference };
}

export async function aReceipt(
  db: Knex,
  given: { invoiceId: InvoiceId; paymentId: PaymentId; pdf?: Sha256 },
): Promise<ReceiptId> {
  const id = asId<ReceiptId>(randomUUID());
  await db('receipts').insert({
    id,
    number: `RCP/2026/${randomBytes(4).toString('hex')}`,
    payment_id: given.paymentId,
    invoice_id: given.invoiceId,
    amount_minor: 361_000,
    outstanding_minor: 0,
    currency: 'IDR',
    issued_at: MONDAY,
    pdf_sha256: given.pdf ?? null,
  });
  return id;
}

export async function aCreditNote(db: Knex, given: { invoiceId: InvoiceId; pdf?: Sha256 }): Promise<CreditNoteId> {
  const id = asId<CreditNoteId>(randomUUID());
  await db('credit_notes').insert({
    id,
    number: `CN/2026/${randomBytes(4).toString('hex')}`,
    invoice_id: given.invoiceId,
    reason: 'wrong_amount',
    currency: 'IDR',
    subtotal_minor: 10_000,
    tax_minor: 1_100,
    total_minor: 11_100,
    issued_at: MONDAY,
    pdf_sha256: given.pdf ?? null,
  });
  return id;
}

export async function aLicense(
  db: Knex,
  given: {
    applicationId: ApplicationId;
    companyId: CompanyId;
    type: LicenseTypeRow;
    status?: string;
    validUntil?: string | null;
    certificate?: Sha256;
    at?: string;
    /** Since when a process follows it. */
    followedSince?: string;
    renews?: LicenseId;
  },
): Promise<{ id: LicenseId; number: string; verifyCode: string }> {
  const { at = MONDAY } = given;
  const made = {
    id: asId<LicenseId>(randomUUID()),
    number: `UMKM-TEST/2026/${randomBytes(4).toString('hex')}`,
    verifyCode: randomBytes(15).toString('base64url'),
  };
  await db('licenses').insert({
    id: made.id,
    number: made.number,
    application_id: given.applicationId,
    company_id: given.companyId,
    type_code: given.type.code,
    status: given.status ?? 'active',
    valid_from: at,
    valid_until: given.validUntil === undefined ? '2099-01-01T00:00:00Z' : given.validUntil,
    followed_since: given.followedSince ?? null,
    renews_id: given.renews ?? null,
    verify_code: made.verifyCode,
    certificate_sha256: given.certificate ?? null,
    issued_at: at,
  });
  return made;
}

/** As if the case had been granted by law on MONDAY, a day after its legal time. */
export async function anEvidencePack(
  db: Knex,
  given: { applicationId: ApplicationId; companyId: CompanyId; type: LicenseTypeRow; by?: UserId; pdf?: Sha256 },
): Promise<void> {
  const [from, at] = ['2026-02-23T09:00:00+07:00', '2026-03-02T09:00:00+07:00'];
  const person = { userId: given.by ?? null, roles: ['verifier'] } as const;
  const about = { stage: 'approval', round: 1 } as const;
  const told = { person, template: 'task_reminder', writtenAt: at, state: 'sent', sentAt: at };
  const pack: EvidencePack = {
    company: { id: given.companyId, name: 'CV Uji Coba', nib: null },
    type: { code: given.type.code, name: { id: 'Izin Uji', en: 'Test licence' } },
    office: { name: 'Kantor Uji', address: 'Jalan Uji 1, Jakarta', zone: 'Asia/Jakarta' },
    submittedAt: from,
    completeAt: from,
    legalBudgetMs: 144_000_000,
    workingDayMs: 28_800_000,
    legalDueAt: at,
    grantedAt: at,
    officeMs: 144_000_000,
    applicantMs: 0,
    days: [{ date: '2026-02-23', workingMs: 144_000_000 }],
    suspensions: [{ reason: 'correction', ...about, by: person, from, to: at, workingMs: 0 }],
    calendar: { version: 1, opensAtMinute: 480, closesAtMinute: 960, holidays: [] },
    tasks: [
      {
        ...about,
        seat: 1,
        role: 'approver',
        openedAt: from,
        dueAt: at,
        closedAt: null,
        state: 'open',
        assignee: person.userId,
      },
    ],
    holders: [{ stage: about.stage, since: from, person }],
    decisions: [{ ...about, decision: 'request_correction', at: from, by: person }],
    rungs: [{ ...about, code: 'half', firedAt: at, told: [told] }],
  };
  await db('evidence_packs').insert({
    application_id: given.applicationId,
    pack: JSON.stringify(pack),
    pdf_sha256: given.pdf ?? null,
    created_at: MONDAY,
  });
}

export const hashOf = (content: string | Buffer): Sha256 =>
  asId<Sha256>(createHash('sha256').update(content).digest('hex'));
