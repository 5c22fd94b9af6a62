/** The stored histories of a calendar: one that was worked into open cases in two runs, one that came too late, and the check. */
import { randomUUID } from 'node:crypto';
import { demoUserId } from '../../local/demo-data.ts';
import { calendarChangeId } from '../../workflows/ids.ts';
import { closed, publish } from '../builders/calendars.ts';
import { aCompany, aLicenseType } from '../builders/licensing.ts';
import { openCases } from '../builders/open-cases.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playCalendars(system: TestSystem): Promise<Played> {
  const { client, taskQueue } = system;
  const { db } = system.database;
  const owner = demoUserId('owner');
  const admin = demoUserId('admin');
  const type = await aLicenseType(db, { legalWorkingDays: 10 });
  const { officeId } = type;
  await openCases(db, { companyId: await aCompany(db, owner), type, applicantId: owner, count: 3 });
  const first = await publish(db, officeId, admin, { closures: [closed('2026-03-03')] });
  const second = await publish(db, officeId, admin, { closures: [closed('2026-03-04')] });
  const change = async (version: number): Promise<string> => {
    const workflowId = calendarChangeId(officeId, version);
    const args = [{ officeId, version, pageSize: 2, pagesARun: 1 }];
    await client.workflow.execute('calendarChange', { workflowId, taskQueue, args });
    return workflowId;
  };
  const superseded = await change(first);
  const replanned = await change(second);
  const check = `calendar-check-${randomUUID()}`;
  await client.workflow.execute('calendarCheck', { workflowId: check, taskQueue });
  return {
    'calendarChange-superseded': superseded,
    'calendarChange-second-run': replanned,
    'calendarCheck-an-office-without-holidays': check,
  };
}
