/** The simulated office, set up in a database of its own: its calendar, its rules, its leave, the drafts of those who apply. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { officeCalendarOf, publishCalendar } from '../../db/calendars.ts';
import { type ApplicationId, asId, type CalendarVersionId, type CompanyId, type OfficeId } from '../../domain/ids.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { DEMO_LICENSE_TYPES } from '../../local/demo-license-types.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { type Story, storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import type { Arrival, TypeCode } from './people.ts';
import type { PlayedYear } from './year.ts';

/** A case as the simulation drives it; what it is, the records say. */
export interface PlayedCase extends Arrival {
  readonly id: ApplicationId;
  readonly workflowId: string;
  readonly companyId: CompanyId;
  readonly form: Readonly<Record<string, unknown>>;
  readonly policy: LicensePolicy;
}

/** Every one of them is free: what comes after the approval is neither review nor free of waiting for money. */
const FREE = { statutoryMinor: '0', serviceMinor: '0', currency: 'IDR' } as const;

/** Rules that the demonstration's types have, with what the simulation changes of them. */
export const PLAYED_POLICIES: Readonly<Record<TypeCode, LicensePolicy>> = {
  retail_kiosk: policyOf('retail_kiosk'),
  home_food: policyOf('home_food'),
  // So that the year has both kinds: a type whose cases the law approves when the office is late, and one whose are only escalated.
  restaurant: { ...policyOf('restaurant'), deemedApproval: 'issue' },
  fuel_storage: policyOf('fuel_storage'),
};

function policyOf(code: TypeCode): LicensePolicy {
  const type = DEMO_LICENSE_TYPES.find((each) => each.code === code);
  if (!type) throw new Error(`the demonstration has no licence type ${code}`);
  return { ...type.policy, ...type.since2, fee: FREE };
}

export async function setUpOffice({ database: { db } }: TestSystem, { officeCalendar }: PlayedYear): Promise<OfficeId> {
  const office: { id: OfficeId } | undefined = await db('offices').first('id');
  if (!office) throw new Error('the demonstration data has no office');
  const { version } = await officeCalendarOf(db, office.id);
  await publishCalendar(db, {
    id: asId<CalendarVersionId>(randomUUID()),
    officeId: office.id,
    calendar: officeCalendar,
    reason: 'The simulated year',
    basedOnVersion: version,
    by: demoUserId('supervisor'),
    at: new Date().toISOString(),
  });
  await publishPolicies(db);
  return office.id;
}

async function publishPolicies(db: TestSystem['database']['db']): Promise<void> {
  for (const [code, policy] of Object.entries(PLAYED_POLICIES)) {
    const latest = await db('license_policies').where({ type_code: code }).orderBy('version', 'desc').first();
    await db('license_policies').insert({
      id: randomUUID(),
      type_code: code,
      version: latest.version + 1,
      effective_from: latest.effective_from,
      policy: JSON.stringify(policy),
      form_schema: JSON.stringify(latest.form_schema),
      example_form: JSON.stringify(latest.example_form),
    });
  }
}

/** Drafts with every required document, through the API. */
export async function prepareDrafts(
  system: TestSystem,
  coming: readonly Arrival[],
  onDraft: (done: number) => void,
): Promise<PlayedCase[]> {
  const story = storyOf(system);
  const companyId = asId<CompanyId>(await story.companyId());
  const cases: PlayedCase[] = [];
  const left = coming.values();
  const lane = async () => {
    for (const arrival of left) {
      cases.push(await draft(story, companyId, arrival));
      onDraft(cases.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return cases.toSorted((a, b) => a.number - b.number);
}

const AT_ONCE = 4;
const created = z.looseObject({ id: z.string(), form: z.record(z.string(), z.unknown()) });

async function draft(story: Story, companyId: CompanyId, arrival: Arrival): Promise<PlayedCase> {
  const type = DEMO_LICENSE_TYPES.find(({ code }) => code === arrival.typeCode);
  if (!type) throw new Error(`the demonstration has no licence type ${arrival.typeCode}`);
  const answer = await story.expect(
    201,
    story.call('POST', 'licenses/applications', {
      as: 'owner',
      body: { companyId, typeCode: type.code, form: type.exampleForm },
    }),
  );
  const { id, form } = created.parse(answer.body);
  for (const { kind, required } of type.policy.checklist) if (required) await story.expect(201, story.upload(id, kind));
  const applicationId = asId<ApplicationId>(id);
  return {
    ...arrival,
    id: applicationId,
    workflowId: licenseReviewId(applicationId),
    companyId,
    form,
    policy: PLAYED_POLICIES[arrival.typeCode],
  };
}
