import type { Knex } from '../db/connection.ts';
import { officeOfStaff } from '../db/risk-tables.ts';
import { Failure } from '../domain/failures.ts';
import type { OfficeId, UserId } from '../domain/ids.ts';

/** The office whose rules the caller reads and writes. @throws Failure `forbidden` */
export async function officeOf(db: Knex, userId: UserId): Promise<OfficeId> {
  const office = await officeOfStaff(db, userId);
  if (!office) throw new Failure('forbidden', 'Your account belongs to no office. Ask an administrator to set it.');
  return office;
}
