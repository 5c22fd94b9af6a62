/** `npm run reset`: empties `.local/`. The next start makes everything anew. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StartFailure } from './failure.ts';
import { lockOwner, runningSentence } from './lock.ts';
import { PATHS } from './paths.ts';
import { removeHome } from './postgres-home.ts';
import { stopRecorded } from './processes.ts';
import { createScreen } from './screen.ts';

async function reset(): Promise<void> {
  const owner = lockOwner(PATHS.lock);
  if (owner !== null) throw new StartFailure(runningSentence(owner));
  await stopRecorded(PATHS.run);
  await removeHome(PATHS.postgres);
  await mkdir(PATHS.local, { recursive: true });
  const entries = await readdir(PATHS.local);
  await Promise.all(entries.map((entry) => rm(join(PATHS.local, entry), { recursive: true, force: true })));
}

const screen = createScreen();
try {
  await reset();
  screen.line('.local/ is empty; npm start makes everything anew.');
} catch (error) {
  if (!(error instanceof StartFailure)) throw error;
  screen.failure(error.message);
  process.exitCode = 1;
}
