/** How the API has an invoice voided: by the process that collects it, so that no payment is opened meanwhile. */
import type { Origin } from '../domain/events.ts';
import type { InvoiceId } from '../domain/ids.ts';
import { paymentId } from '../workflows/ids.ts';
import { type VoidedInvoice, type VoidRequest, voidUpdate } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { onceThere } from './payment-process.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

/** The process asks the gateway to end an open attempt first. */
const VOIDED_WITHIN_MS = 25_000;

/** @param requestKey repeats of the same request carry the same one */
export async function voidInvoice(
  deps: ApiDeps,
  id: InvoiceId,
  requestKey: string,
  asked: Omit<VoidRequest, 'origin'> & { readonly origin: Origin },
): Promise<VoidedInvoice> {
  const request: VoidRequest = { ...asked, origin: sealOrigin(deps, asked.origin) };
  const say = () =>
    deps.temporal.workflow
      .getHandle(paymentId(id))
      .executeUpdate(voidUpdate, { updateId: requestKey, args: [request] });
  return withinTime(deps.temporal, () => onceThere(deps, id, say), VOIDED_WITHIN_MS);
}
