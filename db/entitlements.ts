/** What a company may use, and what it uses: read for the answer, counted under a lock before something is added. */
import type { Knex } from 'knex';
import { type CompanyEntitlements, entitlementsOf, type LimitsOfPlan, widerLimit } from '../domain/entitlements.ts';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';
import type { Limit, SubscriptionState } from '../domain/subscriptions.ts';
import { DEFAULT_PLAN } from './plans.ts';
import { takenBackAt } from './subscription-taken-back.ts';

interface Row {
  readonly state: SubscriptionState | null;
  readonly code: string | null;
  readonly entitlements: LimitsOfPlan['entitlements'] | null;
  readonly is_taken_back: boolean | null;
  readonly default_code: string | null;
  readonly default_entitlements: LimitsOfPlan['entitlements'] | null;
}

const COLUMNS = `s.state, p.code, p.entitlements, ${takenBackAt(':at')} as is_taken_back, d.code as default_code, d.entitlements as default_entitlements`;
const THEIR_PLAN = `
  left join subscriptions s on s.company_id = c.id and s.state not in ('cancelled', 'expired')
  left join plans p on p.code = s.plan_code and p.version = s.plan_version
  left join ${DEFAULT_PLAN} d on true`;

const planOf = (code: string | null, entitlements: LimitsOfPlan['entitlements'] | null): LimitsOfPlan | null =>
  code !== null && entitlements !== null ? { code, entitlements } : null;

function toEntitlements(row: Row | undefined): CompanyEntitlements {
  const plan = row ? planOf(row.code, row.entitlements) : null;
  const subscription = row?.state && plan ? { state: row.state, plan, isTakenBack: row.is_taken_back ?? false } : null;
  return entitlementsOf(subscription, row ? planOf(row.default_code, row.default_entitlements) : null);
}

/** As it is at `at`; for a company that is not there what one without a subscription has. */
export async function companyEntitlements(db: Knex, companyId: CompanyId, at: Date): Promise<CompanyEntitlements> {
  const { rows }: { rows: Row[] } = await db.raw(
    `select ${COLUMNS} from (select cast(:companyId as uuid) as id) c ${THEIR_PLAN}`,
    { companyId, at },
  );
  return toEntitlements(rows[0]);
}

/** A company is its longest-standing member's (`m` = company_members); closed ones and those that never came in do not count. */
const OWNED = `company_members m join companies c on c.id = m.company_id
  where m.user_id = :userId and c.status in ('onboarding', 'active', 'suspended')
    and not exists (select from company_members o where o.company_id = m.company_id and (o.created_at, o.user_id) < (m.created_at, m.user_id))`;

/**
 * How many companies somebody may own: by the most generous plan of those they own, else by the default plan. A company without
 * either says nothing about the others. null = any number.
 */
export async function companiesAllowed(db: Knex, userId: UserId, at: Date): Promise<number | null> {
  const { rows }: { rows: Row[] } = await db.raw(
    `select ${COLUMNS} from (select c.id from ${OWNED}) c ${THEIR_PLAN}
      union all select null, null, null, null, d.code, d.entitlements from (select 1) one left join ${DEFAULT_PLAN} d on true
       where not exists (select from ${OWNED})`,
    { userId, at },
  );
  const said = rows.map(toEntitlements).filter(({ planCode, state }) => planCode !== null || state !== null);
  return said.length === 0 ? null : said.map(({ limits }) => limits.companies).reduce(widerLimit);
}

const COMPANIES = `select count(*) from ${OWNED}`;
const MACHINES = `(u.roles @> array['integrator'] and cardinality(u.roles) = 1)`;
/** A hand-over that is not through by then has died with its process; its draft can be submitted again. */
const HANDING_OVER = `interval '10 minutes'`;

/** `:companyId`, at `:at`; programmes that act for the company are no users. */
const USERS = `
  select (select count(*) from company_members m join users u on u.id = m.user_id
    where m.company_id = :companyId and u.status = 'active' and not ${MACHINES})
  + (select count(*) from company_invitations i
    where i.company_id = :companyId and i.accepted_at is null and i.revoked_at is null and i.expires_at > :at)`;

/** A renewal is of what the company has already: it takes nobody's place, and is never refused. */
const OPEN_APPLICATIONS = `
  select count(*) from applications a
   where a.company_id = :companyId and a.closed_at is null and a.renews_id is null
     and (a.submitted_at is not null or a.submitting_since > cast(:at as timestamptz) - ${HANDING_OVER})`;

export type Usage = Readonly<Record<Limit, number>>;

/** @param userId whose companies are counted */
export async function companyUsage(db: Knex, companyId: CompanyId, userId: UserId, at: Date): Promise<Usage> {
  const { rows }: { rows: Record<Limit, bigint>[] } = await db.raw(
    `select (${COMPANIES}) as companies, (${USERS}) as users, (${OPEN_APPLICATIONS}) as "openApplications"`,
    { companyId, userId, at },
  );
  const [row] = rows;
  if (!row) throw new Error(`nothing was counted for company ${companyId}`);
  const { companies, users, openApplications } = row;
  return { companies: Number(companies), users: Number(users), openApplications: Number(openApplications) };
}

const COUNTS: Readonly<Record<Exclude<Limit, 'companies'>, string>> = {
  users: USERS,
  openApplications: OPEN_APPLICATIONS,
};

export const countUse = (db: Knex, limit: keyof typeof COUNTS, companyId: CompanyId, at: Date): Promise<number> =>
  count(db, COUNTS[limit], { companyId, at });

/** @param except one that may or may not be among them */
export const countCompanies = (db: Knex, userId: UserId, except: CompanyId | null = null): Promise<number> =>
  count(db, `${COMPANIES} and c.id is distinct from :except`, { userId, except });

async function count(db: Knex, statement: string, bindings: Record<string, string | Date | null>): Promise<number> {
  const { rows }: { rows: { count: bigint }[] } = await db.raw(`select (${statement}) as count`, bindings);
  return Number(rows[0]?.count ?? 0n);
}

/**
 * Whoever adds to a company's use holds this until the end of the transaction, so that two at once do not both take the last
 * place. Weaker than an update's lock: rows that refer to the company can be written meanwhile.
 */
export async function lockUse(tx: Knex, companyId: CompanyId): Promise<void> {
  await tx('companies').where({ id: companyId }).forNoKeyUpdate().first('id');
}

/** The same for the companies of a person. */
export async function lockOwner(tx: Knex, userId: UserId): Promise<void> {
  await tx('users').where({ id: userId }).forNoKeyUpdate().first('id');
}

/** A draft takes its place among the open cases; what is no draft any more has had it. */
export async function holdPlace(tx: Knex, id: ApplicationId, at: Date): Promise<void> {
  await tx('applications').where({ id, state: 'draft' }).update({ submitting_since: at });
}
