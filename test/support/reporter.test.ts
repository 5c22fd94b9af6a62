import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

describe('the last line of a test run', () => {
  let directory = '';
  before(async () => {
    directory = await temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  async function run(source: string, ...args: string[]) {
    const spec = join(directory, 'sample.test.cjs');
    await writeFile(spec, source);
    const reporter = join(REPOSITORY, 'test/support/reporter.ts');
    const mocha = [join(REPOSITORY, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--import=tsx', '--fail-zero'];
    const command = [...mocha, `--reporter=${reporter}`, spec, ...args];
    const { status, stdout } = spawnSync(process.execPath, command, { cwd: REPOSITORY, encoding: 'utf8' });
    return { status, lastLine: stdout.trimEnd().split('\n').at(-1), stdout };
  }

  const GOOD = 'it("holds", () => {});';
  const BAD = 'it("breaks", () => { throw new Error("broken"); });';

  it('counts what passed and what failed, and the exit code is not 0 when something failed', async () => {
    const { status, lastLine } = await run(GOOD + BAD);
    assert.equal(lastLine, '1 passed, 1 failed');
    assert.notEqual(status, 0);
  });

  it('says so when all is well', async () => {
    const { status, lastLine } = await run(GOOD);
    assert.equal(lastLine, '1 passed, 0 failed');
    assert.equal(status, 0);
  });

  it('counts a hook that breaks', async () => {
    const { status, lastLine } = await run(`before(() => { throw new Error("no server"); }); ${GOOD}`);
    assert.equal(lastLine, '0 passed, 1 failed');
    assert.notEqual(status, 0);
  });

  it('is not a success when no test ran', async () => {
    const { status, lastLine } = await run(GOOD, '--grep', 'something else');
    assert.equal(lastLine, '0 passed, 0 failed');
    assert.notEqual(status, 0);
  });

  it('follows whatever is said while the run winds up', async () => {
    const { lastLine, stdout } = await run(`after(() => setTimeout(() => console.log("late words"), 20)); ${GOOD}`);
    assert.match(stdout, /late words/);
    assert.equal(lastLine, '1 passed, 0 failed');
  });
});
