/** Plays one scenario; after each command everything is asked of the records. */
import { carryOut, type Said } from './commands.ts';
import { ACCEPTED, firstStage } from './expectations.ts';
import { broken, chosenRight } from './invariants.ts';
import { differences, rest } from './process.ts';
import type { CaseRecord } from './records.ts';
import type { Scenario } from './scenario.ts';
import { nowOf, submit, type World } from './world.ts';

/** What was seen that should not be; the story up to there is in `log`. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly log: readonly string[];
  constructor(sentences: readonly string[], log: readonly string[], cause?: unknown) {
    super(sentences.join('\n  '), { cause });
    this.log = log;
  }
}

/** @param killWorker as `kill -9` does it; resolves when another works in its place */
export async function play(world: World, scenario: Scenario, killWorker: () => Promise<void>): Promise<string[]> {
  const log: string[] = [];
  const checked = async (act: () => Promise<CaseRecord>): Promise<CaseRecord> => {
    try {
      return await act();
    } catch (error) {
      throw error instanceof Violation ? error : new Violation([String(error)], log, error);
    }
  };
  let record = await checked(() => begin(world, scenario, log));
  for (const command of scenario.commands) {
    const before = record;
    record = await checked(async () => {
      log.push(`${JSON.stringify(command)} …`);
      const said = await carryOut(world, before, command, killWorker);
      const after = await rest(world);
      log[log.length - 1] =
        `${new Date(nowOf(world)).toISOString()} ${said.what} → ${said.answer}; ${after.state}, round ${after.round}`;
      const wrong = [...misunderstood(before, said, after), ...chosenRight(world, before, after)];
      await require(world, after, log, wrong);
      return after;
    });
  }
  return log;
}

async function begin(world: World, scenario: Scenario, log: string[]): Promise<CaseRecord> {
  log.push(
    `${new Date(nowOf(world)).toISOString()} submitted: ${JSON.stringify({ ...scenario, commands: undefined })}`,
  );
  await submit(world);
  await world.clocks.begun(world.system.client, world.workflowId);
  const record = await rest(world);
  const allowed = scenario.incomplete ? ['correction_requested'] : firstStage(record);
  const wrong = allowed.includes(record.state) ? [] : [`it is ${record.state}, not ${allowed.join(' or ')}`];
  await require(world, record, log, [...wrong, ...chosenRight(world, { ...record, events: [] }, record)]);
  return record;
}

function misunderstood(
  before: CaseRecord,
  { answer, expected, allowed, wrong = [] }: Said,
  after: CaseRecord,
): string[] {
  const isOther = expected !== null && expected.answer !== answer;
  const isRefused = answer !== ACCEPTED && expected !== null;
  const places = isRefused ? [before.state] : (allowed ?? [expected?.to ?? before.state]);
  return [
    ...wrong,
    ...(isOther ? [`answered ${answer}, expected ${expected.answer}`] : []),
    ...(places.includes(after.state) ? [] : [`it is ${after.state}, expected ${places.join(' or ')}`]),
  ];
}

async function require(
  world: World,
  record: CaseRecord,
  log: readonly string[],
  wrong: readonly string[],
): Promise<void> {
  const sentences = [...wrong, ...(await broken(world, record, nowOf(world))), ...(await differences(world, record))];
  if (sentences.length > 0) throw new Violation(sentences, log);
}
