/** The figures as Markdown, for the screen and for docs/performance.md alike. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { actionsOf, countOf, KINDS, type LicenceActions, totalOf } from './actions.ts';
import { type Absolute, goalText, median, type Pair, verdict } from './figures.ts';
import type { LifecycleFigures } from './lifecycle.ts';
import type { Memory } from './process-figures.ts';
import type { SleepingFigures } from './sleeping.ts';
import type { SubscriptionFigures } from './subscriptions.ts';

export interface Figures {
  readonly reads: readonly Pair[] | null;
  readonly decisions: readonly Pair[] | null;
  readonly lifecycles: LifecycleFigures | null;
  readonly actions: readonly LicenceActions[] | null;
  readonly tokens: readonly Absolute[] | null;
  readonly audit: readonly Absolute[] | null;
  readonly reconciliation: readonly Absolute[] | null;
  readonly ledger: readonly Pair[] | null;
  readonly webhooks: readonly Pair[] | null;
  readonly deadlines: readonly Absolute[] | null;
  readonly inbox: readonly Absolute[] | null;
  readonly sleeping: SleepingFigures | null;
  readonly replanning: readonly Absolute[] | null;
  readonly subscriptions: SubscriptionFigures | null;
  readonly returns: readonly Absolute[] | null;
  readonly memory: { readonly idle: Memory; readonly loaded: Memory; readonly rested: Memory };
}

const MOST_ACTIONS = { atMost: 40 };

export function report({
  reads,
  decisions,
  lifecycles,
  actions,
  tokens,
  audit,
  ledger,
  reconciliation,
  webhooks,
  deadlines,
  inbox,
  sleeping,
  replanning,
  subscriptions,
  returns,
  memory,
}: Figures): string {
  const alone = [
    ...(tokens ?? []),
    ...(audit ?? []),
    ...(reconciliation ?? []),
    ...(deadlines ?? []),
    ...(inbox ?? []),
    ...(sleeping ? [sleeping.memory] : []),
    ...(replanning ?? []),
    ...(subscriptions?.alone ?? []),
    ...(returns ?? []),
  ];
  const pairs = [
    ...(reads ?? []),
    ...(decisions ?? []),
    ...(lifecycles ? [lifecycles.pair] : []),
    ...(ledger ?? []),
    ...(webhooks ?? []),
    ...(sleeping?.pairs ?? []),
    ...(subscriptions?.pairs ?? []),
  ];
  return [
    '# Performance',
    '',
    `Measured by \`npm run bench\` on ${machineLine()}. Everything runs on this one machine and shares its processors:`,
    'clients, servers, an embedded PostgreSQL (with fsync), and the Temporal development server (one history shard, SQLite',
    'in memory), which is no measure of a production cluster. So the ratios count, not the absolute figures.',
    '',
    ...pairsTable(pairs),
    '',
    'Each pair is measured in turns (Alur, bare, Alur, bare …). Figures are medians over the rounds; the ratio is the',
    'median of the ratios round by round. What each side includes:',
    '',
    ...INCLUDED.map((line) => `- ${line}`),
    '',
    ...(actions ? [...actionsTable(actions), ''] : []),
    ...(alone.length > 0 ? [...absoluteTable(alone), ''] : []),
    ...memoryTable(memory),
    '',
    '## Why some goals are missed',
    '',
    ...WHY.map((line) => `- ${line}`),
    '',
  ].join('\n');
}

function machineLine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${memory} GB, ${process.platform}, Node ${process.versions.node}`;
}

const INCLUDED = [
  '**Status read**: Alur is the whole API (bearer token, rights, schemas, headers, ETag, a log line, metrics). Bare is' +
    ' Express 5 and pg with the same prepared statement on the same database, the row as JSON, and nobody is asked who' +
    ' they are.',
  '**Access on a status read**: Alur is the API as it is, bare the same API with its door open: the credential is sent' +
    ' and not looked at, nothing is counted, no right is asked.',
  '**Decisions**: from `POST /licenses/approve/:id` to the answer, when the decision is durable. Alur is HTTP with an' +
    ' Idempotency-Key, the update, and the decision’s transaction. Bare is an update straight from a Temporal client with' +
    ' a synchronous validator and an activity of one insert. With 20 always in flight, the worker also does meanwhile' +
    ' what the decisions before have set off (the next task opens, a letter goes out), and bare has nothing of the kind.' +
    ' With 20 at once, the next 20 come when all that is done.',
  '**Lifecycles**: Alur goes from submission to the active licence with its signed certificate, every letter sent; the' +
    ' payment is settled at the gateway sandbox, which runs on the same machine, as does an SMTP server that forgets what' +
    ' it is sent. Bare is one workflow with as many activities, of one insert each, and as many updates and signals.',
  '**Webhook intake**: 200 new notices a second about 50 payments, each timed from when it was due. Alur is the whole API:' +
    ' limit, signature, payment and refunds looked up, row and log line; meanwhile it tells the payments’ processes, 25 a' +
    ' second, each of which wakes and asks the sandbox. Bare is Express 5 with the raw body, one SHA-512 and one insert of' +
    ' the same row, whose payment it is told. So that both rounds run on an equally busy machine, the bench itself tells the' +
    ' same processes at the same pace while bare is measured: what Temporal, worker and sandbox then do weighs on both sides,' +
    ' what the telling costs the API on Alur’s alone. The two further lines are for comparison and have no goal.',
  '**Ledger posting**: a transaction of one entry with two postings. Alur checks on the way that the entry balances, is' +
    ' new, refers to what there is, and is not added to later, and keeps its indexes. Bare inserts the entry’s row and the two' +
    ' postings’ rows into tables with the same columns and primary keys and nothing else, through the same pool.',
  '**Decisions among reviews asleep**: approvals at the first stage, four in flight, 30 in a round. Alur is a system with 10,000' +
    ' open reviews, which decides on those that have slept, so that the worker reads each from its history first; bare is the' +
    ' same Alur in a system that has a handful of reviews, just submitted and still in its worker’s cache. Each system has its' +
    ' own database, Temporal server, API and worker; both are up all the time, and each waits while the other is measured.' +
    ' The reviews were opened by a worker that only answers; memory is that of the one that came after it.',
  '**Reads of a subscription**: an owner’s, two in flight, at the same pace all the time. Alur is the minute in which 2,000 of 10,000' +
    ' subscriptions are invoiced, and until the last of them is printed; bare is the same Alur just before, all of them asleep.',
  '**Renewals**: from when all are due until the last is waited for by the process of its payment. Alur books and writes in one' +
    ' transaction, prints the invoice and starts that process. Bare is a process with as many timers, local activities, activities and' +
    ' starts, which sends the very SQL statements that Alur has sent for another subscription, with its own IDs, and prints nothing.' +
    ' Both use the same database and the same Temporal server.',
];

const ALONE = [
  '**Deadlines**: plain computation on one core.',
  '**Inbox**: an examiner’s requests over HTTP, one after the other; the 10,000 tasks are of 100 companies and four licence types,' +
    ' a good part of them at risk or overdue.',
  '**Reviews asleep** are real executions, each with its timer. **Re-planning** them goes from the publication of the holiday by' +
    ' the API to the end of `calendar-change`: every task has its new plan, every process has been told. Meanwhile people decide,' +
    ' two at a time with a pause of 0.15 s, on reviews that sleep. The records alone, of cases without processes, are measured aside.',
  '**Subscriptions asleep** are real executions, started from their records by a client and put to sleep by the one worker that there' +
    ' is. 2,000 come due evenly over a minute; each has one invoice and no number is missing, or the run fails. An invoice is late by' +
    ' the time from when it was due until its transaction began. None has a card, so no gateway is asked anything.',
  '**Returns**: the actions are those of `rma` and of its refund together, from asking until the money has gone back. The thousand are' +
    ' real executions, each waiting for its review; two readers ask for one after the other.',
];

const WHY = [
  '**Status read**: a profile is flat. Half of the processor time is what bare spends too (sockets, pg); the rest is the' +
    ' sum of many small things that bare does without: security headers, token, schemas, ETag, log line, histogram.',
  '**Decisions**: up to the answer both sides take two workflow tasks and one activity. What a decision sets off costs' +
    ' two more workflow tasks, two activities, a timer and an attribute write, on the same two cores that other decisions' +
    ' are waiting for; most of that time is the Temporal server’s. The median at 20 at once shows the path itself.',
  '**Lifecycles**: the activities of a licence are transactions of several statements, two PDFs, a signature and six' +
    ' letters, in three executions; the bare ones are single inserts in one.',
  '**Actions**: one more than the goal since each payment is acknowledged: a receipt and its letter are an activity each, for' +
    ' a receipt must not wait for a mail server that is away.',
  '**Webhook intake**: a profile is flat here too. The statement looks up the payment and its refunds beside storing the' +
    ' row, and takes a tenth to a quarter longer than the bare insert; the rest is the frame’s, as on a status read. Telling a' +
    ' process is a call of Temporal’s client, and keeps the API’s one thread from the next notice for as long.',
];

function pairsTable(pairs: readonly Pair[]): string[] {
  return table(
    ['pair', 'unit', 'Alur', 'bare', 'ratio', 'rounds', 'goal', ''],
    pairs.map(({ what, unit, alur, bare, ratio, ratios, goal }) => [
      what,
      unit,
      figure(alur),
      figure(bare),
      ratio.toFixed(2),
      `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)} (${ratios.length})`,
      goal ? goalText(goal) : '',
      goal ? verdict(ratio, goal) : '',
    ]),
  );
}

function absoluteTable(figures: readonly Absolute[]): string[] {
  return [
    'By themselves, median over the rounds:',
    '',
    ...table(
      ['what', 'unit', 'Alur', 'rounds', 'goal', ''],
      figures.map(({ what, unit, value, values, goal }) => [
        what,
        unit,
        figure(value),
        `${figure(Math.min(...values))}–${figure(Math.max(...values))} (${values.length})`,
        goal ? goalText(goal) : '',
        goal ? verdict(value, goal) : '',
      ]),
    ),
    '',
    ...ALONE.map((line) => `- ${line}`),
  ];
}

/** A typical licence, kind by kind, and how far the others are from it. */
function actionsTable(licences: readonly LicenceActions[]): string[] {
  const totals = licences.map(actionsOf);
  const sample = licences.toSorted((a, b) => actionsOf(a) - actionsOf(b))[Math.floor((licences.length - 1) / 2)];
  if (!sample) return [];
  const { review, activation, payment } = sample;
  const rows = KINDS.map((kind) => [kind, review[kind], activation[kind], payment[kind], countOf(sample, kind)]);
  const total = ['**total**', totalOf(review), totalOf(activation), totalOf(payment), actionsOf(sample)];
  return [
    `Temporal actions of a licence on the happy path, as Temporal Cloud counts them: ${actionsOf(sample)} (goal ${goalText(MOST_ACTIONS)}:` +
      ` ${verdict(median(totals), MOST_ACTIONS)}); ${Math.min(...totals)}–${Math.max(...totals)} over ${totals.length} licences.`,
    '',
    ...table(
      ['action', 'license-review', 'activation', 'payment', 'all'],
      [...rows, total].map((row) => row.map(String)),
    ),
  ];
}

function memoryTable({ idle, loaded, rested }: Figures['memory']): string[] {
  const row = (name: string, { api, worker }: Memory) => [name, String(api), String(worker)];
  return [
    'Resident memory, MB:',
    '',
    ...table(
      ['when', 'API', 'worker'],
      [row('idle, before any request', idle), row('at the end of the load', loaded), row('five seconds later', rested)],
    ),
  ];
}

/** Columns padded: the same text is read on a terminal. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, column) => Math.max(name.length, 3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

const figure = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
