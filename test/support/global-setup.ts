/** Loaded by mocha before the tests. Starts nothing: servers start when a test first asks for one (machine.ts). */
import { stopAll } from './registry.ts';
import { sweepAbandoned } from './run-directory.ts';

export async function mochaGlobalSetup(): Promise<void> {
  await sweepAbandoned();
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stopAll();
}
