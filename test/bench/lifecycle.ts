import { countOf, type LicenceActions, licenceActions } from './actions.ts';
import { drafts } from './cases.ts';
import { type Pair, pairOf, type Round } from './figures.ts';
import type { Machine } from './machine.ts';

const ROUNDS = 4;
const CASES = 24;
const WARM_CASES = 12;
const IN_FLIGHT = 12;

export interface LifecycleFigures {
  readonly pair: Pair;
  /** Cases that have become active licences. */
  readonly licensed: readonly string[];
}

/**
 * Drafts become active licences: submitted, approved three times, paid at the gateway's sandbox, certificate and every
 * letter out. Bare: one workflow with as many activities of one insert each, and as many updates and signals.
 * The sandbox and an SMTP server that forgets what it is sent run on the same machine and count on Alur's side.
 */
export async function measureLifecycles(machine: Machine): Promise<LifecycleFigures> {
  const licensed = await drafts(machine, WARM_CASES);
  await licences(machine, licensed);
  const bare = bareRunner(machine, await licenceActions(machine, licensed[0] ?? ''));
  await bare(WARM_CASES);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const ids = await drafts(machine, CASES);
    const measured = { alur: await licences(machine, ids), bare: await bare(CASES) };
    rounds.push(measured);
    machine.say(`  ${measured.alur.toFixed(2)} : ${measured.bare.toFixed(2)} licences/s`);
    licensed.push(...ids);
  }
  const what = `Whole licence lifecycles, ${IN_FLIGHT} at once`;
  return { pair: pairOf(what, 'licences/s', { atLeast: 0.8 }, rounds), licensed };
}

async function licences({ driver, apiUrl, sandboxUrl, people }: Machine, applicationIds: readonly string[]) {
  const { verifier, examiner, approver, approver2, supervisor, owner } = people;
  const { count, seconds } = await driver({
    kind: 'licences',
    apiUrl,
    sandboxUrl,
    applicationIds,
    owner,
    reviewers: [verifier, examiner, approver, approver2, supervisor],
    inFlight: IN_FLIGHT,
  });
  return count / seconds;
}

function bareRunner({ driver }: Machine, sample: LicenceActions): (cases: number) => Promise<number> {
  let made = 0;
  const like = {
    kind: 'bareCases',
    inFlight: IN_FLIGHT,
    activities: countOf(sample, 'activity'),
    updates: countOf(sample, 'update'),
    signals: countOf(sample, 'signal'),
  } as const;
  return async (cases) => {
    const names = Array.from({ length: cases }, (_, index) => `bare-case/${made + index}`);
    made += cases;
    const { count, seconds } = await driver({ ...like, names });
    return count / seconds;
  };
}
