import type { UserId } from '../domain/ids.ts';
import type { ApplicationState, DecisionMade, Stage } from '../domain/licensing.ts';

/** The open task as the process keeps it; `rungs` are those still ahead, the next one first. */
export interface OpenTask {
  readonly stage: Stage;
  readonly dueAt: string;
  readonly rungs: {
    readonly code: 'half' | 'at_risk' | 'breach';
    readonly percent: number;
    readonly action: 'remind_assignee' | 'warn_supervisor' | 'hand_over';
    readonly at: string;
  }[];
  assignee: UserId | null;
}

interface Shown {
  readonly state: ApplicationState;
  readonly round: number;
  readonly task: OpenTask | null;
  readonly decisions: readonly DecisionMade[];
  readonly answerBy: string | null;
}

/** The Temporal UI's "current details": what is waited for, and what fires next. IDs only, no names. */
export function describeReview({ state, round, task, decisions, answerBy }: Shown): string {
  return [`**${state}**, round ${round}`, '', ...waiting(task, answerBy), ...decided(decisions)].join('\n');
}

function waiting(task: OpenTask | null, answerBy: string | null): string[] {
  if (answerBy) return [`Waiting for the applicant's correction until ${answerBy}; the clock is stopped.`];
  if (!task) return ['Nobody is waited for.'];
  const [next] = task.rungs;
  const who = task.assignee ? `\`${task.assignee}\`` : "the supervisor's queue (nobody in the role is free)";
  return [
    `Waiting for a decision on **${task.stage}** by ${who}, due ${task.dueAt}.`,
    next ? `Next: **${next.code}** (${next.percent} %) at ${next.at}.` : 'Every rung of the ladder has fired.',
  ];
}

const decided = (decisions: readonly DecisionMade[]): string[] =>
  decisions.length === 0
    ? []
    : [
        '',
        '| round | stage | decision | by | at |',
        '| --- | --- | --- | --- | --- |',
        ...decisions.map(
          (made) => `| ${made.round} | ${made.stage} | ${made.decision} | \`${made.by}\` | ${made.at} |`,
        ),
      ];
