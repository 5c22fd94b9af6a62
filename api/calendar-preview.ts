/** What a calendar would do to the open cases of an office, before anybody publishes it. */
import type { Knex } from '../db/connection.ts';
import { versionedCalendarOf } from '../db/offices.ts';
import { openCasesOf } from '../db/replanning.ts';
import type { BusinessCalendar } from '../domain/calendar.ts';
import type { ApplicationId, OfficeId } from '../domain/ids.ts';
import type { ApplicationState, Stage } from '../domain/licensing.ts';
import { type OpenCase, type ReplannedCase, replanCase } from '../domain/replanning.ts';

/** Between pages other requests have their turn. */
const PAGE = 250;

export interface Moving {
  readonly found: OpenCase;
  readonly again: ReplannedCase;
  /** By how much, of the legal due date and the present one, that which moves further; null = rungs only. */
  readonly shiftMs: number | null;
}

interface Count {
  moved: number;
  unchanged: number;
}

export interface Preview {
  readonly basedOnVersion: number;
  readonly total: Count;
  /** Cases at a stage by its name, the others by their state. */
  readonly byStage: ReadonlyMap<Stage | ApplicationState, Count>;
  readonly latestShiftMs: number | null;
  readonly earliestShiftMs: number | null;
  /** Those that move, by ID, from `after` on; one more than `limit` when there are more. */
  readonly moving: readonly Moving[];
}

export async function previewCalendar(
  db: Knex,
  officeId: OfficeId,
  calendar: BusinessCalendar,
  shown: { after: ApplicationId | null; limit: number },
): Promise<Preview> {
  const { calendar: inForce, version } = await versionedCalendarOf(db, officeId);
  const total: Count = { moved: 0, unchanged: 0 };
  const byStage = new Map<Stage | ApplicationState, Count>();
  const shifts: { latest: number | null; earliest: number | null } = { latest: null, earliest: null };
  const moving: Moving[] = [];
  for await (const page of openCasesOf(db, officeId, inForce, PAGE)) {
    for (const found of page) {
      const again = replanCase(calendar, found);
      const key = found.tasks[0]?.stage ?? found.state;
      const count = byStage.get(key) ?? { moved: 0, unchanged: 0 };
      byStage.set(key, count);
      const outcome = again.moved ? 'moved' : 'unchanged';
      total[outcome] += 1;
      count[outcome] += 1;
      if (!again.moved) continue;
      const shiftMs = shiftOf(found, again);
      if (shiftMs !== null) {
        shifts.latest = Math.max(shiftMs, shifts.latest ?? shiftMs);
        shifts.earliest = Math.min(shiftMs, shifts.earliest ?? shiftMs);
      }
      const isShown = shown.after === null || found.id > shown.after;
      if (isShown && moving.length <= shown.limit) moving.push({ found, again, shiftMs });
    }
  }
  return {
    basedOnVersion: version,
    total,
    byStage,
    latestShiftMs: shifts.latest,
    earliestShiftMs: shifts.earliest,
    moving,
  };
}

function shiftOf(found: OpenCase, again: ReplannedCase): number | null {
  const shift = (from: number | null, to: number | null) => (from === null || to === null ? 0 : to - from);
  const [legal, due] = [shift(found.legalDueAt, again.legalDueAt), shift(found.dueAt, again.dueAt)];
  return (Math.abs(legal) >= Math.abs(due) ? legal : due) || null;
}
