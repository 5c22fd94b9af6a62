import { log } from '@temporalio/activity';
import type { Origin, SealedOrigin } from '../domain/events.ts';
import type { ActivityDeps } from './deps.ts';

/** What came with a message, in clear for the event. Absent in messages of Temporal's own tools and of earlier releases. */
export function openOrigin(
  { personalData }: Pick<ActivityDeps, 'personalData'>,
  sealed: SealedOrigin | undefined,
): Origin | undefined {
  return sealed && { requestId: sealed.requestId, address: sealed.sealedAddress && opened(sealed.sealedAddress) };

  function opened(address: string): string | null {
    try {
      return personalData.open(Buffer.from(address, 'base64'), 'events.address');
    } catch (error) {
      // Its key was taken away while the message was waiting. The decision counts; only the address is lost.
      log.warn('an address could not be opened; the event is recorded without it', { error });
      return null;
    }
  }
}
