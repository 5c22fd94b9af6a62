/** Each command: said through the API, with what must be answered. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { localDate } from '../../../domain/calendar.ts';
import type { OfficeCalendar } from '../../../domain/calendars.ts';
import type { UserId } from '../../../domain/ids.ts';
import { type ApplicationState, type Decision, isStage, type LicensePolicy } from '../../../domain/licensing.ts';
import { calendarChangeId } from '../../../workflows/ids.ts';
import { aPolicy, GOOD_FORM } from '../../builders/licensing.ts';
import { ask } from '../../builders/requests.ts';
import type { TestPerson } from '../../support/api.ts';
import { eventually } from '../../support/wait.ts';
import {
  ACCEPTED,
  announcedAt,
  type Expected,
  expectAppeal,
  expectCancel,
  expectDecision,
  expectHandover,
  expectOverride,
  expectPolicyMove,
  expectReopening,
  expectResponse,
  expectResubmission,
  expectWithdrawal,
  firstStage,
  type HandoverAsked,
} from './expectations.ts';
import { CALM_MS, pass, result } from './process.ts';
import { type CaseRecord, deems, firedAt, nextMoment, openSeats } from './records.ts';
import type { CalendarChange, Command, PolicyChange, Who } from './scenario.ts';
import { attach, nameOf, nowOf, type World } from './world.ts';

export interface Said {
  /** For the log. */
  readonly what: string;
  /** `accepted`, or the refusal's code. */
  readonly answer: string;
  /** null = whatever is answered. */
  readonly expected: Expected | null;
  /** Where the case may be afterwards; absent = by `expected`, or where it was. */
  readonly allowed?: readonly ApplicationState[];
  readonly wrong?: readonly string[];
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Answer {
  readonly answer: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** It was said more than once, under one key, because an answer did not come in time. */
  readonly isRepeat: boolean;
}

/** A worker that died is another's to replace: whoever was told to come back does, with the same key. */
async function call(world: World, person: TestPerson, method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { 'idempotency-key': randomUUID() };
  const options = { headers, ...(body === undefined ? {} : { body }) };
  for (let tries = 1; ; tries += 1) {
    const answered = await ask(world.system.api, person, method, `/${path}`, options);
    const code = answered.status < 300 ? ACCEPTED : String(answered.body['code']);
    // 202: it was handed over, and the answer is not in yet.
    const isLater = answered.status === 202 || code === 'temporarily_unavailable' || code === 'request_in_progress';
    if (!isLater || tries === 40) return { answer: code, body: answered.body, isRepeat: tries > 1 };
    await pause(500);
  }
}

const REASONS: Record<Decision, { reasons?: { code: string; pointer?: string }[] }> = {
  approve: {},
  reject: { reasons: [{ code: 'requirement_not_met' }] },
  intend_to_reject: { reasons: [{ code: 'requirement_not_met' }] },
  request_correction: { reasons: [{ code: 'data_mismatch', pointer: '/form/shopName' }] },
};

export async function carryOut(
  world: World,
  before: CaseRecord,
  command: Command,
  killWorker: () => Promise<void>,
): Promise<Said> {
  const { applicationId: id, staff, owner } = world;
  const of = `licenses/applications/${id}`;
  switch (command.do) {
    case 'decide':
      return decide(world, before, command);
    case 'race':
      return race(world, before, command.decisions);
    case 'claim': {
      const by = staff[command.who];
      return handOver(world, before, { kind: 'claim', by: by.id, to: by.id, from: null }, `licenses/claim/${id}`, {});
    }
    case 'reassign': {
      const from = openSeats(before)[command.seat]?.assignee ?? null;
      const to = command.to ? staff[command.to].id : null;
      const asked = { kind: 'reassign', by: staff[command.by].id, to, from } as const;
      const body = { reason: 'workload', ...(to ? { userId: to } : {}), ...(from ? { from } : {}) };
      return handOver(world, before, asked, `licenses/reassign/${id}`, body);
    }
    case 'delegate': {
      const by = personOf(world, before, command.who);
      const to = staff[command.to].id;
      return handOver(world, before, { kind: 'delegate', by: by.id, to, from: by.id }, `licenses/delegate/${id}`, {
        userId: to,
        reason: 'leave',
      });
    }
    case 'conflict': {
      const by = personOf(world, before, command.who);
      const asked = { kind: 'conflict', by: by.id, to: null, from: by.id } as const;
      return handOver(world, before, asked, `licenses/declare-conflict/${id}`, { reason: 'a cousin' });
    }
    case 'absence':
      return goAway(world, before, command);
    case 'end_absence':
      return comeBack(world, before, command.which);
    case 'override': {
      const by = staff[command.by];
      const expected = expectOverride(world, before, { by: by.id, decision: command.decision }, nowOf(world));
      const body = { decision: command.decision, reason: 'It must go on.', ...REASONS[command.decision] };
      return told(`${command.by} overrides`, await call(world, by, 'POST', `licenses/override/${id}`, body), expected);
    }
    case 'cancel': {
      const by = staff[command.by];
      const body = { code: command.code, reason: 'the same twice' };
      return told('cancel', await call(world, by, 'POST', `${of}/cancel`, body), expectCancel(world, before, by.id));
    }
    case 'withdraw': {
      const answer = await call(world, owner, 'POST', `${of}/withdraw`, { reason: 'no shop' });
      return told('withdraw', answer, expectWithdrawal(before));
    }
    case 'change':
      return change(world, before, command.field);
    case 'resubmit':
      return resubmit(world, before);
    case 'respond': {
      const answer = await call(world, owner, 'POST', `${of}/respond`, { text: 'It is not so.' });
      return told('respond', answer, expectResponse(before), back(before));
    }
    case 'reopen':
      return takeUp(world, 'reopen', expectReopening(before));
    case 'appeal':
      return takeUp(world, 'appeal', expectAppeal(before), firstStage(before));
    case 'answer':
      return carryOut(world, before, answerTo(before), killWorker);
    case 'calendar':
      return changeCalendar(world, before, command.change);
    case 'policy':
      return changePolicy(world, before, command.change);
    case 'wait':
      return wait(world, before, nowOf(world) + command.hours * HOUR_MS);
    case 'next': {
      const next = nextMoment(before) ?? nowOf(world) + DAY_MS;
      return wait(world, before, command.side === 'after' ? next + CALM_MS : next - CALM_MS);
    }
    case 'crash': {
      const saying = carryOut(world, before, command.during, killWorker);
      saying.catch(() => undefined);
      await pause(command.afterMs);
      await killWorker();
      const said = await saying;
      return { ...said, what: `${said.what} (the worker died)` };
    }
  }
}

function told(what: string, said: Answer, expected: Expected | null, allowed?: readonly ApplicationState[]): Said {
  // Carried out though its answer was lost, a repeat may be refused for what it has done itself: where the case is tells.
  const isOwnDoing = said.isRepeat && expected?.answer === ACCEPTED && REFUSED_AFTERWARDS.includes(said.answer);
  const answer = isOwnDoing ? ACCEPTED : said.answer;
  return { what, answer, expected, ...(allowed && answer === ACCEPTED ? { allowed } : {}) };
}

/** On a busy machine the worker needs longer than a caller waits. */
const REFUSED_AFTERWARDS = [
  'not_awaiting_correction',
  'not_awaiting_response',
  'not_reopenable',
  'already_closed',
  'already_decided',
];

// ---- who ------------------------------------------------------------------------------------------------------------------

function personOf(world: World, record: CaseRecord, who: Who): TestPerson {
  if (typeof who === 'string') return world.staff[who];
  const held = openSeats(record).flatMap(({ state, assignee }) => (state === 'open' && assignee ? [assignee] : []));
  return byId(world, held[who.holder % (held.length || 1)]) ?? world.staff.verifier1;
}

const byId = ({ staff }: World, userId: UserId | undefined): TestPerson | undefined =>
  Object.values(staff).find(({ id }) => id === userId);

// ---- decisions ------------------------------------------------------------------------------------------------------------

async function decide(
  world: World,
  before: CaseRecord,
  { who, decision, read }: Extract<Command, { do: 'decide' }>,
): Promise<Said> {
  const by = personOf(world, before, who);
  const seen = read === 'older' ? before.submissions[0] : before.submissions.at(-1);
  const hash = read === 'none' ? null : (seen?.sha256 ?? null);
  const expected = expectDecision(world, before, { by: by.id, decision, hash }, nowOf(world));
  const body = { decision, ...REASONS[decision], ...(hash ? { submissionHash: hash } : {}) };
  const answer = await call(world, by, 'POST', `licenses/review/${world.applicationId}`, body);
  return told(`${nameOf(world, by.id)}: ${decision}`, answer, expected);
}

/** Several at once: as many are accepted as are on record afterwards, whoever was first. */
async function race(
  world: World,
  before: CaseRecord,
  decisions: readonly { who: Who; decision: Decision }[],
): Promise<Said> {
  const answers = await Promise.all(
    decisions.map(async ({ who, decision }) => {
      const by = personOf(world, before, who);
      const { answer } = await call(world, by, 'POST', `licenses/review/${world.applicationId}`, {
        decision,
        ...REASONS[decision],
      });
      return `${nameOf(world, by.id)}: ${decision} ${answer}`;
    }),
  );
  const accepted = answers.filter((answer) => answer.endsWith(ACCEPTED)).length;
  const { db } = world.system.database;
  const rows = await db('decisions').where({ application_id: world.applicationId });
  const recorded = rows.length - before.decisions.length;
  return {
    what: answers.join(', '),
    answer: `${accepted} accepted`,
    expected: null,
    allowed: accepted === 0 ? [before.state] : ANYWHERE,
    wrong: accepted === recorded ? [] : [`${accepted} of them were accepted, ${recorded} are on record`],
  };
}

const ANYWHERE: readonly ApplicationState[] = [
  'document_verification',
  'compliance_check',
  'approval',
  'correction_requested',
  'intent_to_reject',
  'rejected',
  'pending_payment',
];

// ---- hands ------------------------------------------------------------------------------------------------------------------

async function handOver(
  world: World,
  before: CaseRecord,
  asked: HandoverAsked,
  path: string,
  body: object,
): Promise<Said> {
  const expected = expectHandover(world, before, asked, nowOf(world));
  const by = byId(world, asked.by);
  if (!by) throw new Error('somebody who is nobody hands over');
  const answered = await call(world, by, 'POST', path, body);
  const to = answered.body['assigneeId'];
  const isWrong = answered.answer === ACCEPTED && asked.to !== null && to !== asked.to;
  const isSame = answered.answer === ACCEPTED && asked.to === null && to !== null && to === expected.seat?.assignee;
  return {
    ...told(`${nameOf(world, asked.by)} ${asked.kind} to ${nameOf(world, asked.to)}`, answered, expected),
    wrong: isWrong || isSame ? [`it went to ${String(to)}`] : [],
  };
}

async function goAway(
  world: World,
  before: CaseRecord,
  { who, inHours, hours }: Extract<Command, { do: 'absence' }>,
): Promise<Said> {
  const person = personOf(world, before, who);
  const from = nowOf(world) + Math.max(SECOND_MS, inHours * HOUR_MS);
  const to = from + hours * HOUR_MS;
  const overlaps = before.absences.some((one) => one.userId === person.id && one.from < to && one.to > from);
  const body = { userId: person.id, from: iso(from), to: iso(to), reason: 'leave' };
  const answered = await call(world, world.staff.supervisor1, 'POST', 'admin/absences', body);
  if (answered.answer === ACCEPTED && inHours === 0) await pass(world, from + SECOND_MS);
  const expected = { answer: overlaps ? 'absence_not_valid' : ACCEPTED };
  return told(`${nameOf(world, person.id)} away in ${inHours} h for ${hours}`, answered, expected, drift(before));
}

async function comeBack(world: World, { absences, ...before }: CaseRecord, which: number): Promise<Said> {
  const absence = absences[which % (absences.length || 1)];
  if (!absence) return { what: 'nobody is away', answer: 'nothing', expected: null, allowed: [before.state] };
  const answered = await call(world, world.staff.supervisor1, 'DELETE', `admin/absences/${absence.id}`);
  return told(`${nameOf(world, absence.userId)} is back`, answered, { answer: ACCEPTED });
}

// ---- the applicant ------------------------------------------------------------------------------------------------------------

function answerTo({ state }: CaseRecord): Command {
  switch (state) {
    case 'correction_requested':
      return { do: 'resubmit' };
    case 'intent_to_reject':
      return { do: 'respond' };
    case 'lapsed_no_response':
      return { do: 'reopen' };
    case 'rejected':
      return { do: 'appeal' };
    default:
      return { do: 'wait', hours: 2 };
  }
}

/** A correction opens what was asked for; what the automatic check misses is no field of the form. */
async function change(world: World, before: CaseRecord, field: 'asked' | 'another'): Promise<Said> {
  const { system, owner, applicationId } = world;
  const row: { form: Record<string, unknown> } | undefined = await system.database
    .db('submissions')
    .where({ application_id: applicationId })
    .orderBy('round', 'desc')
    .first('form');
  const now = row?.form ?? GOOD_FORM;
  const name = `Toko ${randomUUID().slice(0, 6)}`;
  const form = field === 'asked' ? { ...now, shopName: name } : { ...now, area: 13 + before.events.length };
  const isOpen = field === 'asked' && askedBy(before) !== null;
  const answered = await call(world, owner, 'PUT', `licenses/applications/${applicationId}`, { form });
  const refusal = isOpen ? ACCEPTED : 'field_not_open';
  const expected = before.state === 'correction_requested' ? refusal : 'not_a_draft';
  return told(`change what was ${field}`, answered, { answer: expected });
}

/** Where the correction was asked for; null = by the automatic check. */
function askedBy(record: CaseRecord) {
  return record.events.findLast(({ type }) => type === 'application.correction_requested')?.data.stage ?? null;
}

async function resubmit(world: World, before: CaseRecord): Promise<Said> {
  if (before.state === 'correction_requested') await attach(world);
  const expected = expectResubmission(before, true);
  const stage = askedBy(before);
  const answered = await call(world, world.owner, 'POST', `licenses/applications/${world.applicationId}/resubmit`);
  return told('resubmit', answered, expected, stage ? [stage] : firstStage(before));
}

/** The run that takes a case up has a clock of its own: it is set to the case's. */
async function takeUp(
  world: World,
  what: 'reopen' | 'appeal',
  expected: Expected,
  allowed?: readonly ApplicationState[],
): Promise<Said> {
  const { system, clocks, workflowId, owner, applicationId } = world;
  const handle = system.client.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  if (expected.answer === ACCEPTED) clocks.startAt(workflowId, nowOf(world));
  const answering = call(world, owner, 'POST', `licenses/applications/${applicationId}/${what}`, {
    // The same words again, while the case is open by them, are the same request.
    text: `Please look again. ${randomUUID()}`,
  });
  if (expected.answer === ACCEPTED) {
    const started = eventually(`${what} to be taken up`, async () => (await handle.describe()).runId !== runId, 60_000);
    await Promise.race([started, answering]);
    if ((await handle.describe()).runId !== runId) await clocks.begun(system.client, workflowId);
  }
  return told(what, await answering, expected, allowed);
}

// ---- the office's rules ---------------------------------------------------------------------------------------------------------

/** Where a case may be after what moves its times: on, if its time is over by now. */
function drift(record: CaseRecord): ApplicationState[] {
  const { state } = record;
  if (state === 'correction_requested') return [state, 'lapsed_no_response'];
  if (state === 'intent_to_reject') return [state, ...back(record)];
  if (state === 'auto_check') return [state, ...firstStage(record)];
  return isStage(state) ? [state, 'pending_payment'] : [state];
}

const back = (record: CaseRecord): ApplicationState[] => {
  const stage = announcedAt(record);
  return [...(stage ? [stage] : []), ...(deems(record) ? (['pending_payment'] as const) : [])];
};

async function changeCalendar(world: World, before: CaseRecord, change: CalendarChange): Promise<Said> {
  const { type, staff } = world;
  const { version, calendar: current } = world.calendar;
  const calendar = changedCalendar(current, change, nowOf(world));
  const body = { calendar, reason: 'as decided', basedOnVersion: version };
  const answered = await call(world, staff.supervisor1, 'PUT', 'admin/calendar', body);
  if (answered.answer === ACCEPTED) {
    world.calendar = { version: version + 1, calendar };
    await result(world, calendarChangeId(type.officeId, version + 1));
  }
  return told(`calendar ${JSON.stringify(change)}`, answered, { answer: ACCEPTED }, drift(before));
}

function changedCalendar(calendar: OfficeCalendar, change: CalendarChange, now: number): OfficeCalendar {
  switch (change.kind) {
    case 'close': {
      const days = Array.from({ length: change.days }, (_, day) =>
        localDate(now + (change.inDays + day) * DAY_MS, calendar.zone),
      );
      const fresh = days.filter((date) => !calendar.closures.some((closure) => closure.date === date));
      const closures = fresh.map((date) => ({ date, kind: 'local' as const, name: 'Tutup' }));
      return { ...calendar, closures: [...calendar.closures, ...closures] };
    }
    case 'reopen':
      return { ...calendar, closures: [] };
    case 'hours':
      return { ...calendar, opensAt: change.opensAt, closesAt: change.closesAt };
    case 'zone':
      return { ...calendar, zone: change.zone };
  }
}

async function changePolicy(world: World, before: CaseRecord, change: PolicyChange): Promise<Said> {
  const { system, type, admin, applicationId } = world;
  const version = world.legalDays.size + 1;
  const policy = changedPolicy(before.policy, change);
  await aPolicy(system.database.db, type.code, { version, effectiveFrom: '2026-01-01T00:00:00Z', policy });
  world.legalDays.set(version, policy.legalWorkingDays);
  const body = { applicationIds: [applicationId], reason: 'new rules' };
  const { answer, body: moved } = await call(world, admin, 'POST', `admin/policies/${type.code}/move-open-cases`, body);
  const items: unknown = moved['items'];
  const [first]: unknown[] = Array.isArray(items) ? items : [];
  const code = first && typeof first === 'object' && 'code' in first ? String(first.code) : answer;
  return told(
    `policy ${JSON.stringify(change)}`,
    { answer: code, body: moved, isRepeat: false },
    expectPolicyMove(before),
    drift(before),
  );
}

function changedPolicy(policy: LicensePolicy, change: PolicyChange): LicensePolicy {
  switch (change.kind) {
    case 'days':
      return { ...policy, legalWorkingDays: change.legalWorkingDays };
    case 'ladder':
      return { ...policy, ladder: policy.ladder.filter(({ code }) => code !== change.without) };
    case 'stage':
      return policy.stages.length < 2
        ? policy
        : { ...policy, stages: policy.stages.filter((_, index) => index !== change.without % policy.stages.length) };
    case 'rounds':
      return { ...policy, correction: { ...policy.correction, maxRounds: change.maxRounds } };
    case 'deemed':
      return { ...policy, deemedApproval: change.deemedApproval };
  }
}

// ---- time -----------------------------------------------------------------------------------------------------------------------

/** What the deadline calls next is what fires first. */
async function wait(world: World, before: CaseRecord, until: number): Promise<Said> {
  const next = await nextRung(world);
  const after = await pass(world, until);
  const [seat] = openSeats(before);
  const fired = seat
    ? after.rungs.filter(
        ({ stage, round, code }) => stage === seat.stage && round === seat.round && !firedAt(before, seat).has(code),
      )
    : [];
  const at = Math.min(...fired.map((rung) => rung.at));
  const isFirst =
    fired.length === 0 || fired.some((rung) => rung.at === at && rung.code === next?.code) || next?.at === at;
  const hasCome = next !== null && next.at <= until && after.state === before.state && after.round === before.round;
  const wrong = [
    ...(isFirst
      ? []
      : [`${next?.code ?? 'nothing'} was to fire next, ${fired.map(({ code }) => code).join(', ')} fired`]),
    ...(hasCome && fired.length === 0 ? [`${next.code} was to fire, and nothing did`] : []),
  ];
  return { what: `until ${iso(until)}`, answer: 'time', expected: null, allowed: afterTime(before, until), wrong };
}

async function nextRung(world: World): Promise<{ code: string; at: number } | null> {
  const path = `/licenses/applications/${world.applicationId}/deadline`;
  const { body } = await ask<{ clock?: { next: { code: string; at: string } | null } | null }>(
    world.system.api,
    world.staff.supervisor1,
    'GET',
    path,
  );
  const next = body.clock?.next;
  return next ? { code: next.code, at: Date.parse(next.at) } : null;
}

/** Where time alone may bring a case. */
function afterTime(record: CaseRecord, until: number): readonly ApplicationState[] {
  const { state, dueAt, legalDueAt } = record;
  const isLawful = deems(record) && legalDueAt !== null && legalDueAt <= until;
  if (isStage(state)) return isLawful ? ['pending_payment'] : [state];
  if (dueAt === null || dueAt > until) return drift(record).slice(0, state === 'auto_check' ? undefined : 1);
  if (state === 'correction_requested') return ['lapsed_no_response'];
  return state === 'intent_to_reject' ? back(record) : [state];
}

const iso = (at: number): string => new Date(at).toISOString();
