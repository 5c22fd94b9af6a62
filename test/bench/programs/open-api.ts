/**
 * The API with its door open: credential, rate limit and right are not looked at, everybody is the viewer. What it does
 * less than the API is what those cost.
 */
import { createApp } from '../../../api/app.ts';
import { depsOf } from '../../../api/compose.ts';
import type { Caller } from '../../../api/request.ts';
import { createLimitedServer } from '../../../api/server-limits.ts';
import { loadConfig } from '../../../config.ts';
import { asId, type UserId } from '../../../domain/ids.ts';

const config = loadConfig();
const viewer: Caller = {
  userId: asId<UserId>(process.env['BENCH_VIEWER'] ?? ''),
  roles: ['owner'],
  tokenVersion: 1,
  emailVerified: true,
  setupOnly: false,
};
const admissionOf = () => ({
  enter: (req: Parameters<ReturnType<typeof createApp>>[0]) => {
    req.actor = viewer;
    return undefined;
  },
});
createLimitedServer()
  .on('request', createApp(await depsOf(config), { admissionOf }))
  .listen(config.api.port, config.api.host);
// An exit by itself: a profile is written then, and not when the signal ends the process.
process.once('SIGTERM', () => process.exit(0));
