/** Mocha's spec reporter, with one last line for people and machines: `N passed, N failed`. */
import { appendFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Mocha from 'mocha';

const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_SUITE_BEGIN, EVENT_SUITE_END } = Mocha.Runner.constants;
const ROOT = join(import.meta.dirname, '../..');

// biome-ignore lint/style/noDefaultExport: mocha takes a reporter's default export
export default class LastLineReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const count = { passed: 0, failed: 0 };
    runner.on(EVENT_TEST_PASS, () => {
      count.passed += 1;
    });
    // Counts failing hooks too: a `before` that throws fails what it was for.
    runner.on(EVENT_TEST_FAIL, () => {
      count.failed += 1;
    });
    const weights = process.env['ALUR_TEST_WEIGHTS'];
    if (weights) weigh(runner, weights);
    // At exit, after the global teardown has had its say: nothing may follow this line.
    process.once('exit', () => process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`));
  }
}

/** Writes how long each file took, hooks and all, for the lanes to be balanced by: a line of JSON each, `[file, seconds]`. */
function weigh(runner: Mocha.Runner, path: string): void {
  let begun = 0;
  runner.on(EVENT_SUITE_BEGIN, ({ parent }: Mocha.Suite) => {
    if (parent?.root) begun = performance.now();
  });
  runner.on(EVENT_SUITE_END, ({ parent, file }: Mocha.Suite) => {
    if (parent?.root && file)
      appendFileSync(path, `${JSON.stringify([relative(ROOT, file), (performance.now() - begun) / 1000])}\n`);
  });
}
