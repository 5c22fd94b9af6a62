/** The case's process: brought forward in time, waited for, and compared with what is on record. */
import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { type AbsenceId, asId } from '../../../domain/ids.ts';
import { isStage } from '../../../domain/licensing.ts';
import { absenceProcessId } from '../../../workflows/ids.ts';
import { progressQuery, type ReviewProgress } from '../../../workflows/messages.ts';
import { type CaseRecord, caseRecord, firedAt, isAtRest, isOver, nextMoment, openSeats } from './records.ts';
import { nowOf, type World } from './world.ts';

const SECOND_MS = 1_000;
/** A process that is busy while it passes the target of a journey through time goes on to its next timer: targets keep away. */
export const CALM_MS = 90_000;
const RESTS_WITHIN_MS = 90_000;
const LOOK_AGAIN_MS = 20;

export const read = ({ system, applicationId, type }: World): Promise<CaseRecord> =>
  caseRecord(system.database.db, applicationId, type.officeId);

/** What it does by itself has been done, its letters too when it is over. @throws Error naming what it hangs at */
export async function rest(world: World): Promise<CaseRecord> {
  const until = Date.now() + RESTS_WITHIN_MS;
  let record = await read(world);
  while (!isAtRest(record, nowOf(world)) || (isOver(record) && (await isRunning(world)))) {
    if (Date.now() > until) throw new Error(`the case does not come to rest: ${record.state}, ${await failing(world)}`);
    await pause(LOOK_AGAIN_MS);
    record = await read(world);
  }
  return record;
}

const handleOf = ({ system, workflowId }: World) => system.client.workflow.getHandle(workflowId);

async function isRunning(world: World): Promise<boolean> {
  try {
    return (await handleOf(world).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function failing(world: World): Promise<string> {
  const { raw, status } = await handleOf(world).describe();
  const pending = (raw.pendingActivities ?? []).map(
    ({ activityType, attempt, lastFailure }) => `${activityType?.name} (try ${attempt}: ${lastFailure?.message ?? ''})`,
  );
  return `${status.name}; ${pending.join(', ') || 'no activity is under way'}`;
}

/** Lets time pass for the case and for those who are going to be away. */
export async function pass(world: World, until: number): Promise<CaseRecord> {
  const { absences } = await read(world);
  const ahead = absences.filter(({ from }) => from > nowOf(world) && from <= until).toSorted((a, b) => a.from - b.from);
  for (const { id, from } of ahead) {
    await reach(world, from + SECOND_MS);
    await begin(world, id, from + SECOND_MS);
  }
  await reach(world, calm(await read(world), until));
  return rest(world);
}

function calm(record: CaseRecord, until: number): number {
  const { dueAt, legalDueAt } = record;
  const rungs = openSeats(record).flatMap(({ plan }) => plan.rungs.map(({ at }) => Date.parse(at)));
  const moments = [...rungs, nextMoment(record), dueAt, legalDueAt].filter((at) => at !== null);
  const isNear = (target: number) => moments.some((at) => at <= target && target < at + CALM_MS / 2);
  let target = until;
  while (isNear(target)) target += CALM_MS / 2;
  return target;
}

async function begin(world: World, absenceId: string, at: number): Promise<void> {
  const { system, clocks } = world;
  const workflowId = absenceProcessId(asId<AbsenceId>(absenceId));
  await clocks.bringTo(system.client, workflowId, at);
  await result(world, workflowId);
}

/** Of another process that this case depends on. @throws Error when it does not end */
export const result = ({ system: { client } }: World, workflowId: string): Promise<unknown> =>
  client.withDeadline(Date.now() + RESTS_WITHIN_MS, () => client.workflow.getHandle(workflowId).result());

export async function reach(world: World, at: number): Promise<void> {
  const { system, clocks, workflowId } = world;
  if (at <= nowOf(world)) return;
  if (!(await sleeps(world))) {
    world.aheadMs = at - Date.now();
    return;
  }
  let isThere = false;
  const arrived = clocks.bringTo(system.client, workflowId, at).finally(() => {
    isThere = true;
  });
  // Once its activation is under way nothing of it sleeps any more, and its clock stands.
  const left = async () => {
    while (!isThere && (await sleeps(world))) await pause(100);
    if (!isThere) await pause(100);
  };
  arrived.catch(() => undefined);
  await Promise.race([arrived, left()]);
  world.aheadMs = at - Date.now();
}

async function sleeps(world: World): Promise<boolean> {
  const record = await read(world);
  return !isOver(record) && record.state !== 'pending_payment';
}

/** @returns in what the process sees the case otherwise than the record has it, when that lasts */
export async function differences(world: World, record: CaseRecord): Promise<string[]> {
  if (isOver(record)) return [];
  // Longer than a worker that died over an activity is missed.
  const until = Date.now() + RESTS_WITHIN_MS;
  for (;;) {
    const progress = await handleOf(world).query(progressQuery);
    const now = await read(world);
    const found = compare(progress, now);
    if (found.length === 0 || Date.now() > until) return found;
    await pause(50);
  }
}

function compare(progress: ReviewProgress, record: CaseRecord): string[] {
  const { state, round, dueAt } = record;
  const seats = openSeats(record);
  const [first] = seats.filter((seat) => seat.state === 'open');
  const fired = first ? firedAt(record, first) : new Set<string>();
  const ahead = (first?.plan.rungs ?? []).filter(({ code }) => !fired.has(code)).map(({ at }) => Date.parse(at));
  const time = (at: string | null | undefined) => (at ? Date.parse(at) : null);
  // Of what comes later by another calendar nobody is told: the process wakes at the time of before, and reads.
  const known = (told: number | null, is: number | null) => (told !== null && is !== null && told < is ? is : told);
  const nextRung = ahead.length > 0 ? Math.min(...ahead) : null;
  const pairs: [string, unknown, unknown][] = [
    ['state', progress.state, state],
    ['round', progress.round, round],
    ...(isStage(state)
      ? ([
          [
            'seats',
            (progress.seats ?? []).map(({ seat, assignee }) => [seat, assignee]),
            seats.map(({ seat, assignee }) => [seat, assignee]),
          ],
          [
            'voted',
            (progress.seats ?? []).filter(({ vote }) => vote !== null).map(({ seat }) => seat),
            seats.filter((seat) => seat.state === 'decided').map(({ seat }) => seat),
          ],
          ['due', known(time(progress.dueAt), dueAt), dueAt],
          ['next rung', known(time(progress.nextRung?.at), nextRung), nextRung],
          ['legal time', known(time(progress.legalDueAt), record.legalDueAt), record.legalDueAt],
        ] as [string, unknown, unknown][])
      : []),
  ];
  return pairs
    .filter(([, told, is]) => JSON.stringify(told) !== JSON.stringify(is))
    .map(([what, told, is]) => `the process sees ${what} ${JSON.stringify(told)}, the record ${JSON.stringify(is)}`);
}
