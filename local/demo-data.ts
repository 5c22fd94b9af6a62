/** The demonstration office: its people, its calendar, its licence types, and an owner with a company. */
import { createHash } from 'node:crypto';
import Holidays from 'date-holidays';
import type { Knex } from 'knex';
import { MAIL_TEMPLATES } from '../activities/mail/templates.ts';
import { hashPassword } from '../api/passwords.ts';
import { addCompany } from '../db/companies.ts';
import { connect } from '../db/connection.ts';
import { ensureTemplates } from '../db/mail.ts';
import { createPersonalData } from '../db/personal-data.ts';
import { insertRiskRows } from '../db/risk-tables.ts';
import { maskNumber } from '../domain/identity-numbers.ts';
import { asId, type CompanyId, type RiskTableId, type UserId } from '../domain/ids.ts';
import type { Role } from '../domain/roles.ts';
import { DEMO_COMPLIANCE_RULES, DEMO_LICENSE_TYPES, DEMO_RISK_ROWS } from './demo-license-types.ts';
import { DEMO_PLANS } from './demo-plans.ts';
import { loadDemoProducts } from './demo-products.ts';

export const DEMO_ROLES = [
  'owner',
  'verifier',
  'examiner',
  'approver',
  'approver2',
  'head',
  'supervisor',
  'finance',
  'seller',
  'warehouse',
  'admin',
] as const;
export type DemoAccount = (typeof DEMO_ROLES)[number];
export type DemoAccounts = Record<DemoAccount, { readonly email: string; readonly password: string }>;

interface Person {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
}

const PEOPLE: Record<DemoAccount, Person> = {
  owner: { name: 'Sari Wulandari', role: 'owner', password: 'Kopi-Senja-2026' },
  verifier: { name: 'Budi Santoso', role: 'verifier', password: 'Verifikasi-2026!' },
  examiner: { name: 'Rina Kartika', role: 'examiner', password: 'Pemeriksa-2026!' },
  approver: { name: 'Agus Pratama', role: 'approver', password: 'Penyetuju-2026!' },
  approver2: { name: 'Dewi Lestari', role: 'approver', password: 'Penyetuju-Dua-2026!' },
  head: { name: 'Ratna Dewanti', role: 'head', password: 'Kepala-Dinas-2026!' },
  supervisor: { name: 'Hendra Gunawan', role: 'supervisor', password: 'Penyelia-2026!' },
  finance: { name: 'Maya Putri', role: 'finance', password: 'Keuangan-2026!' },
  seller: { name: 'Putri Anggraini', role: 'seller', password: 'Penjual-Toko-2026!' },
  warehouse: { name: 'Bayu Saputra', role: 'warehouse', password: 'Gudang-Toko-2026!' },
  admin: { name: 'Joko Susilo', role: 'admin', password: 'Administrator-2026!' },
};

const emailOf = (account: DemoAccount): string => `${account}@alur.example`;

/** The same ID on every machine, so that loading twice meets its own rows. */
function idOf(noun: string): string {
  const hex = createHash('sha256').update(`alur demonstration ${noun}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

const OFFICE_ID = idOf('office');
const COMPANY_ID = asId<CompanyId>(idOf('company'));
export const demoUserId = (account: DemoAccount): UserId => asId(idOf(`user ${account}`));

/** Loads what is missing and leaves alone what is there; a second time it only looks. */
export async function loadDemoData(options: {
  databaseUrl: string;
  personalDataKeys: readonly Buffer[];
}): Promise<DemoAccounts> {
  const db = connect(options.databaseUrl, 4, 'alur-demo-data');
  try {
    await ensureTemplates(db, MAIL_TEMPLATES);
    await loadOffice(db);
    await loadPeople(db);
    await loadTypes(db);
    await loadRules(db);
    await loadPlans(db);
    await loadDemoProducts(db);
    await loadCompany(db, options.personalDataKeys);
  } finally {
    await db.destroy();
  }
  return demoAccounts();
}

export const demoAccounts = (): DemoAccounts => {
  const account = (name: DemoAccount) => ({ email: emailOf(name), password: PEOPLE[name].password });
  return {
    owner: account('owner'),
    verifier: account('verifier'),
    examiner: account('examiner'),
    approver: account('approver'),
    approver2: account('approver2'),
    head: account('head'),
    supervisor: account('supervisor'),
    finance: account('finance'),
    seller: account('seller'),
    warehouse: account('warehouse'),
    admin: account('admin'),
  };
};

async function loadOffice(db: Knex): Promise<void> {
  await db('offices')
    .insert({
      id: OFFICE_ID,
      name: 'Dinas Perizinan Kota Contoh',
      address: 'Jl. Balai Kota No. 1, Kota Contoh',
      zone: 'Asia/Jakarta',
      workdays: [1, 2, 3, 4, 5],
      opens_at_minute: 8 * 60,
      closes_at_minute: 16 * 60,
    })
    .onConflict()
    .ignore();
  await db('office_closures')
    .insert([...nationalHolidays(), ...JOINT_LEAVE_2026])
    .onConflict()
    .ignore();
}

/** From `date-holidays`, for this year and the next two; the office corrects them in its own table. */
function nationalHolidays() {
  const holidays = new Holidays('ID');
  const year = new Date().getUTCFullYear();
  return [year - 1, year, year + 1, year + 2]
    .flatMap((each) => holidays.getHolidays(each))
    .filter(({ type }) => type === 'public')
    .map(({ date, name }) => ({ office_id: OFFICE_ID, date: date.slice(0, 10), kind: 'national', name }));
}

/** Cuti bersama, as announced for 2026. */
export const JOINT_LEAVE_2026 = ['02-16', '03-18', '03-20', '03-23', '03-24', '05-15', '05-28', '12-24'].map((day) => ({
  office_id: OFFICE_ID,
  date: `2026-${day}`,
  kind: 'joint_leave',
  name: 'Cuti bersama',
}));

async function loadPeople(db: Knex): Promise<void> {
  const known = new Set(await db('users').whereIn('email', DEMO_ROLES.map(emailOf)).pluck<string[]>('email'));
  const missing = DEMO_ROLES.filter((account) => !known.has(emailOf(account)));
  const rows = await Promise.all(missing.map(toRow));
  if (rows.length > 0) await db('users').insert(rows).onConflict().ignore();
}

async function toRow(account: DemoAccount) {
  const { name, role, password } = PEOPLE[account];
  return {
    id: demoUserId(account),
    email: emailOf(account),
    password_hash: await hashPassword(password),
    name,
    locale: 'id',
    roles: [role],
    email_verified_at: new Date(),
    office_id: role === 'owner' ? null : OFFICE_ID,
  };
}

/** Of two policies from the same instant the higher version counts. */
const RULES_FROM = '2026-01-01T00:00:00+07:00';

async function loadTypes(db: Knex): Promise<void> {
  await db('license_types')
    .insert(
      DEMO_LICENSE_TYPES.map(({ code, name, risk }, index) => ({
        code,
        office_id: OFFICE_ID,
        name: JSON.stringify(name),
        risk,
        position: index + 1,
      })),
    )
    .onConflict()
    .ignore();
  await db('license_policies')
    .insert(
      DEMO_LICENSE_TYPES.flatMap(({ code, policy, since2, formSchema, exampleForm }) =>
        [policy, { ...policy, ...since2 }].map((each, index) => ({
          id: idOf(`policy ${code} ${index + 1}`),
          type_code: code,
          version: index + 1,
          effective_from: RULES_FROM,
          policy: JSON.stringify(each),
          form_schema: JSON.stringify(formSchema),
          example_form: JSON.stringify(exampleForm),
        })),
      ),
    )
    .onConflict()
    .ignore();
}

async function loadRules(db: Knex): Promise<void> {
  const id = asId<RiskTableId>(idOf('risk table 1'));
  const published = { version: 1, effective_from: RULES_FROM, published_at: RULES_FROM };
  await db.transaction(async (tx) => {
    const table = { id, office_id: OFFICE_ID, ...published };
    const isNew = await tx('risk_tables').insert(table).onConflict().ignore().returning('id');
    if (isNew.length > 0) await insertRiskRows(tx, id, DEMO_RISK_ROWS);
  });
  await db('compliance_rule_sets')
    .insert(
      Object.entries(DEMO_COMPLIANCE_RULES).map(([code, rules]) => ({
        id: idOf(`compliance rules ${code} 1`),
        type_code: code,
        rules: JSON.stringify(rules),
        ...published,
      })),
    )
    .onConflict()
    .ignore();
}

async function loadPlans(db: Knex): Promise<void> {
  await db('plans')
    .insert(
      DEMO_PLANS.map(({ code, version, name, priceMinor, currency, interval, trialDays, isTaxed, ...data }) => ({
        ...{ code, version, name: JSON.stringify(name), price_minor: priceMinor, currency, interval },
        trial_days: trialDays,
        is_taxed: isTaxed,
        entitlements: JSON.stringify(data.entitlements),
        policy: JSON.stringify(data.policy),
        effective_from: RULES_FROM,
      })),
    )
    .onConflict()
    .ignore();
}

async function loadCompany(db: Knex, personalDataKeys: readonly Buffer[]): Promise<void> {
  const npwp = '0012345678901000';
  const personal = createPersonalData(personalDataKeys);
  await addCompany(
    db,
    {
      id: COMPANY_ID,
      name: 'Kopi Senja Nusantara',
      legalForm: 'CV',
      npwpEncrypted: personal.seal(npwp, 'companies.npwp'),
      npwpHash: personal.fingerprint(npwp, 'companies.npwp'),
      npwpMasked: maskNumber(npwp),
      nib: '9120001234567',
      address: 'Jl. Melati No. 12, Bandung',
      kbli: ['56101', '47112'],
      capitalMinor: 250_000_000n,
      annualSalesMinor: null,
      scale: 'micro',
    },
    demoUserId('owner'),
    new Date(),
  );
}
