/** Who holds the open seats of a stage. */
import type { Knex } from 'knex';
import { declareConflict } from '../db/conflicts.ts';
import { recordEvent } from '../db/events.ts';
import { officeOfType } from '../db/offices.ts';
import { usersWithRole } from '../db/staff.ts';
import { lockSeat } from '../db/task-offers.ts';
import { assignReviewer, handTaskTo, whyNotHold } from '../db/tasks.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { OfficeId, UserId } from '../domain/ids.ts';
import type { HandoverAsked } from '../domain/review-rules.ts';
import type { Role } from '../domain/roles.ts';
import type { ActivityDeps } from './deps.ts';
import { openOrigin } from './origin.ts';
import type { Sent, StageAt } from './review-inputs.ts';
import { noteUnassigned, type PlanNow, planNow } from './review-stages.ts';

export interface ReassignTask extends StageAt, Sent {
  readonly typeCode: string;
  /** That the seat is kept for. */
  readonly role: Role;
  /** Absent in histories of before: the only one. */
  readonly seat?: number;
  /** Whose seat it is now. */
  readonly from?: UserId | null;
  readonly by: UserId;
  /** null = whoever the rules of assignment choose. */
  readonly to: UserId | null;
  readonly reason: string;
  readonly kind?: HandoverAsked['kind'];
  readonly attempt: string;
}

export interface Reassigned {
  readonly refused: FailureCode | null;
  /** Absent in histories of before: `to`. */
  readonly assignee?: UserId | null;
  /** Whom to tell that nobody was free. */
  readonly supervisors?: UserId[];
  /** By what is waited for whoever has it now. Absent in histories of before, and when it was refused. */
  readonly now?: PlanNow;
}

export interface OfferSeat extends StageAt {
  readonly typeCode: string;
  readonly role: Role;
  readonly seat: number;
  readonly attempt: string;
}

export interface SeatOffered {
  /** By the record; null = nobody was free after all. */
  readonly assignee: UserId | null;
  /** Whether they have it by this offer. */
  readonly isOffered: boolean;
  readonly now: PlanNow;
}

export function createReviewPeopleActivities(deps: ActivityDeps) {
  const { db } = deps;
  return {
    /** Hands an open seat over on a person's word; refused when the other may not hold it. */
    async reassignTask(input: ReassignTask): Promise<Reassigned> {
      const office = await officeOfType(db, input.typeCode);
      const done = await db.transaction((tx) => handOver(tx, input, office.id));
      if (done.refused) return done;
      const now = await planNow(db, input);
      if (done.assignee) return { ...done, now };
      return { ...done, now, supervisors: await usersWithRole(db, 'supervisor', office.id) };
    },

    /** Gives a seat that nobody has to whoever the rules of assignment choose by now, once. What somebody has is theirs. */
    async offerSeat(input: OfferSeat): Promise<SeatOffered> {
      const office = await officeOfType(db, input.typeCode);
      const offered = await db.transaction((tx) => offer(tx, input, office.id));
      return { ...offered, now: await planNow(db, input) };
    },
  };

  async function offer(tx: Knex, input: OfferSeat, officeId: OfficeId): Promise<Omit<SeatOffered, 'now'>> {
    const { applicationId, round, stage, seat, role, at } = input;
    const key = `license-review/${applicationId}/reassigned/${input.attempt}`;
    const open = await lockSeat(tx, input);
    const before = await handedBefore(tx, key);
    if (before) return { assignee: before.to, isOffered: true };
    if (!open || open.assignee) return { assignee: open?.assignee ?? null, isOffered: false };
    const except = new Set(open.takenFrom ? [open.takenFrom] : []);
    const wanted = { applicationId, officeId, round, stage, role, seat, at, preferred: null, except };
    const assignee = await assignReviewer(tx, wanted);
    if (!assignee) return { assignee: null, isOffered: false };
    const data = { stage, round, to: assignee, kind: 'offer', seat, from: null };
    if (await recordEvent(tx, { key, type: 'task.reassigned', applicationId, data, at }))
      await handTaskTo(tx, { applicationId, round, stage, seat, assignee, at });
    return { assignee, isOffered: true };
  }

  async function handOver(tx: Knex, input: ReassignTask, officeId: OfficeId): Promise<Reassigned> {
    const { applicationId, round, stage, seat = 1, by, to, reason, kind, at } = input;
    const key = `license-review/${applicationId}/reassigned/${input.attempt}`;
    const before: { to: UserId | null } | null = await handedBefore(tx, key);
    if (before) return { refused: null, assignee: before.to };
    const refused = to && (await whyNot(tx, { ...input, seat, to }, officeId));
    if (refused) return { refused };
    const origin = openOrigin(deps, input.origin);
    if (kind === 'conflict') await declareConflict(tx, { applicationId, userId: by, reason, at, origin });
    const assignee = to ?? (await chosen(tx, { ...input, seat }, officeId));
    const isNew = await recordEvent(tx, {
      key,
      type: 'task.reassigned',
      applicationId,
      by,
      data: {
        stage,
        round,
        to: assignee,
        // What somebody says of a conflict is theirs: it stands in the record of conflicts.
        ...(kind === 'conflict' ? {} : { reason }),
        ...(kind ? { kind, seat, from: input.from ?? null } : {}),
      },
      origin,
      at,
    });
    if (!isNew) return { refused: null, assignee };
    if (!assignee) await noteUnassigned(tx, { applicationId, round, stage, seat, at, why: key });
    await handTaskTo(tx, { applicationId, round, stage, seat, assignee, at });
    return { refused: null, assignee };
  }
}

async function handedBefore(tx: Knex, key: string): Promise<{ to: UserId | null } | null> {
  const event: { data: { to?: UserId | null } } | undefined = await tx('events').where({ key }).first('data');
  return event ? { to: event.data.to ?? null } : null;
}

/** What bars the caller is theirs to know; of somebody else only that they may not, or have said so themselves. */
async function whyNot(
  tx: Knex,
  { applicationId, round, stage, role, seat, at, by, to }: ReassignTask & { seat: number; to: UserId },
  officeId: OfficeId,
): Promise<FailureCode | null> {
  const why = await whyNotHold(tx, { applicationId, officeId, round, stage, role, seat, at, userId: to });
  if (why === null || to === by || why === 'conflict_declared') return why;
  return 'reviewer_not_eligible';
}

const chosen = (
  tx: Knex,
  { applicationId, round, stage, role, seat, at, from }: ReassignTask & { seat: number },
  officeId: OfficeId,
): Promise<UserId | null> =>
  assignReviewer(tx, {
    applicationId,
    officeId,
    round,
    stage,
    role,
    seat,
    at,
    preferred: null,
    except: new Set(from ? [from] : []),
  });
