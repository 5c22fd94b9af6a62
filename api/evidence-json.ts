import { type EvidencePack, namesIn, type Person, type StoredEvidence } from '../db/evidence.ts';
import { LEGAL_BASIS } from '../domain/evidence.ts';
import type { UserId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { isStaff, type Role } from '../domain/roles.ts';
import type { ApiDeps } from './deps.ts';
import { timeJson } from './wire.ts';

/** As `evidenceSchema` says. With names for staff; everybody else sees in which role somebody acted, and no more. */
export async function evidenceJson(
  { db, publicUrl }: Pick<ApiDeps, 'db' | 'publicUrl'>,
  viewer: Actor,
  { applicationId, pack, pdf, createdAt }: StoredEvidence,
) {
  const names = isStaff(viewer.roles) ? await namesIn(db, pack) : null;
  const { workingDayMs, suspensions, tasks, holders, decisions, rungs, ...rest } = pack;
  return {
    ...rest,
    applicationId,
    legalBasis: LEGAL_BASIS,
    legalWorkingDays: rest.legalBudgetMs / workingDayMs,
    suspensions: suspensions.map((one) => ({ ...one, by: personJson(one.by, names) })),
    tasks: tasks.map((task) => ({ ...task, assignee: personJson(holderOf(task), names) })),
    holders: holders.map(({ person, ...held }) => ({ ...held, person: personJson(person, names) })),
    decisions: decisions.map((made) => ({ ...made, by: personJson(made.by, names) })),
    rungs: rungs.map((rung) => ({
      ...rung,
      told: rung.told.map((letter) => ({ ...letter, person: personJson(letter.person, names) })),
    })),
    createdAt: timeJson(createdAt),
    pdfUrl: pdf && `${publicUrl}/api/v1/licenses/applications/${applicationId}/evidence.pdf`,
  };
}

const holderOf = ({ assignee, role }: EvidencePack['tasks'][number]): Person => ({ userId: assignee, roles: [role] });

function personJson(
  { userId, roles }: Person,
  names: ReadonlyMap<string, string> | null,
): { roles: Role[]; id?: UserId; name?: string } | null {
  if (userId === null) return null;
  return { roles: [...roles], ...(names ? { id: userId, name: names.get(userId) ?? '–' } : {}) };
}
