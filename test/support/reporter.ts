/** Mocha's spec reporter, with one last line for people and machines: `N passed, N failed`. */
import Mocha from 'mocha';

const { EVENT_TEST_PASS, EVENT_TEST_FAIL } = Mocha.Runner.constants;

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
    // At exit, after the global teardown has had its say: nothing may follow this line.
    process.once('exit', () => process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`));
  }
}
