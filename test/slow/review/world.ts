/** A case to play with: an office of its own with its staff, and an applicant whose draft is ready. */
import { randomInt, randomUUID } from 'node:crypto';
import { sendIn } from '../../../api/submission.ts';
import { judgedFor, licenseTypeInForce } from '../../../db/license-types.ts';
import type { OfficeCalendar } from '../../../domain/calendars.ts';
import type { ApplicationId, UserId } from '../../../domain/ids.ts';
import type { Role } from '../../../domain/roles.ts';
import { licenseReviewId } from '../../../workflows/ids.ts';
import { aCalendar } from '../../builders/calendars.ts';
import { aCompany, aLicenseType, anApplication, hashOf, type LicenseTypeRow } from '../../builders/licensing.ts';
import type { CaseClocks } from '../../simulate/case-clocks.ts';
import type { TestPerson } from '../../support/api.ts';
import type { TestSystem } from '../../support/system.ts';
import { policyOf, type Scenario, STAFF, type Staff } from './scenario.ts';

/** Long after today, so that no clock has to go back; a Monday, 00:00 in Jakarta. */
const BEGINS = Date.parse('2030-03-04T00:00:00+07:00');

export interface World {
  readonly system: TestSystem;
  readonly clocks: CaseClocks;
  readonly applicationId: ApplicationId;
  readonly workflowId: string;
  readonly type: LicenseTypeRow;
  readonly owner: TestPerson;
  readonly admin: TestPerson;
  readonly staff: Readonly<Record<Staff, TestPerson>>;
  readonly roles: ReadonlyMap<UserId, Role>;
  calendar: { readonly version: number; readonly calendar: OfficeCalendar };
  /** Policies of the type, by version: legal time in working days. */
  readonly legalDays: Map<number, number>;
  /** How far the case's clock is ahead of this machine's. */
  aheadMs: number;
}

export const nowOf = ({ aheadMs }: World): number => Date.now() + aheadMs;

export const nameOf = ({ staff }: World, userId: UserId | null): string =>
  STAFF.find((name) => staff[name].id === userId) ?? String(userId);

export async function aCase(system: TestSystem, clocks: CaseClocks, scenario: Scenario): Promise<World> {
  const { db } = system.database;
  const type = await aLicenseType(db, policyOf(scenario));
  const owner = await system.api.person('owner');
  const admin = await system.api.person('admin');
  const staff = await hired(system);
  const people = [admin, ...Object.values(staff)].map(({ id }) => id);
  await db('users').whereIn('id', people).update({ office_id: type.officeId });
  for (const name of STAFF) if (roleOf(name) === 'supervisor') await system.api.stepUp(staff[name]);
  const companyId = await aCompany(db, owner.id);
  await db('companies')
    .where({ id: companyId })
    .update({ nib: String(randomInt(2 ** 40)).padStart(13, '1') });
  await db('company_members').insert({ company_id: companyId, user_id: staff.insider.id });
  const applicationId = await anApplication(db, { companyId, type, applicantId: owner.id });
  const world: World = {
    system,
    clocks,
    applicationId,
    workflowId: licenseReviewId(applicationId),
    type,
    owner,
    admin,
    staff,
    roles: new Map(STAFF.map((name) => [staff[name].id, roleOf(name)])),
    calendar: { version: 1, calendar: aCalendar() },
    legalDays: new Map([[1, scenario.legalWorkingDays]]),
    aheadMs: BEGINS + scenario.begins * 60_000 - Date.now(),
  };
  if (!scenario.incomplete) await attach(world);
  return world;
}

async function hired(system: TestSystem): Promise<Record<Staff, TestPerson>> {
  const entries: [Staff, TestPerson][] = [];
  for (const name of STAFF) entries.push([name, await system.api.person(roleOf(name))]);
  const found = new Map(entries);
  const of = (name: Staff): TestPerson => {
    const person = found.get(name);
    if (!person) throw new Error(`nobody is ${name}`);
    return person;
  };
  return {
    verifier1: of('verifier1'),
    verifier2: of('verifier2'),
    examiner1: of('examiner1'),
    examiner2: of('examiner2'),
    approver1: of('approver1'),
    approver2: of('approver2'),
    approver3: of('approver3'),
    head: of('head'),
    supervisor1: of('supervisor1'),
    supervisor2: of('supervisor2'),
    insider: of('insider'),
  };
}

function roleOf(name: Staff): Role {
  if (name.startsWith('verifier')) return 'verifier';
  if (name.startsWith('examiner')) return 'examiner';
  if (name.startsWith('supervisor')) return 'supervisor';
  return name === 'head' ? 'head' : 'approver';
}

/** The required document, as an upload leaves it. */
export async function attach({ system, applicationId, owner }: World): Promise<void> {
  const { db } = system.database;
  if (await db('documents').where({ application_id: applicationId }).first('id')) return;
  await db('documents').insert({
    id: randomUUID(),
    application_id: applicationId,
    kind: 'ktp',
    filename: 'ktp.pdf',
    sha256: hashOf(applicationId),
    bytes: 1,
    content_type: 'application/pdf',
    uploaded_by: owner.id,
    uploaded_at: new Date(),
  });
}

/** The function behind the route, which would put this machine's time on it, and would not take an incomplete one. */
export async function submit(world: World): Promise<void> {
  const { system, clocks, applicationId, workflowId, type, owner } = world;
  const { db } = system.database;
  const at = new Date(nowOf(world));
  const offered = await licenseTypeInForce(db, type.code, new Date());
  if (!offered) throw new Error(`${type.code} is not offered`);
  const applicant = await db('applications')
    .where({ id: applicationId })
    .first({ companyId: 'company_id', form: 'form' });
  const judged = await judgedFor(db, offered, applicant, at);
  clocks.startAt(workflowId, at.getTime());
  const origin = { address: null, requestId: null };
  await sendIn(system.api.deps, judged, {
    id: applicationId,
    companyId: applicant.companyId,
    by: owner.id,
    origin,
    at,
  });
}
