import type { Knex } from 'knex';

/**
 * The next number of a series, 1 first. Gap-free: the row stays locked until the transaction that uses the number
 * ends, and goes back with it. Take it late in the transaction, others wait for it.
 */
export async function nextNumber(tx: Knex, series: string): Promise<number> {
  const result: { rows: { value: bigint }[] } = await tx.raw(
    `insert into counters (name, value) values (?, 1)
     on conflict (name) do update set value = counters.value + 1 returning value`,
    [series],
  );
  const row = result.rows[0];
  if (!row) throw new Error(`counter ${series} gave no number`);
  return Number(row.value);
}

/** The next number of a series that begins anew each year, as its papers show it. @param date local, YYYY-MM-DD */
export async function nextOfYear(
  tx: Knex,
  series: string,
  date: string,
  format: (year: number, counter: number) => string,
): Promise<string> {
  const year = Number(date.slice(0, 4));
  return format(year, await nextNumber(tx, `${series}/${year}`));
}
