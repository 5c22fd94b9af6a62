/** Seals anew, under the current key, what an earlier one has sealed; a page at a time, while everybody works on. */
import type { Knex } from 'knex';
import { maskAccount } from '../domain/bank-accounts.ts';
import { maskNumber } from '../domain/identity-numbers.ts';
import type { UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';
import type { PersonalData } from './personal-data.ts';

interface SealedColumnSpec {
  /** What is bound into the seal and the fingerprint. */
  readonly name: string;
  readonly table: string;
  /** The primary key; pages follow it. */
  readonly id: string;
  readonly sealed: string;
  /** The fingerprint beside it, which changes with the key. */
  readonly hash?: string;
  /** Of numbers: written anew by the rule for masks that holds now. */
  readonly mask?: string;
  /** Absent = that of the state's numbers. */
  readonly maskBy?: (value: string) => string;
}

/** Every column that holds sealed values; a test compares it with the schema. */
export const SEALED_COLUMNS = [
  {
    name: 'companies.npwp',
    table: 'companies',
    id: 'id',
    sealed: 'npwp_encrypted',
    hash: 'npwp_hash',
    mask: 'npwp_masked',
  },
  { name: 'users.nik', table: 'users', id: 'id', sealed: 'nik_encrypted', hash: 'nik_hash', mask: 'nik_masked' },
  {
    name: 'company_numbers.number',
    table: 'company_numbers',
    id: 'id',
    sealed: 'number_encrypted',
    hash: 'fingerprint',
    mask: 'masked',
  },
  { name: 'second_factors.secret', table: 'second_factors', id: 'id', sealed: 'secret_encrypted' },
  { name: 'account_letters.address', table: 'account_letters', id: 'id', sealed: 'address_encrypted' },
  {
    name: 'company_invitations.email',
    table: 'company_invitations',
    id: 'id',
    sealed: 'email_encrypted',
    hash: 'email_hash',
  },
  {
    name: 'refunds.account_number',
    table: 'refunds',
    id: 'id',
    sealed: 'account_number_encrypted',
    mask: 'account_number_masked',
    maskBy: maskAccount,
  },
  { name: 'orders.ship_to', table: 'orders', id: 'id', sealed: 'ship_to_encrypted' },
  { name: 'refunds.account_holder', table: 'refunds', id: 'id', sealed: 'account_holder_encrypted' },
  { name: 'oidc_logins.secrets', table: 'oidc_logins', id: 'state_hash', sealed: 'secrets_encrypted' },
] as const satisfies readonly SealedColumnSpec[];

export type SealedColumn = (typeof SEALED_COLUMNS)[number]['name'];

// ---- how far it is --------------------------------------------------------------------------------------------------

export interface RotationProgress {
  /** Of the key that everything is to be sealed with. */
  readonly keyId: string;
  readonly total: number;
  readonly done: number;
  readonly remaining: number;
  readonly columns: readonly { readonly column: SealedColumn; readonly total: number; readonly done: number }[];
  /** Keys that some values name and that are not configured: nothing opens those values. */
  readonly missingKeys: readonly { readonly keyId: string; readonly count: number }[];
}

/** Counts every sealed value by its key; reads each table once. */
export async function rotationProgress(db: Knex, { keyId, keyIds }: PersonalData): Promise<RotationProgress> {
  const counted = [];
  for (const spec of SEALED_COLUMNS) counted.push({ column: spec.name, keys: await countByKey(db, spec) });
  const columns = counted.map(({ column, keys }) => ({
    column,
    total: sum(keys.values()),
    done: keys.get(keyId) ?? 0,
  }));
  const total = sum(columns.map((each) => each.total));
  const done = sum(columns.map((each) => each.done));
  const missing = new Map<string, number>();
  for (const [key, count] of counted.flatMap(({ keys }) => [...keys]))
    if (key !== UNNAMED && !keyIds.includes(key)) missing.set(key, (missing.get(key) ?? 0) + count);
  const missingKeys = [...missing].map(([key, count]) => ({ keyId: key, count }));
  return { keyId, total, done, remaining: total - done, columns, missingKeys };
}

/** Values of the first form: only trying tells by which key they were sealed. */
const UNNAMED = 'unnamed';

async function countByKey(db: Knex, { table, sealed }: SealedColumnSpec): Promise<Map<string, number>> {
  const { rows }: { rows: { key: string; count: bigint }[] } = await db.raw(
    `select case substring(:sealed: from 1 for 1) when '\\x01' then '${UNNAMED}' else encode(substring(:sealed: from 2 for 4), 'hex') end as key,
            count(*) as count
       from :table: where :sealed: is not null group by 1`,
    { table, sealed },
  );
  return new Map(rows.map(({ key, count }) => [key, Number(count)]));
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

// ---- one page -------------------------------------------------------------------------------------------------------

/** A value that stays as it is until somebody has looked: it does not open, or its number is there a second time. */
export interface StuckValue {
  readonly column: SealedColumn;
  readonly id: string;
  readonly why: 'does_not_open' | 'number_is_there_twice';
}

export interface ResealedPage {
  readonly sealed: number;
  readonly stuck: readonly StuckValue[];
  /** The last ID of the page; null when there is no page after it. */
  readonly after: string | null;
}

/**
 * Seals the next values of a column anew, in one transaction. Safe to repeat: what is sealed with the current key is not
 * in the page again. Each value is changed only if it is still the one that was read, so whoever writes meanwhile wins.
 */
export async function resealPage(
  db: Knex,
  personalData: PersonalData,
  page: { readonly column: SealedColumn; readonly after: string | null; readonly limit: number },
  onValue: () => void = () => undefined,
): Promise<ResealedPage> {
  const spec = specOf(page.column);
  const rows: SealedRow[] = await db(spec.table)
    .whereNotNull(spec.sealed)
    .whereRaw('substring(?? from 1 for 5) <> ?', [spec.sealed, personalData.currentPrefix])
    .modify((query) => {
      if (page.after !== null) query.where(spec.id, '>', page.after);
    })
    .orderBy(spec.id)
    .limit(page.limit)
    .select({ id: spec.id, sealed: spec.sealed });
  const outcomes = await db.transaction(async (trx) => {
    const each: Outcome[] = [];
    for (const row of rows) {
      each.push(await resealValue(trx, personalData, spec, row));
      onValue();
    }
    return each;
  });
  const stuck = outcomes.flatMap((why, index): StuckValue[] =>
    why === 'sealed' || why === 'changed_meanwhile' ? [] : [{ column: page.column, id: rows[index]?.id ?? '', why }],
  );
  return {
    sealed: outcomes.filter((outcome) => outcome === 'sealed').length,
    stuck,
    after: rows.length < page.limit ? null : (rows.at(-1)?.id ?? null),
  };
}

interface SealedRow {
  readonly id: string;
  readonly sealed: Buffer;
}

type Outcome = 'sealed' | 'changed_meanwhile' | StuckValue['why'];

async function resealValue(
  trx: Knex,
  personalData: PersonalData,
  spec: SealedColumnSpec,
  row: SealedRow,
): Promise<Outcome> {
  const value = opened(personalData, row.sealed, spec.name);
  if (value === null) return 'does_not_open';
  const change = {
    [spec.sealed]: personalData.seal(value, spec.name),
    ...(spec.hash ? { [spec.hash]: personalData.fingerprint(value, spec.name) } : {}),
    ...(spec.mask ? { [spec.mask]: (spec.maskBy ?? maskNumber)(value) } : {}),
  };
  try {
    // A savepoint: one number that is there twice must not undo the page.
    const changed: number = await trx.transaction((savepoint) =>
      savepoint(spec.table)
        .where({ [spec.id]: row.id, [spec.sealed]: row.sealed })
        .update(change),
    );
    return changed === 1 ? 'sealed' : 'changed_meanwhile';
  } catch (error) {
    if (isDuplicate(error)) return 'number_is_there_twice';
    throw error;
  }
}

function opened(personalData: PersonalData, sealed: Buffer, column: string): string | null {
  try {
    return personalData.open(sealed, column);
  } catch {
    // Told by its ID, and left alone: whatever it is, sealing something else in its place would lose it.
    return null;
  }
}

const isDuplicate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '23505';

function specOf(column: SealedColumn): SealedColumnSpec {
  const spec = SEALED_COLUMNS.find(({ name }) => name === column);
  if (!spec) throw new TypeError(`${column} is not among the sealed columns`);
  return spec;
}

// ---- its events -----------------------------------------------------------------------------------------------------

/** @param started key of the first event, which names the run */
export async function recordRotationStarted(
  db: Knex,
  started: {
    readonly key: string;
    readonly keyId: string;
    readonly remaining: number;
    readonly by: UserId;
    readonly origin?: Parameters<typeof recordEvent>[1]['origin'];
    readonly at: string;
  },
): Promise<void> {
  const { key, keyId, remaining, by, origin, at } = started;
  await recordEvent(db, { key, type: 'personal_data.rotation_started', by, origin, data: { keyId, remaining }, at });
}

/** By Alur itself: who asked for it is in the first event. */
export async function recordRotated(
  db: Knex,
  ended: { readonly started: string; readonly keyId: string; readonly sealed: number; readonly at: string },
): Promise<void> {
  const { started, keyId, sealed, at } = ended;
  await recordEvent(db, { key: `${started}/rotated`, type: 'personal_data.rotated', data: { keyId, sealed }, at });
}
