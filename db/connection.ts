import knex, { type Knex } from 'knex';
import pg from 'pg';

export type { Knex };

// bigint columns (money, counters) become bigint: a float would lose rupiah.
// A date is a day in the office's zone, not an instant: left as the text YYYY-MM-DD.
const parsers = new pg.TypeOverrides();
parsers.setTypeParser(pg.types.builtins.INT8, BigInt);
parsers.setTypeParser(pg.types.builtins.DATE, (value) => value);

const types = {
  getTypeParser: (oid: number, format: string) =>
    format === 'binary' ? parsers.getTypeParser(oid, 'binary') : parsers.getTypeParser(oid),
};

/** Connects lazily: nothing is opened until the first query. `pool` = most connections at once. */
export function connect(databaseUrl: string, pool = 20, applicationName = 'alur'): Knex {
  return knex({
    client: 'pg',
    connection: {
      connectionString: databaseUrl,
      application_name: applicationName,
      types,
      connectionTimeoutMillis: 5_000,
    },
    pool: { min: 0, max: pool },
    acquireConnectionTimeout: 5_000,
    // Bound values are people's data: they stay out of messages, which end up in logs and histories.
    compileSqlOnError: false,
    // What goes wrong is thrown to the caller, who logs it; knex's own lines on the console would be a second way.
    log: { warn: ignore, error: ignore, deprecate: ignore, debug: ignore },
  });
}

const ignore = (): void => undefined;
