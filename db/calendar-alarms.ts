/** Telling an office that its calendar lacks the national holidays of a year, once. */
import type { Knex } from 'knex';
import type { OfficeId } from '../domain/ids.ts';
import { writeLetter } from './account-letters.ts';
import { recordEvent } from './events.ts';
import { usersWithRole } from './staff.ts';
import { namedUuid } from './uuids.ts';

export interface MissingHolidays {
  readonly officeId: OfficeId;
  readonly officeName: string;
  readonly year: number;
  readonly at: string;
}

/** The event, and letters to the office's supervisors and to admins. @returns false when they were told of this year before */
export async function tellOfMissingHolidays(db: Knex, missing: MissingHolidays): Promise<boolean> {
  const { officeId, officeName, year, at } = missing;
  return db.transaction(async (tx) => {
    const key = `calendar-check/${officeId}/${year}`;
    const isNew = await recordEvent(tx, {
      key,
      type: 'calendar.incomplete',
      subject: `calendar/${officeId}`,
      data: { year },
      at,
    });
    if (!isNew) return false;
    const people = [...(await usersWithRole(tx, 'supervisor', officeId)), ...(await usersWithRole(tx, 'admin'))];
    for (const userId of new Set(people)) {
      const id = namedUuid(`account_letter/${key}/${userId}`);
      const data = { officeName, year };
      await writeLetter(tx, { id, template: 'calendar_incomplete', userId, data, at: new Date(at) });
    }
    return true;
  });
}
