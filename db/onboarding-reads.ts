/** What is shown of an onboarding: to its owner who polls it, and to the people who review it. */
import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { CompanyStatus, LegalForm } from '../domain/companies.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';
import type { Registry } from '../domain/licensing.ts';
import type { OnboardingState, OnboardingStep, ReviewReason, StepState } from '../domain/onboarding.ts';
import type { RegistryState } from '../domain/registries.ts';
import type { SuggestedLicense } from './suggested-licenses.ts';

export interface OnboardingStatus {
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly companyStatus: CompanyStatus;
  readonly legalForm: LegalForm;
  readonly isMember: boolean;
  readonly createdAt: Date;
  /** null: the company was there before there was an onboarding. */
  readonly record: {
    readonly state: OnboardingState;
    readonly run: number;
    readonly remindersSent: number;
    readonly startedAt: string;
    readonly lastStepAt: string;
    readonly expiresAt: string | null;
    readonly eraseAt: string | null;
    readonly erasedAt: string | null;
    readonly updatedAt: string;
    readonly reviewReasons: readonly ReviewReason[];
    readonly suggestedLicenses: readonly SuggestedLicense[];
  } | null;
  readonly steps: readonly {
    readonly step: OnboardingStep;
    readonly state: StepState;
    readonly completedAt: string | null;
    readonly metadata: Readonly<Record<string, unknown>>;
  }[];
  readonly numbers: readonly {
    readonly kind: Registry;
    readonly masked: string;
    readonly registryState: RegistryState | null;
  }[];
}

/** One statement, each part of it by an index: owners poll it. Times come as PostgreSQL's JSON writes them. */
const STATUS = `
  select c.id as "companyId", c.name as "companyName", c.status as "companyStatus", c.legal_form as "legalForm", c.created_at as "createdAt",
         (m.user_id is not null) as "isMember",
         case when o.company_id is not null then jsonb_build_object(
           'state', o.state, 'run', o.run, 'remindersSent', o.reminders_sent, 'startedAt', o.started_at,
           'lastStepAt', o.last_step_at, 'expiresAt', o.expires_at, 'eraseAt', o.erase_at, 'erasedAt', o.erased_at,
           'updatedAt', o.updated_at, 'reviewReasons', o.review_reasons, 'suggestedLicenses', o.suggested_licenses)
         end as record,
         coalesce((select jsonb_agg(jsonb_build_object('step', s.step, 'state', s.state, 'completedAt', s.completed_at,
                                                       'metadata', s.metadata) order by s.position)
            from onboarding_steps s where s.company_id = c.id), '[]') as steps,
         coalesce((select jsonb_agg(jsonb_build_object('kind', n.kind, 'masked', n.masked,
                                                       'registryState', n.registry_state) order by n.kind)
            from company_numbers n where n.company_id = c.id), '[]') as numbers
    from companies c
    left join onboardings o on o.company_id = c.id
    left join company_members m on m.company_id = c.id and m.user_id = :viewer
   where c.id = :id and (m.user_id is not null or :isStaff)`;

/** null when there is no such company, or the viewer may not see it: the two look the same. */
export async function onboardingStatus(
  db: Knex,
  id: CompanyId,
  viewer: { readonly userId: UserId; readonly isStaff: boolean },
): Promise<OnboardingStatus | null> {
  const { rows }: { rows: OnboardingStatus[] } = await db.raw(STATUS, {
    id,
    viewer: viewer.userId,
    isStaff: viewer.isStaff,
  });
  return rows[0] ?? null;
}

export interface ListedOnboarding {
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly state: OnboardingState;
  readonly reviewReasons: readonly ReviewReason[];
  readonly since: Date;
  readonly startedAt: Date;
}

/** Of one state, whoever waits longest first. `after` = the last one already read. */
export async function listOnboardings(
  db: Knex,
  state: OnboardingState,
  { limit, after }: { readonly limit: number; readonly after: { readonly at: Date; readonly id: string } | null },
): Promise<ListedOnboarding[]> {
  const found: ListedOnboarding[] = await db('onboardings as o')
    .join('companies as c', 'c.id', 'o.company_id')
    .where('o.state', state)
    .modify((query) => {
      if (after) query.whereRaw(`(${MOMENT}, o.company_id) > (?::timestamptz, ?::uuid)`, [after.at, after.id]);
    })
    .orderByRaw(`${MOMENT}, o.company_id`)
    .limit(limit)
    .select({
      companyId: 'o.company_id',
      companyName: 'c.name',
      state: 'o.state',
      reviewReasons: 'o.review_reasons',
      since: 'o.updated_at',
      startedAt: 'o.started_at',
    });
  return found;
}

// Cut as a cursor's Date is, or a row would follow itself.
const MOMENT = "date_trunc('milliseconds', o.updated_at)";

export interface OnboardingToSpeakOf {
  readonly companyId: CompanyId;
  readonly owner: UserId;
  readonly state: OnboardingState;
  readonly run: number;
  readonly zone: OfficeZone;
  readonly isErased: boolean;
  readonly startedAt: Date;
}

/** For whoever sends its process a message; null = this company has none. */
export async function findOnboarding(db: Knex, companyId: CompanyId): Promise<OnboardingToSpeakOf | null> {
  const found: OnboardingToSpeakOf | undefined = await db('onboardings')
    .where({ company_id: companyId })
    .first({
      companyId: 'company_id',
      owner: 'owner_id',
      state: 'state',
      run: 'run',
      zone: 'zone',
      isErased: db.raw('erased_at is not null'),
      startedAt: 'started_at',
    });
  return found ?? null;
}
