import type { Knex } from 'knex';

export interface Statement {
  /** One name, one text: PostgreSQL keeps the plan under it, connection by connection. */
  readonly name: string;
  /** With `$1`, `$2` … */
  readonly text: string;
}

interface ConnectionSource<Row> {
  acquireConnection(): Promise<{
    query(statement: Statement & { values: readonly unknown[] }): Promise<{ rows: Row[] }>;
  }>;
  releaseConnection(connection: unknown): Promise<void>;
}

/**
 * Runs a statement that PostgreSQL parses and plans once a connection, on one of knex's own connections: for the few
 * reads that people poll, where building the query would cost as much as running it.
 */
export async function prepared<Row>(db: Knex, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
  const source: ConnectionSource<Row> = db.client;
  const connection = await source.acquireConnection();
  try {
    const { rows } = await connection.query({ ...statement, values });
    return rows;
  } finally {
    await source.releaseConnection(connection);
  }
}
