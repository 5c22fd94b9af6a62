/** What must be true of an invoice once everything has settled down, whatever had happened to it. */
import { z } from 'zod';
import type { TestSystem } from '../../support/system.ts';
import type { Played } from './world.ts';

const sandboxPayments = z.object({
  items: z.array(
    z.looseObject({
      reference: z.string(),
      capturedMinor: z.number().default(0),
      refundedMinor: z.number().default(0),
    }),
  ),
});

/** What the gateways hold for us, by reference: captured less refunded, in minor units of Alur. */
export async function holdings(system: TestSystem): Promise<ReadonlyMap<string, bigint>> {
  const response = await fetch(`${system.sandboxUrl}/_sandbox/payments`);
  const { items } = sandboxPayments.parse(await response.json());
  return new Map(items.map((one) => [one.reference, BigInt(one.capturedMinor - one.refundedMinor)]));
}

/** @returns what is wrong, in sentences; nothing when all is well */
export async function broken(
  system: TestSystem,
  { applicationId, invoiceId }: Played,
  held: ReadonlyMap<string, bigint>,
): Promise<string[]> {
  const { db } = system.database;
  const [invoice] = await db('invoices').where({ id: invoiceId }).select('state', 'credited_minor', 'total_minor');
  const payments: { id: string; reference: string; state: string; clearing: bigint }[] = await db('payments as p')
    .where('p.invoice_id', invoiceId)
    .select('p.id', { reference: 'p.gateway_reference' }, 'p.state', {
      clearing: db.raw(`(select cast(coalesce(sum(l.amount_minor), 0) as bigint) from ledger_entries e
        join ledger_postings l on l.entry_id = e.id and l.account = 'gateway_clearing' where e.payment_id = p.id)`),
    });
  const licenses: { status: string }[] = await db('licenses').where({ application_id: applicationId }).select('status');
  const everPaid = await db('events').where({ application_id: applicationId, type: 'invoice.paid' }).first('id');
  const casesOf = async (kind: string) => {
    const rows: { reference: string }[] = await db('payment_cases')
      .where({ invoice_id: invoiceId, kind })
      .select('reference');
    return new Set(rows.map(({ reference }) => reference));
  };
  const [elsewhere, unclear] = [await casesOf('refund_differs'), await casesOf('unclear')];
  const sentences: string[] = [];
  for (const { reference, state, clearing } of payments) {
    if (['created', 'unknown', 'pending'].includes(state))
      sentences.push(`attempt ${reference} is forgotten as ${state}`);
    const atGateway = held.get(reference) ?? 0n;
    // Somebody refunded in the gateway's own dashboard: the books wait for the person whose case that is. And a bill whose
    // creation lost its answer, and whose callback never came, nobody can ask Billplz about: it has its case too.
    const isExplained = clearing > atGateway ? elsewhere.has(reference) : unclear.has(reference);
    if (clearing !== atGateway && !isExplained)
      sentences.push(`${reference}: the books say ${clearing} at the gateway, the gateway ${atGateway}`);
  }
  if (licenses.length > 1) sentences.push(`${licenses.length} licences for one invoice`);
  if (licenses.length === 1 && !everPaid) sentences.push('a licence, and the invoice was never paid');
  // Given back in full before the licence was issued, it brings none.
  const keeps = invoice.state === 'paid' && invoice.credited_minor < invoice.total_minor;
  if (keeps && licenses.length !== 1) sentences.push('the invoice is paid and there is no licence');
  const [license] = licenses;
  if (license && (license.status === 'active') !== keeps)
    sentences.push(
      `the licence is ${license.status}, the invoice ${invoice.state}, credited ${invoice.credited_minor} of ${invoice.total_minor}`,
    );
  return sentences;
}
