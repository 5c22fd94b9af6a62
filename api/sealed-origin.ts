import type { Origin, SealedOrigin } from '../domain/events.ts';
import type { ApiDeps } from './deps.ts';

/** For a message to a process: whoever may look at Temporal sees histories, and an address is not theirs to see. */
export const sealOrigin = ({ personalData }: Pick<ApiDeps, 'personalData'>, origin: Origin): SealedOrigin => ({
  requestId: origin.requestId,
  sealedAddress: origin.address && personalData.seal(origin.address, 'events.address').toString('base64'),
});
