// Has the Temporal SDK download the CLI into the given folder. A process of its own, so that a hanging network can be
// given up on. The CLI is only asked for its help text, which ends it at once: nothing of it serves before its hash is
// checked by whoever called.
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [version, downloadDir] = process.argv.slice(2);
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', version, downloadDir }, extraArgs: ['--help'] },
  });
  await environment.teardown();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
