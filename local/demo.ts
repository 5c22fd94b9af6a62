/** `npm run demo`: plays a whole application against the system that `npm start` has brought up. */
import { join } from 'node:path';
import { DemoFailure } from './demo/failure.ts';
import { optionsOf } from './demo/options.ts';
import { playDemo } from './demo/play.ts';
import { runningSystem } from './demo/ready.ts';
import { PATHS } from './paths.ts';
import { createScreen } from './screen.ts';

const screen = createScreen();
try {
  const options = optionsOf(process.argv.slice(2));
  const ready = await runningSystem(PATHS.ready);
  const color = process.stdout.isTTY === true && !process.env.NO_COLOR;
  await playDemo({ ready, write: screen.line, color, directory: join(PATHS.local, 'demo'), ...options });
} catch (error) {
  if (!(error instanceof DemoFailure)) throw error;
  screen.failure(error.message);
  process.exitCode = 1;
}
