/** Why an approval counts as given by law: what clock, ladder and mail knew at that moment, written once and unchanged since. */
import type { Knex } from 'knex';
import { formatInZone, type OfficeZone, workingDay } from '../domain/calendar.ts';
import { type CountedDay, countedDays } from '../domain/evidence.ts';
import type { ApplicationId, CompanyId, Sha256, UserId } from '../domain/ids.ts';
import { legalClock } from '../domain/legal-clock.ts';
import type { Actor, Decision, Stage } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';
import { announce } from './application-moves.ts';
import { seenBy, VISIBLE } from './applications.ts';
import { calendarOf } from './offices.ts';
import { ledgerOf } from './suspensions.ts';

/** Of the office; who it is by ID, and as what they acted. Names are looked up for those who may see them. */
export interface Person {
  readonly userId: UserId | null;
  readonly roles: readonly Role[];
}

/** Times are ISO 8601 in the office's zone; `…Ms` is working time. */
export interface EvidencePack {
  readonly company: { readonly id: CompanyId; readonly name: string; readonly nib: string | null };
  readonly type: { readonly code: string; readonly name: { readonly id: string; readonly en: string } };
  readonly office: { readonly name: string; readonly address: string; readonly zone: OfficeZone };
  readonly submittedAt: string;
  readonly completeAt: string;
  readonly legalBudgetMs: number;
  readonly workingDayMs: number;
  readonly legalDueAt: string;
  readonly grantedAt: string;
  readonly officeMs: number;
  readonly applicantMs: number;
  readonly days: readonly CountedDay[];
  readonly suspensions: readonly {
    readonly reason: string;
    readonly stage: Stage | null;
    readonly round: number;
    readonly by: Person;
    readonly from: string;
    readonly to: string | null;
    readonly workingMs: number;
  }[];
  readonly calendar: {
    readonly version: number;
    readonly opensAtMinute: number;
    readonly closesAtMinute: number;
    readonly holidays: readonly { readonly date: string; readonly reason: string }[];
  };
  readonly tasks: readonly {
    readonly stage: Stage;
    readonly round: number;
    readonly seat: number;
    readonly role: Role;
    readonly openedAt: string;
    readonly dueAt: string;
    readonly closedAt: string | null;
    readonly state: string;
    readonly assignee: UserId | null;
  }[];
  /** Everybody who ever held one of them. */
  readonly holders: readonly { readonly stage: Stage; readonly since: string; readonly person: Person }[];
  readonly decisions: readonly {
    readonly stage: Stage;
    readonly round: number;
    readonly decision: Decision;
    readonly at: string;
    readonly by: Person;
  }[];
  readonly rungs: readonly {
    readonly stage: Stage;
    readonly round: number;
    readonly code: string;
    readonly firedAt: string;
    /** The letters that it led to. */
    readonly told: readonly {
      readonly person: Person;
      readonly template: string;
      readonly writtenAt: string;
      readonly state: string;
      readonly sentAt: string | null;
    }[];
  }[];
}

/**
 * Puts the evidence together and stores it, in the transaction that grants the licence by law. What is there stays.
 * @throws Error for a case whose legal clock never started: nothing can be shown of it, so nothing is granted
 */
export async function writeEvidence(tx: Knex, { applicationId, at }: { applicationId: ApplicationId; at: string }) {
  const pack = await gather(tx, applicationId, at);
  await tx('evidence_packs')
    .insert({ application_id: applicationId, pack: JSON.stringify(pack), created_at: at })
    .onConflict('application_id')
    .ignore();
}

interface CaseRow {
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly nib: string | null;
  readonly typeCode: string;
  readonly typeName: { readonly id: string; readonly en: string };
  readonly officeId: Parameters<typeof calendarOf>[1];
  readonly officeName: string;
  readonly officeAddress: string;
  readonly zone: OfficeZone;
  readonly calendarVersion: number;
  readonly submittedAt: Date | null;
  readonly completeAt: Date | null;
  readonly legalBudgetMs: bigint | null;
  readonly legalDueAt: Date | null;
}

async function caseOf(tx: Knex, applicationId: ApplicationId): Promise<CaseRow | undefined> {
  return tx('applications as a')
    .join('companies as c', 'c.id', 'a.company_id')
    .join('license_types as t', 't.code', 'a.type_code')
    .join('offices as o', 'o.id', 't.office_id')
    .where('a.id', applicationId)
    .first({
      companyId: 'c.id',
      companyName: 'c.name',
      nib: 'c.nib',
      typeCode: 't.code',
      typeName: 't.name',
      officeId: 'o.id',
      officeName: 'o.name',
      officeAddress: 'o.address',
      zone: 'o.zone',
      calendarVersion: 'o.calendar_version',
      submittedAt: 'a.submitted_at',
      completeAt: 'a.complete_at',
      legalBudgetMs: 'a.legal_budget_ms',
      legalDueAt: 'a.legal_due_at',
    });
}

async function gather(tx: Knex, applicationId: ApplicationId, at: string): Promise<EvidencePack> {
  const row = await caseOf(tx, applicationId);
  if (!row?.completeAt || row.legalBudgetMs === null || !row.legalDueAt) {
    throw new Error(`application ${applicationId} has no legal clock that runs: it cannot be granted by law`);
  }
  const calendar = await calendarOf(tx, row.officeId);
  const inZone = (time: Date | string | number) => formatInZone(new Date(time).getTime(), row.zone);
  const [from, now] = [row.completeAt.getTime(), Date.parse(at)];
  const ledger = await ledgerOf(tx, applicationId);
  const budgetMs = Number(row.legalBudgetMs);
  const clock = legalClock(calendar, { completeAt: from, budgetMs, suspensions: ledger }, now);
  return {
    company: { id: row.companyId, name: row.companyName, nib: row.nib },
    type: { code: row.typeCode, name: row.typeName },
    office: { name: row.officeName, address: row.officeAddress, zone: row.zone },
    submittedAt: inZone(row.submittedAt ?? row.completeAt),
    completeAt: inZone(row.completeAt),
    legalBudgetMs: budgetMs,
    workingDayMs: workingDay(calendar),
    legalDueAt: inZone(row.legalDueAt),
    grantedAt: inZone(at),
    officeMs: clock.officeMs,
    applicantMs: clock.applicantMs,
    days: countedDays(calendar, { from, until: now, suspensions: ledger }),
    suspensions: clock.suspensions.map(({ reason, stage, round, by, from: since, to, workingMs }) => ({
      reason,
      stage,
      round,
      by: { userId: by, roles: [] },
      from: inZone(since),
      to: to === null ? null : inZone(to),
      workingMs,
    })),
    calendar: {
      version: row.calendarVersion,
      opensAtMinute: calendar.opensAtMinute,
      closesAtMinute: calendar.closesAtMinute,
      holidays: clock.skipped,
    },
    ...(await peopleOf(tx, applicationId, inZone)),
  };
}

type InZone = (time: Date | string | number) => string;

async function peopleOf(
  tx: Knex,
  applicationId: ApplicationId,
  inZone: InZone,
): Promise<Pick<EvidencePack, 'tasks' | 'holders' | 'decisions' | 'rungs'>> {
  const tasks: TaskRow[] = await tx('tasks')
    .where({ application_id: applicationId })
    .orderBy(['opened_at', 'round', 'stage', 'seat'])
    .select({
      stage: 'stage',
      round: 'round',
      seat: 'seat',
      role: 'role',
      openedAt: 'opened_at',
      dueAt: 'due_at',
      closedAt: 'closed_at',
      state: 'state',
      assignee: 'assignee_id',
    });
  const holders: HolderRow[] = await tx('task_holders as h')
    .join('users as u', 'u.id', 'h.user_id')
    .where('h.application_id', applicationId)
    .orderBy(['h.since', 'h.stage', 'h.user_id'])
    .select({ stage: 'h.stage', since: 'h.since', userId: 'h.user_id', roles: 'u.roles' });
  const decisions: DecisionRow[] = await tx('decisions as d')
    .join('users as u', 'u.id', 'd.decided_by')
    .where('d.application_id', applicationId)
    .orderBy(['d.decided_at', 'd.id'])
    .select({
      stage: 'd.stage',
      round: 'd.round',
      decision: 'd.decision',
      at: 'd.decided_at',
      userId: 'd.decided_by',
      roles: 'u.roles',
    });
  return {
    tasks: tasks.map(({ openedAt, dueAt, closedAt, ...task }) => ({
      ...task,
      openedAt: inZone(openedAt),
      dueAt: inZone(dueAt),
      closedAt: closedAt && inZone(closedAt),
    })),
    holders: holders.map(({ stage, since, ...person }) => ({ stage, since: inZone(since), person })),
    decisions: decisions.map(({ userId, roles, at, ...made }) => ({ ...made, at: inZone(at), by: { userId, roles } })),
    rungs: await rungsOf(tx, applicationId, inZone),
  };
}

interface TaskRow {
  readonly stage: Stage;
  readonly round: number;
  readonly seat: number;
  readonly role: Role;
  readonly openedAt: Date;
  readonly dueAt: Date;
  readonly closedAt: Date | null;
  readonly state: string;
  readonly assignee: UserId | null;
}

interface HolderRow {
  readonly stage: Stage;
  readonly since: Date;
  readonly userId: UserId;
  readonly roles: readonly Role[];
}

interface DecisionRow {
  readonly stage: Stage;
  readonly round: number;
  readonly decision: Decision;
  readonly at: Date;
  readonly userId: UserId;
  readonly roles: readonly Role[];
}

interface RungRow {
  readonly stage: Stage;
  readonly round: number;
  readonly code: string;
  readonly firedAt: Date;
}

interface LetterRow {
  readonly template: string;
  readonly writtenAt: Date;
  readonly state: string;
  readonly sentAt: Date | null;
  readonly userId: UserId | null;
  readonly roles: readonly Role[] | null;
}

/** The letter that a rung writes, where another rung of the same moment writes another. */
const RUNG_OF_LETTER: Readonly<Record<string, string>> = {
  task_reminder: 'half',
  task_at_risk: 'at_risk',
  task_breached: 'breach',
};

async function rungsOf(tx: Knex, applicationId: ApplicationId, inZone: InZone): Promise<EvidencePack['rungs']> {
  const rungs: RungRow[] = await tx('escalations')
    .where({ application_id: applicationId })
    .orderBy('fired_at')
    .select({ stage: 'stage', round: 'round', code: 'rung', firedAt: 'fired_at' });
  const letters: LetterRow[] = await tx('mail_deliveries as m')
    .leftJoin('users as u', 'u.id', 'm.user_id')
    .where('m.application_id', applicationId)
    .whereLike('m.template', 'task\\_%')
    .whereNot('m.template', 'task_assigned')
    .orderBy(['m.queued_at', 'm.key'])
    .select({
      template: 'm.template',
      writtenAt: 'm.queued_at',
      state: 'm.state',
      sentAt: 'm.sent_at',
      userId: 'm.user_id',
      roles: 'u.roles',
    });
  return rungs.map((rung) => ({
    ...rung,
    firedAt: inZone(rung.firedAt),
    told: letters
      .filter((letter) => rungBehind(rungs, letter) === rung)
      .map(({ userId, roles, template, writtenAt, state, sentAt }) => ({
        person: { userId, roles: roles ?? [] },
        template,
        writtenAt: inZone(writtenAt),
        state,
        sentAt: sentAt && inZone(sentAt),
      })),
  }));
}

/** The ladder writes right after it has fired: the last rung before the letter whose letter it is. */
function rungBehind(rungs: readonly RungRow[], { template, writtenAt }: LetterRow): RungRow | undefined {
  const before = rungs.filter(({ firedAt }) => firedAt <= writtenAt);
  return before.findLast(({ code }) => code === RUNG_OF_LETTER[template]) ?? before.at(-1);
}

export interface StoredEvidence {
  readonly applicationId: ApplicationId;
  readonly pack: EvidencePack;
  readonly pdf: Sha256 | null;
  readonly createdAt: Date;
}

const COLUMNS = {
  applicationId: 'e.application_id',
  pack: 'e.pack',
  pdf: 'e.pdf_sha256',
  createdAt: 'e.created_at',
};

/** null for a case that was not granted by law. */
export async function findEvidence(db: Knex, applicationId: ApplicationId): Promise<StoredEvidence | null> {
  const found: StoredEvidence | undefined = await db('evidence_packs as e')
    .where('e.application_id', applicationId)
    .first(COLUMNS);
  return found ?? null;
}

/** Whoever may see the case may see its evidence; null otherwise, or when there is none. */
export async function evidenceSeenBy(
  db: Knex,
  viewer: Actor,
  applicationId: ApplicationId,
): Promise<StoredEvidence | null> {
  const found: StoredEvidence | undefined = await db('evidence_packs as e')
    .join('applications as a', 'a.id', 'e.application_id')
    .where('a.id', applicationId)
    .whereRaw(VISIBLE, seenBy(viewer))
    .first(COLUMNS);
  return found ?? null;
}

/** Names of the people in a pack, for staff. */
export async function namesIn(db: Knex, pack: EvidencePack): Promise<ReadonlyMap<string, string>> {
  const ids = [
    ...pack.suspensions.map(({ by }) => by.userId),
    ...pack.tasks.map(({ assignee }) => assignee),
    ...pack.holders.map(({ person }) => person.userId),
    ...pack.decisions.map(({ by }) => by.userId),
    ...pack.rungs.flatMap(({ told }) => told.map(({ person }) => person.userId)),
  ].filter((id) => id !== null);
  const people: { id: string; name: string }[] = await db('users').whereIn('id', ids).select('id', 'name');
  return new Map(people.map(({ id, name }) => [id, name]));
}

/** @returns the hash that counts, which another try of the same activity may have stored first */
export async function attachEvidencePdf(db: Knex, applicationId: ApplicationId, sha256: Sha256): Promise<Sha256> {
  await db('evidence_packs')
    .where({ application_id: applicationId })
    .whereNull('pdf_sha256')
    .update({ pdf_sha256: sha256 });
  const stored = await findEvidence(db, applicationId);
  if (!stored?.pdf) throw new Error(`application ${applicationId} has no evidence to print`);
  await announce(db, applicationId);
  return stored.pdf;
}
