/** Invoices that do not end with one payment: in parts, voided, taken back. */
import { type ApplicationId, asId, type InvoiceId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { activationId, paymentId } from '../../workflows/ids.ts';
import { payWithCreditUpdate, voidUpdate } from '../../workflows/messages.ts';
import { storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

type Played = Readonly<Record<string, string>>;

/** Each leaves its executions ended, or about to end. */
export function paymentCasesOf(system: TestSystem): (() => Promise<Played>)[] {
  const story = storyOf(system);
  const { db } = system.database;
  const activation = (id: string) => activationId(asId<ApplicationId>(id));
  const payment = (id: string) => paymentId(asId<InvoiceId>(id));
  const payable = async (gateway?: 'stripe') => {
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    const invoiceId = await story.invoiceOf(id);
    return { id, invoiceId, ...(await story.openPayment(id, gateway)) };
  };
  const invoiceIs = (id: string, state: string) =>
    eventually(`invoice ${id} to be ${state}`, async () => db('invoices').where({ id, state }).first('id'));
  return [
    async () => {
      const { id, invoiceId } = await payable();
      const request = { by: demoUserId('finance'), reason: 'other fee', replace: true } as const;
      const process = system.client.workflow.getHandle(payment(invoiceId));
      const { replacement } = await process.executeUpdate(voidUpdate, { args: [request] });
      const { reference } = await eventually('the other invoice to be payable', async () => {
        const opened = await story.openPayment(id);
        return opened.reference.startsWith(replacement?.invoiceId ?? '–') ? opened : null;
      });
      await story.sandbox(reference, 'pay');
      await story.reaches(id, 'active');
      // Ends only when nothing can come from the page that was let go any more.
      await travel(system.client, payment(invoiceId), 5 * DAY);
      return { 'activation-voided-and-replaced': activation(id), 'invoicePayment-voided': payment(invoiceId) };
    },
    async () => {
      const { id, invoiceId, reference } = await payable('stripe');
      const process = system.client.workflow.getHandle(payment(invoiceId));
      // Nothing to pay with: the open page is ended all the same, and the payer opens another.
      await process.executeUpdate(payWithCreditUpdate, { args: [{ by: demoUserId('owner') }] }).catch(() => undefined);
      const again = await story.openPayment(id, 'stripe');
      if (again.reference === reference) throw new Error('the page that was ended is open');
      await story.sandbox(again.reference, 'pay');
      await story.reaches(id, 'active');
      await story.sandbox(again.reference, 'reverse');
      await invoiceIs(invoiceId, 'reversed');
      await story.sandbox(again.reference, 'unreverse');
      await invoiceIs(invoiceId, 'paid');
      return { 'activation-paid-at-second-try': activation(id) };
    },
  ];
}
