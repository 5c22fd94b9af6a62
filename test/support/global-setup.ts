/** Loaded by mocha before the tests. Starts nothing: servers start when a test first asks for one (machine.ts). */
import { stopAll } from './registry.ts';
import { keepInMemory, sweepAbandoned } from './run-directory.ts';

export async function mochaGlobalSetup(): Promise<void> {
  keepInMemory();
  await sweepAbandoned();
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stopAll();
  refuseToLinger();
}

/** Everything is stopped, so the process ends by itself, unless a test leaked: then say what, and end it. */
function refuseToLinger(): void {
  const alarm = setTimeout(() => {
    const leaks = process.getActiveResourcesInfo().filter((kind) => !kind.startsWith('TTY'));
    console.error(`A test left something running: ${leaks.join(', ')}.`);
    process.exit(1);
  }, LINGER_MS);
  alarm.unref();
}

const LINGER_MS = 10_000;
