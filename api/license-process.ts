/** How the API speaks to the process that follows a licence. */
import type { LicenseId } from '../domain/ids.ts';
import { licenseFollowingId } from '../workflows/ids.ts';
import { licenseChangedSignal } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';

const WITHIN_MS = 2_000;

/**
 * Tells it to read the record again; nobody waits for that. It reads it by itself before each letter, so one that is not told
 * (it has ended, or Temporal is away) is late for nothing.
 */
export function tellFollower({ temporal, logger }: Pick<ApiDeps, 'temporal' | 'logger'>, id: LicenseId): void {
  const tell = () => temporal.workflow.getHandle(licenseFollowingId(id)).signal(licenseChangedSignal);
  void temporal.withDeadline(Date.now() + WITHIN_MS, tell).catch((error: unknown) => {
    logger.debug({ err: error, licenseId: id }, 'the process that follows a licence was not told of a change');
  });
}
