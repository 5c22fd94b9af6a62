/** Gets what tests and measurements need before they start. */
import { join } from 'node:path';
import { createScreen } from './screen.ts';
import { findTemporalCli } from './temporal-cli.ts';

/**
 * @returns the path of the Temporal CLI; shows on the screen what is fetched.
 * @throws StartFailure with one sentence when there is no way to get it.
 */
export async function prepareTemporalCli(repository: string): Promise<string> {
  const screen = createScreen();
  const { path, source } = await findTemporalCli({
    env: process.env,
    cacheDirectory: join(repository, '.cache'),
    progress: screen.progress,
  });
  screen.line(`Temporal: ${path} (from ${source})`);
  return path;
}
