/**
 * What a plan allows, asked where something is added. Remembered for a few seconds and forgotten the moment a subscription or
 * a plan changes, in whichever process; before anybody is refused it is read again.
 */
import { LRUCache } from 'lru-cache';
import type { Knex } from '../db/connection.ts';
import {
  companiesAllowed,
  companyEntitlements,
  countCompanies,
  countUse,
  holdPlace,
  lockOwner,
  lockUse,
} from '../db/entitlements.ts';
import type { CompanyEntitlements } from '../domain/entitlements.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';
import type { Limit } from '../domain/subscriptions.ts';
import type { ApiDeps } from './deps.ts';
import type { CompanyChanges } from './waiting.ts';

export interface EntitlementsCache {
  of(companyId: CompanyId): Promise<CompanyEntitlements>;
}

/** Should the word of a change be lost. */
const REMEMBERED_MS = 5_000;

export function createEntitlementsCache(
  db: Knex,
  changes: Pick<CompanyChanges, 'onChange' | 'open'>,
  rememberedMs = REMEMBERED_MS,
): EntitlementsCache {
  // The question, not the answer: a change that is told while it is read drops it just the same.
  const asked = new LRUCache<string, Promise<CompanyEntitlements>>({ max: 10_000, ttl: rememberedMs });
  changes.onChange((id) => {
    if (id === null || id === EVERYBODY) asked.clear();
    else asked.delete(id);
  });
  return {
    of(companyId) {
      changes.open();
      const known = asked.get(companyId);
      if (known) return known;
      const answer = companyEntitlements(db, companyId, new Date());
      asked.set(companyId, answer);
      answer.catch(() => {
        if (asked.peek(companyId) === answer) asked.delete(companyId);
      });
      return answer;
    },
  };
}

/** What the trigger `plans_announce` says. */
const EVERYBODY = '*';

type Asked = Pick<ApiDeps, 'db' | 'entitlements'>;

/**
 * Before a draft is handed over: it takes its place, or is refused. Twice is once.
 * @param first what comes before, all or nothing with the place
 * @throws Failure `plan_limit_reached`
 */
export async function takePlace(
  deps: Asked,
  { id, companyId, at }: { readonly id: ApplicationId; readonly companyId: CompanyId; readonly at: Date },
  first: (tx: Knex) => Promise<void> = async () => undefined,
): Promise<void> {
  const { openApplications: allowed } = (await deps.entitlements.of(companyId)).limits;
  if (allowed === null) return first(deps.db);
  await deps.db.transaction(async (tx) => {
    await lockUse(tx, companyId);
    await first(tx);
    await holdPlace(tx, id, at);
    await requireWithin(tx, { companyId, limit: 'openApplications', allowed, at });
  });
}

export interface Room {
  readonly companyId: CompanyId;
  readonly limit: 'users' | 'openApplications';
  /** As it is remembered; null = any number. */
  readonly allowed: number | null;
  readonly at: Date;
}

/**
 * After something was added, in the same transaction, which has locked the company: `lockUse` or more.
 * @param room.allowed asked for before the transaction: within it nobody may wait for another connection
 * @throws Failure `plan_limit_reached`
 */
export async function requireWithin(tx: Knex, { companyId, limit, allowed, at }: Room): Promise<void> {
  if (allowed === null) return;
  const used = await countUse(tx, limit, companyId, at);
  if (used <= allowed) return;
  const now = (await companyEntitlements(tx, companyId, at)).limits[limit];
  if (now !== null && used > now) throw limitReached(limit, now, used - 1);
}

/**
 * Before anything of a company is begun; `withinCompanies` has the last word.
 * @throws Failure `plan_limit_reached`
 */
export async function requirePlaceForCompany(
  { db }: Pick<ApiDeps, 'db'>,
  userId: UserId,
  id: CompanyId,
): Promise<void> {
  const allowed = await companiesAllowed(db, userId, new Date());
  const others = allowed === null ? 0 : await countCompanies(db, userId, id);
  if (allowed !== null && others >= allowed) throw limitReached('companies', allowed, others);
}

/**
 * Adds a company for a person, or refuses: the row is written first and counted with the others.
 * @throws Failure `plan_limit_reached`
 */
export function withinCompanies<T>(
  { db }: Pick<ApiDeps, 'db'>,
  userId: UserId,
  add: (tx: Knex) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    await lockOwner(tx, userId);
    const allowed = await companiesAllowed(tx, userId, new Date());
    const added = await add(tx);
    const owned = allowed === null ? 0 : await countCompanies(tx, userId);
    if (allowed !== null && owned > allowed) throw limitReached('companies', allowed, owned - 1);
    return added;
  });
}

const limitReached = (limit: Limit, allowed: number, used: number): Failure =>
  new Failure(
    'plan_limit_reached',
    `The plan allows ${allowed} ${WORDS[limit]}, and ${used} are in use. Change to a larger plan, or close what is not used.`,
    { errors: [{ pointer: `/limits/${limit}`, code: 'plan_limit_reached', detail: `${used} / ${allowed}` }] },
  );

const WORDS: Readonly<Record<Limit, string>> = {
  companies: 'companies of an owner',
  users: 'members and open invitations',
  openApplications: 'open applications',
};
