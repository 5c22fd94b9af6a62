/**
 * `npm run bench`: what Alur costs beside the least that could do the same, each pair measured in turns in one run.
 * `--write` keeps the figures in docs/performance.md, `--only=lifecycles,decisions,actions,reads,tokens,audit,ledger,reconciliation,webhooks,deadlines,inbox,sleeping,replanning,subscriptions,returns` measures a part, and
 * `BENCH_CASES=800` makes the open cases of inbox, sleeping and replanning fewer, to see whether the bench itself works, and
 * `--profile=<directory>` leaves V8 profiles of the programs there (and makes every figure worse).
 */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startNoMoreIn } from '../../local/children.ts';
import { REPOSITORY } from '../../local/paths.ts';
import { once, stopAll } from '../support/registry.ts';
import { runDirectory, sweepAbandoned } from '../support/run-directory.ts';
import { countActions } from './actions.ts';
import { fallAsleep } from './asleep.ts';
import { measureAudit } from './audit.ts';
import { drafts } from './cases.ts';
import { measureDeadlines } from './deadlines.ts';
import { measureDecisions } from './decision.ts';
import { measureInbox } from './inbox.ts';
import { measureLedgerPosting } from './ledger.ts';
import { measureLifecycles } from './lifecycle.ts';
import { type Machine, startMachine } from './machine.ts';
import { memoryOf } from './process-figures.ts';
import { measureReconciliation } from './reconciliation.ts';
import { measureReplanning } from './replanning.ts';
import { type Figures, report } from './report.ts';
import { measureReturns } from './returns.ts';
import { IS_FULL } from './sizes.ts';
import { measureSleeping } from './sleeping.ts';
import { measureStatusReads } from './status-read.ts';
import { measureSubscriptions } from './subscriptions.ts';
import { measureTokenChecks } from './token-check.ts';
import { measureWebhooks } from './webhooks.ts';

const PARTS = [
  'lifecycles',
  'decisions',
  'actions',
  'reads',
  'tokens',
  'audit',
  'ledger',
  'reconciliation',
  'webhooks',
  'deadlines',
  'inbox',
  'sleeping',
  'replanning',
  'subscriptions',
  'returns',
];
const REST_MS = 5_000;

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, only: { type: 'string' }, profile: { type: 'string' } },
});
const wanted = values.only?.split(',') ?? PARTS;
const unknown = wanted.filter((part) => !PARTS.includes(part));
if (unknown.length > 0 || (values.write && (values.only || !IS_FULL))) {
  console.error(`--only takes ${PARTS.join(', ')}; neither it nor BENCH_CASES goes together with --write.`);
  process.exit(1);
}

const say = (line: string): void => console.log(line);
const stop = once(async () => {
  startNoMoreIn(join(await runDirectory(), 'run'));
  await stopAll();
});
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // However often: whoever presses Ctrl-C twice would otherwise leave all of it running.
  process.on(signal, () => {
    interrupted = true;
    void stop().finally(() => process.exit(130));
  });
}
try {
  await sweepAbandoned();
  const machine = await startMachine(say, values.profile ? resolve(values.profile) : null);
  const text = report(await measure(machine));
  say(`\n${text}`);
  if (values.write) await writeFile(join(REPOSITORY, 'docs', 'performance.md'), text);
} catch (error) {
  // Whatever fails because the servers are being stopped is no news.
  if (!interrupted) throw error;
} finally {
  await stop();
}

async function measure(machine: Machine): Promise<Figures> {
  await delay(REST_MS);
  const idle = memoryOf(machine);
  const lifecycles = wanted.includes('lifecycles')
    ? await told('Licence lifecycles', measureLifecycles(machine))
    : null;
  const decisions = wanted.includes('decisions') ? await told('Decisions', measureDecisions(machine)) : null;
  const actions = wanted.includes('actions') ? await told('Temporal actions', countActions(machine)) : null;
  const readable = lifecycles?.licensed ?? (await drafts(machine, 40));
  const reads = wanted.includes('reads') ? await told('Status reads', measureStatusReads(machine, readable)) : null;
  const loaded = memoryOf(machine);
  const tokens = wanted.includes('tokens') ? await told('Token checks', measureTokenChecks()) : null;
  const audit = wanted.includes('audit') ? await told('Audit', measureAudit(machine)) : null;
  const ledger = wanted.includes('ledger') ? await told('Ledger posting', measureLedgerPosting(machine)) : null;
  const reconciliation = wanted.includes('reconciliation')
    ? await told('Reconciliation', measureReconciliation(machine))
    : null;
  const webhooks = wanted.includes('webhooks') ? await told('Webhook intake', measureWebhooks(machine)) : null;
  const deadlines = wanted.includes('deadlines') ? await told('Deadlines', Promise.resolve(measureDeadlines())) : null;
  const inbox = wanted.includes('inbox') ? await told('Inbox', measureInbox(machine)) : null;
  const needsAsleep = wanted.includes('sleeping') || wanted.includes('replanning');
  const asleep = needsAsleep ? await told('Ten thousand reviews fall asleep', fallAsleep(machine)) : null;
  const sleeping =
    asleep && wanted.includes('sleeping') ? await told('Decisions among them', measureSleeping(machine, asleep)) : null;
  const replanning =
    asleep && wanted.includes('replanning') ? await told('Re-planning', measureReplanning(asleep)) : null;
  await asleep?.stop();
  const subscriptions = wanted.includes('subscriptions')
    ? await told('Subscriptions', measureSubscriptions(machine))
    : null;
  const returns = wanted.includes('returns') ? await told('Returns', measureReturns(machine)) : null;
  await delay(REST_MS);
  return {
    lifecycles,
    decisions,
    actions,
    reads,
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
    memory: { idle, loaded, rested: memoryOf(machine) },
  };
}

async function told<T>(what: string, work: Promise<T>): Promise<T> {
  say(`${what} ...`);
  const startedAt = Date.now();
  const done = await work;
  say(`  ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return done;
}
