import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import * as workflows from '../../workflows/index.ts';
import { quietRuntime, workflowBundle } from '../support/system.ts';
import { type StoredHistory, storedHistories } from './histories.ts';
import { historyFromJson } from './history-json.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Change {
  readonly file: string;
  readonly from: RegExp;
  readonly to: string;
}

const EXTRA_TIMER: Change = {
  file: 'index.ts',
  from: /export \{ licenseReview \} from '(.+)';/,
  to: [
    "import { sleep } from '@temporalio/workflow';",
    "import { licenseReview as unchanged } from '$1';",
    'export const licenseReview: typeof unchanged = async (input) => {',
    "  await sleep('1 minute');",
    '  return unchanged(input);',
    '};',
  ].join('\n'),
};

const OTHER_ACTIVITY: Change = {
  file: 'license-review.ts',
  from: /\breceiveSubmission\b/g,
  to: 'receiveAnything',
};

const BREAKING = [
  { change: EXTRA_TIMER, what: 'waits where it did not wait before' },
  { change: OTHER_ACTIVITY, what: 'asks for another activity' },
];

describe('the stored histories', function () {
  this.timeout(90_000);
  let histories: StoredHistory[];

  before(async () => {
    await quietRuntime();
    histories = await storedHistories();
  });

  it('hold at least one of every process', () => {
    const recorded = new Set(histories.map(({ workflow }) => workflow));
    assert.deepEqual([...recorded].sort(), Object.keys(workflows).sort());
    for (const { name, workflow } of histories) assert.ok(name.startsWith(`${workflow}-`), `${name}: ${workflow}`);
  });

  it('replay with the workflows as they are now', async () => {
    const failures = await replay((await workflowBundle()).code, histories);
    assert.deepEqual(explained(failures), []);
  });

  for (const { change, what } of BREAKING) {
    it(`of reviews do not replay with a review that ${what}`, async () => {
      const reviews = histories.filter(({ workflow }) => workflow === 'licenseReview');
      const failures = await replay(await bundleWith(change), reviews);
      assert.deepEqual(
        [...failures.keys()],
        reviews.map(({ name }) => name),
      );
      for (const error of failures.values()) assert.ok(error instanceof DeterminismViolationError, String(error));
    });
  }
});

/** @returns what did not replay, by the history's name, in the order of the histories */
async function replay(code: string, histories: readonly StoredHistory[]): Promise<Map<string, Error>> {
  const failures = new Map<string, Error>();
  const given = histories.map(({ workflowId, json }) => ({ workflowId, history: historyFromJson(json) }));
  const names = histories.map(({ name }) => name);
  let replayed = 0;
  // Yields one result a history, in their order, and throws nothing: an error must be looked for.
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: { code } }, given)) {
    const name = names[replayed] ?? 'a history too many';
    replayed += 1;
    if (error) failures.set(name, error);
  }
  assert.equal(replayed, histories.length);
  return failures;
}

const explained = (failures: ReadonlyMap<string, Error>): string[] =>
  [...failures].map(([name, error]) => `${name}: ${error.message}. Guard the change with patched(), or record anew.`);

/** The bundle of a copy of workflows/ with one change. */
async function bundleWith({ file, from, to }: Change): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'alur-broken-'));
  try {
    for (const room of ['workflows', 'domain']) await cp(join(ROOT, room), join(directory, room), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    const path = join(directory, 'workflows', file);
    const source = await readFile(path, 'utf8');
    const changed = source.replace(from, to);
    assert.notEqual(changed, source, `nothing in workflows/${file} was changed`);
    await writeFile(path, changed);
    const workflowsPath = join(directory, 'workflows/index.ts');
    return (await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })).code;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
