/** What an applicant said to the office: kept as it was said, and shown to whoever decides. */
import type { Knex } from 'knex';
import type { ApplicationId, UserId } from '../domain/ids.ts';

export type StatementKind = 'response' | 'reopening' | 'appeal';

export interface NewStatement {
  /** Made from the request: a repeat meets its own row. */
  readonly id: string;
  readonly applicationId: ApplicationId;
  readonly kind: StatementKind;
  readonly round: number;
  readonly by: UserId;
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
}

/** The same ID again changes nothing. */
export async function writeStatement(tx: Knex, statement: NewStatement): Promise<void> {
  const { id, applicationId, kind, round, by, at, text } = statement;
  await tx('applicant_statements')
    .insert({ id, application_id: applicationId, kind, round, said_by: by, said_at: at, text })
    .onConflict('id')
    .ignore();
}

/** Who said it, and when. */
export async function statementOf(db: Knex, id: string): Promise<{ by: UserId; at: Date }> {
  const found: { by: UserId; at: Date } | undefined = await db('applicant_statements')
    .where({ id })
    .first({ by: 'said_by', at: 'said_at' });
  if (!found) throw new Error(`there is no statement ${id}`);
  return found;
}

/** The last that this person said of this kind in these words; null = they never did. @param since ISO 8601 */
export async function sameStatement(
  db: Knex,
  said: Pick<NewStatement, 'applicationId' | 'kind' | 'by' | 'text'> & { readonly since?: string },
): Promise<string | null> {
  const { applicationId, kind, by, text, since } = said;
  const found: { id: string } | undefined = await db('applicant_statements')
    .where({ application_id: applicationId, kind, said_by: by, text })
    .modify((query) => (since === undefined ? query : query.where('said_at', '>=', since)))
    .orderBy('said_at', 'desc')
    .first('id');
  return found?.id ?? null;
}
