/** What must be true of a case whenever its process is at rest, each proved from the records alone. */
import { deadlineParts } from '../../../api/deadline-json.ts';
import { deadlinesOf } from '../../../db/deadlines.ts';
import type { UserId } from '../../../domain/ids.ts';
import { isClosed, whoseTurn } from '../../../domain/licensing.ts';
import { candidates, isAbsent, reviewedBeforeAppeal } from './expectations.ts';
import { type CaseRecord, deems, firedAt, isOver, openSeats } from './records.ts';
import { gaps, legalDue, rungsOf, stageBudgetMs, workingMs } from './reference.ts';
import { replayed } from './replay.ts';
import { nameOf, type World } from './world.ts';

const RUNG_EVENTS: Readonly<Record<string, string>> = {
  'task.reminded': 'half',
  'task.at_risk': 'at_risk',
  'task.breached': 'breach',
  'task.breach_told_to_head': 'head',
  'task.last_legal_day': 'last_day',
};

/** @returns what is wrong, in sentences; nothing when all is well */
export async function broken(world: World, record: CaseRecord, now: number): Promise<string[]> {
  return [
    ...(await clockIsRight(world, record, now)),
    ...planIsRight(world, record, now),
    ...rungsAreRight(record),
    ...peopleAreRight(world, record, now),
    ...decisionsAreRight(world, record),
    ...eventsExplain(world, record),
    ...somebodyIsWaitedFor(record, now),
  ];
}

const when = (isWrong: boolean, sentence: () => string): string[] => (isWrong ? [sentence()] : []);
const iso = (at: number | null): string => (at === null ? '–' : new Date(at).toISOString());

// ---- Σ of the clock's entries = the working time that has passed ------------------------------------------------------------

async function clockIsRight(world: World, record: CaseRecord, now: number): Promise<string[]> {
  const { db } = world.system.database;
  const found = await deadlinesOf(db, world.applicationId);
  const { completeAt, calendar, calendarVersion: version } = record;
  const { legal } = deadlineParts(found, { calendar, version }, { userId: world.owner.id, own: true }, new Date(now));
  if (completeAt === null)
    return [
      ...when(legal !== null, () => 'a clock of a submission that was never complete'),
      ...when(record.suspensions.length > 0, () => 'a clock that never started was stopped'),
    ];
  const end = Math.max(completeAt, Math.min(now, found.endedAt?.getTime() ?? now));
  const counted = record.suspensions.map(({ from, to }) => ({
    from: Math.min(from, end),
    to: Math.min(to ?? end, end),
  }));
  const sum = (spans: readonly { from: number; to: number }[]) =>
    spans.reduce((total, { from, to }) => total + workingMs(calendar, from, to), 0);
  const [applicant, office] = [sum(counted), sum(gaps(completeAt, end, counted))];
  const elapsed = workingMs(calendar, completeAt, end);
  const overlapping = record.suspensions.some((one, index) => {
    const before = record.suspensions[index - 1];
    return before !== undefined && (before.to === null || before.to > one.from);
  });
  return [
    ...when(overlapping, () => `suspensions overlap: ${JSON.stringify(record.suspensions)}`),
    ...when(
      applicant + office !== elapsed,
      () => `office ${office} + applicant ${applicant} ms, and ${elapsed} have passed`,
    ),
    ...when(legal?.officeMs !== office, () => `the office used ${office} ms, the deadline says ${legal?.officeMs}`),
    ...when(
      legal?.applicantMs !== applicant,
      () => `the applicant used ${applicant} ms, the deadline says ${legal?.applicantMs}`,
    ),
  ];
}

// ---- every date, by the reference -------------------------------------------------------------------------------------------

function planIsRight(world: World, record: CaseRecord, now: number): string[] {
  const { calendar, completeAt, legalWorkingDays: workingDays, suspensions } = record;
  if (isOver(record) || record.state === 'pending_payment') return [];
  const legal =
    completeAt === null || workingDays === null ? null : legalDue(calendar, { completeAt, workingDays, suspensions });
  const wrong = when(
    legal !== record.legalDueAt,
    () => `legal time ends ${iso(legal)}, on record ${iso(record.legalDueAt)}`,
  );
  const [seat] = openSeats(record).filter(({ state }) => state === 'open');
  if (!seat) return wrong;
  const { stages, automatic } = record.policy;
  const share = [...stages, ...(automatic ? [automatic.fallback] : []), ...world.type.policy.stages].find(
    ({ stage }) => stage === seat.stage,
  )?.sharePercent;
  const fired = firedAt(record, seat);
  const ahead = seat.plan.rungs
    .filter(({ code }) => !fired.has(code))
    .map(({ code, at }) => ({ code, at: Date.parse(at) }));
  const expected = rungsOf(calendar, seat, record.policy.ladder, legal);
  const missing = expected.rungs.filter(
    ({ code, at }) => !fired.has(code) && !ahead.some((rung) => rung.code === code && rung.at === at),
  );
  const extra = ahead.filter(({ code }) => !expected.rungs.some((rung) => rung.code === code));
  const told = (rungs: readonly { code: string; at: number }[]) =>
    rungs.map(({ code, at }) => `${code} ${iso(at)}`).join(', ');
  return [
    ...wrong,
    ...when(
      share !== undefined && stageBudgetMs(calendar, workingDays ?? 0, share) !== seat.budgetMs,
      () => `${share} % of ${workingDays} days are not ${seat.budgetMs} ms`,
    ),
    ...when(
      expected.dueAt !== seat.dueAt,
      () => `${seat.stage} is due ${iso(expected.dueAt)}, on record ${iso(seat.dueAt)}`,
    ),
    ...when(record.dueAt !== seat.dueAt, () => `the case is due ${iso(record.dueAt)}, its stage ${iso(seat.dueAt)}`),
    ...when(missing.length > 0, () => `rungs planned wrongly: should be ${told(missing)}, are ${told(ahead)}`),
    ...when(extra.length > 0, () => `rungs that the policy has not: ${told(extra)}`),
    ...when(
      ahead.some(({ at }) => at <= now),
      () => `rungs have not fired by ${iso(now)}: ${told(ahead)}`,
    ),
    ...usedIsRight(world, record, seat.stage, seat.usedMs),
  ];
}

/** A stage that is taken up again has used what it was open for before; another length of the day scales it, so not then. */
function usedIsRight(world: World, record: CaseRecord, stage: string, usedMs: number): string[] {
  if (world.calendar.version > 1) return [];
  const before = toldOf(world, record).spells.filter((spell) => spell.stage === stage && spell.to !== null);
  const used = before.reduce((total, { from, to }) => total + workingMs(record.calendar, from, to ?? from), 0);
  return when(used !== usedMs, () => `${stage} was open for ${used} ms before, on record ${usedMs}`);
}

// ---- the ladder ---------------------------------------------------------------------------------------------------------------

function rungsAreRight(record: CaseRecord): string[] {
  const keys = record.rungs.map(({ round, stage, code }) => `${round}/${stage}/${code}`);
  const told = record.events.flatMap(({ type, data }) => {
    const code = RUNG_EVENTS[type];
    return code ? [`${data.round}/${data.stage}/${code}`] : [];
  });
  const early = record.rungs.filter(({ stage, round, code, at }) => {
    const task = record.tasks.find((each) => each.stage === stage && each.round === round);
    const planned = task?.plan.rungs.find((rung) => rung.code === code);
    // An announced rejection plans the same stage anew, without what had fired.
    return planned !== undefined && task !== undefined && at >= task.openedAt && Date.parse(planned.at) > at;
  });
  const whileStopped = record.rungs.filter(({ at }) =>
    record.suspensions.some(({ from, to }) => from < at && (to === null || at < to)),
  );
  return [
    ...when(new Set(keys).size < keys.length, () => `a rung fired twice: ${keys.join(', ')}`),
    ...when(
      [...keys].sort().join() !== [...told].sort().join(),
      () => `fired ${keys.join(', ')}; events tell ${told.join(', ')}`,
    ),
    ...early.map(({ code, at }) => `rung ${code} fired early, at ${iso(at)}`),
    ...whileStopped.map(({ code, at }) => `rung ${code} fired while the clock stood still, at ${iso(at)}`),
  ];
}

// ---- the people ---------------------------------------------------------------------------------------------------------------

function peopleAreRight(world: World, record: CaseRecord, now: number): string[] {
  const stagesOf = new Map<UserId, Set<string>>();
  const note = (userId: UserId, stage: string) => stagesOf.set(userId, (stagesOf.get(userId) ?? new Set()).add(stage));
  for (const { userId, stage } of record.holders) note(userId, stage);
  for (const { by, stage, override } of record.decisions) if (!override) note(by, stage);
  const twice = [...stagesOf].filter(([, stages]) => stages.size > 1);
  const afterAppeal = record.decisions.filter(
    ({ by, round, sole }) => round > record.appealedRound && !sole && reviewedBeforeAppeal(record, by),
  );
  const open = openSeats(record).filter(({ state }) => state === 'open');
  const held = openSeats(record).flatMap(({ assignee }) => (assignee ? [assignee] : []));
  const name = (userId: UserId | null) => nameOf(world, userId);
  return [
    ...twice.map(([userId, stages]) => `${name(userId)} acted at ${[...stages].join(' and ')}`),
    ...afterAppeal.map(({ by }) => `${name(by)} decided before the appeal and after it`),
    ...when(new Set(held).size < held.length, () => `one person has two seats: ${held.map(name).join(', ')}`),
    ...open.flatMap(({ assignee, stage, seat }) => [
      ...when(
        assignee !== null && isAbsent(record, assignee, now),
        () => `${name(assignee)} has seat ${seat} of ${stage} and is away`,
      ),
      ...when(
        assignee !== null && record.conflicts.includes(assignee),
        () => `${name(assignee)} has a seat in spite of a conflict`,
      ),
      ...when(assignee === world.staff.insider.id, () => 'who acts for the company has a seat'),
    ]),
    ...when(
      open.length > 0 && record.assignee !== (open.find(({ assignee }) => assignee !== null)?.assignee ?? null),
      () => `the case shows ${name(record.assignee)}`,
    ),
  ];
}

/** A seat is nobody's only when nobody may have it, and then somebody is told; asked of what has come about since `before`. */
export function chosenRight(world: World, before: CaseRecord, record: CaseRecord): string[] {
  const since = before.events.at(-1)?.id ?? 0;
  return openSeats(record)
    .filter(({ state, assignee }) => state === 'open' && assignee === null)
    .flatMap((seat) => {
      const told = record.events.findLast(
        ({ type, data }) => type === 'task.unassigned' && data.stage === seat.stage && data.seat === seat.seat,
      );
      if (!told) return [`seat ${seat.seat} of ${seat.stage} is nobody's, and nobody was told`];
      const former = openSeats(before).find(({ stage, seat: number }) => stage === seat.stage && number === seat.seat);
      const free = candidates(world, record, seat, told.at).filter((userId) => userId !== former?.assignee);
      const names = () => free.map((one) => nameOf(world, one)).join(', ');
      return when(
        told.id > since && free.length > 0,
        () => `seat ${seat.seat} of ${seat.stage} is nobody's; ${names()} could have it`,
      );
    });
}

// ---- decisions ----------------------------------------------------------------------------------------------------------------

function decisionsAreRight(world: World, record: CaseRecord): string[] {
  const keys = record.decisions.map(
    ({ round, stage, seat, decision }) =>
      `${round}/${stage}/${seat}${decision === 'intend_to_reject' ? '/intent' : ''}`,
  );
  const voters = record.decisions
    .filter(({ decision, override }) => decision !== 'intend_to_reject' && !override)
    .map(({ round, stage, by }) => `${round}/${stage}/${by}`);
  return [
    ...when(new Set(keys).size < keys.length, () => `a seat was decided twice: ${keys.join(', ')}`),
    ...when(new Set(voters).size < voters.length, () => 'one person has two votes'),
    ...record.decisions.flatMap(({ by, round, hash, at }) => [
      ...when(by === world.owner.id || by === world.staff.insider.id, () => 'the applicant decided'),
      ...when(
        record.submissions.find((each) => each.round === round)?.sha256 !== hash,
        () => `a decision of round ${round} is on another submission`,
      ),
      ...when(isAbsent(record, by, at), () => `${nameOf(world, by)} decided while away`),
      ...when(
        record.events.some((event) => event.type === 'conflict.declared' && event.by === by && event.at < at),
        () => `${nameOf(world, by)} decided in spite of a conflict`,
      ),
    ]),
    ...record.events
      .filter(({ type }) => type === 'application.deemed_approved')
      .flatMap(({ at }) =>
        when(
          record.suspensions.some(({ from, to }) => from < at && (to === null || at < to)),
          () => 'approved by law while the clock stood still',
        ),
      ),
  ];
}

// ---- events explain the state ---------------------------------------------------------------------------------------------------

const toldOf = (world: World, record: CaseRecord) =>
  replayed(record.events, { path: world.type.policy.path, afterApproval: 'pending_payment' });

function eventsExplain(world: World, record: CaseRecord): string[] {
  const told = toldOf(world, record);
  const differs = (what: string, tells: unknown, is: unknown): string[] =>
    when(
      JSON.stringify(tells) !== JSON.stringify(is),
      () => `events tell ${what} ${JSON.stringify(tells)}, the record ${JSON.stringify(is)}`,
    );
  const isOpen = !isOver(record) && record.state !== 'pending_payment';
  const workingDays = told.policyVersion === null ? null : (world.legalDays.get(told.policyVersion) ?? null);
  const due =
    told.completeAt === null || workingDays === null
      ? null
      : legalDue(record.calendar, { completeAt: told.completeAt, workingDays, suspensions: told.suspensions });
  return [
    ...differs('state', told.state, record.state),
    ...differs('stage', told.stage, record.stage),
    ...differs('round', told.round, record.round),
    ...differs('the start of the clock', told.completeAt, record.completeAt),
    ...differs(
      'suspensions',
      told.suspensions,
      record.suspensions.map(({ from, to }) => ({ from, to })),
    ),
    ...differs(
      'holders',
      [...told.seats].filter(([, { isOpen: open }]) => open).map(([seat, { assignee }]) => [seat, assignee]),
      openSeats(record)
        .filter(({ state }) => state === 'open')
        .map(({ seat, assignee }) => [seat, assignee]),
    ),
    ...(isOpen ? differs('the end of the legal time', due, record.legalDueAt) : []),
  ];
}

// ---- always somebody ------------------------------------------------------------------------------------------------------------

function somebodyIsWaitedFor(record: CaseRecord, now: number): string[] {
  const { state, dueAt, asking, closedAt } = record;
  const open = record.tasks.filter((task) => task.state === 'open');
  const seats = openSeats(record).filter((seat) => seat.state === 'open');
  switch (whoseTurn(state)) {
    case 'office':
      return [
        ...when(seats.length === 0, () => `${state}: nobody decides`),
        ...when(open.length > seats.length, () => 'tasks of another stage are open'),
        ...when(
          deems(record) && record.legalDueAt !== null && record.legalDueAt <= now,
          () => 'the legal time is over and the law has not decided',
        ),
      ];
    case 'applicant':
      return [
        ...when(open.length > 0, () => `${state}: tasks are open`),
        ...when(state !== 'pending_payment' && dueAt === null, () => `${state}: it waits for ever`),
      ];
    case 'system':
      return when(state !== 'auto_check' || asking.length === 0, () => `${state}: nothing goes on`);
    case 'nobody':
      return [
        ...when(open.length > 0, () => `${state}: tasks are open`),
        ...when(closedAt === null || !isClosed(state), () => `${state}: over, and not closed`),
      ];
  }
}
