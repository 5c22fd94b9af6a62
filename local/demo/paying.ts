/** The money: an invoice, a way to pay it, and the gateway's word that it was paid. */
import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import { activationId, paymentId } from '../../workflows/ids.ts';
import { jakartaTime, pdfName, type Status, type Story, statusOnce, tellLetter, workflowLink } from './story.ts';

/** Does nothing for a licence that is free. */
export async function pay(story: Story, id: string): Promise<void> {
  const { state, invoice } = await statusOnce(
    story,
    id,
    'there was an invoice',
    (now) => now.invoice !== undefined || now.license !== undefined,
  );
  if (!invoice) return;
  await story.narrator.step({
    who: 'Alur',
    what: `issues invoice ${invoice.number} over ${invoice.total.formatted}`,
    state,
    more: [['due', jakartaTime(invoice.dueAt)], ...workflowLink(story, activationId(asId(id)))],
  });
  await tellLetter(story, `invoice ${invoice.number}`, ({ attachments }) =>
    attachments.some(({ filename }) => filename === pdfName(invoice.number)),
  );
  await settle(story, invoice);
}

const openedShape = z.object({ paymentId: z.string(), redirectUrl: z.string() });
const paymentShape = z.object({ gatewayReference: z.string() });

async function settle(story: Story, invoice: NonNullable<Status['invoice']>): Promise<void> {
  const { ready, client, narrator } = story;
  const opened = await client.post(openedShape, `invoices/${invoice.id}/pay`, {
    as: 'owner',
    body: { gateway: 'midtrans' },
  });
  const { gatewayReference } = await client.get(paymentShape, `payments/${opened.paymentId}`, { as: 'owner' });
  await narrator.step({
    who: 'owner',
    what: 'opens an attempt to pay at Midtrans',
    state: 'pending_payment',
    more: [['pay page', opened.redirectUrl], ...workflowLink(story, paymentId(asId(invoice.id)))],
  });
  if (ready.gateways === null) {
    narrator.say(`     This system uses the real gateway. Pay on ${opened.redirectUrl}; the demo waits two minutes.`);
    return;
  }
  await client.send('POST', `${ready.gateways}/_sandbox/payments/${gatewayReference}/pay`);
  await narrator.step({
    who: 'owner',
    what: `pays ${invoice.total.formatted} in the gateway's sandbox, which tells Alur`,
    more: workflowLink(story, paymentId(asId(invoice.id))),
  });
}
