import type { SeatNow } from '../activities/review-inputs.ts';
import type { Rung, RungCode } from '../domain/escalation.ts';
import type { UserId } from '../domain/ids.ts';
import type { ApplicationState, Decision, DecisionMade, Reason, Stage } from '../domain/licensing.ts';

export interface Seat extends SeatNow {
  assignee: UserId | null;
  /** What was voted in this round; null = not yet. */
  vote: Decision | null;
}

/** The open stage as the process keeps it; `rungs` are those still ahead, the next one first. */
export interface OpenTask {
  readonly stage: Stage;
  readonly seats: Seat[];
  readonly rungs: (Rung & { readonly at: string })[];
  readonly fired: Set<RungCode>;
  /** Why those who voted against it did, in the order of their votes. */
  readonly rejections: Reason[];
  dueAt: string;
}

interface Shown {
  readonly state: ApplicationState;
  readonly round: number;
  readonly task: OpenTask | null;
  readonly decisions: readonly DecisionMade[];
  readonly answerBy: string | null;
  readonly legalDueAt: string | null;
}

/** The Temporal UI's "current details": what is waited for, and what fires next. IDs only, no names. */
export function describeReview(shown: Shown): string {
  const { state, round, task, decisions } = shown;
  return [`**${state}**, round ${round}`, '', ...waiting(shown), ...seats(task), ...decided(decisions)].join('\n');
}

function waiting({ state, task, answerBy, legalDueAt }: Shown): string[] {
  if (answerBy)
    return [`Waiting for the applicant's ${WAITED_FOR[state] ?? 'answer'} until ${answerBy}; the clock is stopped.`];
  if (!task) return [WAITS[state] ?? 'Nobody is waited for.'];
  const [next] = task.rungs;
  return [
    `Waiting for a decision on **${task.stage}** by ${who(task)}, due ${task.dueAt}.`,
    next ? `Next: **${next.code}**${share(next)} at ${next.at}.` : 'Every rung of the ladder has fired.',
    ...(legalDueAt ? [`The legal time is over at ${legalDueAt}.`] : []),
  ];
}

const WAITED_FOR: Partial<Record<ApplicationState, string>> = { correction_requested: 'correction' };
const WAITS: Partial<Record<ApplicationState, string>> = {
  submitted: 'Its documents are being scanned for viruses, then it is checked for completeness.',
  auto_check: 'The registries are asked before it is approved.',
};

const share = (rung: Rung): string => ('percent' in rung ? ` (${rung.percent} %)` : '');

function who({ seats: all }: OpenTask): string {
  const open = all.filter(({ vote }) => vote === null);
  return open
    .map(({ assignee }) => (assignee ? `\`${assignee}\`` : "the supervisor's queue (nobody in the role is free)"))
    .join(', ');
}

const seats = (task: OpenTask | null): string[] =>
  !task || task.seats.length < 2
    ? []
    : [
        '',
        '| seat | role | held by | vote |',
        '| --- | --- | --- | --- |',
        ...task.seats.map(
          ({ seat, role, assignee, vote }) =>
            `| ${seat} | ${role} | ${assignee ? `\`${assignee}\`` : '–'} | ${vote ?? '–'} |`,
        ),
      ];

const decided = (decisions: readonly DecisionMade[]): string[] =>
  decisions.length === 0
    ? []
    : [
        '',
        '| round | stage | decision | by | at |',
        '| --- | --- | --- | --- | --- |',
        ...decisions.map(
          (made) =>
            `| ${made.round} | ${made.stage} | ${made.decision}${made.override ? ' (override)' : ''} | \`${made.by}\` | ${made.at} |`,
        ),
      ];
