/** Bills of a gateway that cannot be asked for them: which ones may be an attempt's. */
import type { Knex } from 'knex';

/** IDs that the gateway gave when the bill was made, or named in a notification for this reference. */
export async function billsOf(db: Knex, reference: string): Promise<string[]> {
  const { rows }: { rows: { id: string }[] } = await db.raw(
    `select bill_id as id from gateway_bills where reference = ? and bill_id is not null
     union select object_id from payment_inbox where gateway = 'billplz' and reference = ?`,
    [reference, reference],
  );
  return rows.map(({ id }) => id);
}

/** Notes that a bill is about to be asked for. @returns false when that was noted before: it may exist */
export async function beginBill(db: Knex, reference: string): Promise<boolean> {
  const inserted = await db('gateway_bills').insert({ reference }).onConflict().ignore().returning('reference');
  return inserted.length > 0;
}

/** Takes `beginBill` back, unless a bill is known. */
export async function releaseBill(db: Knex, reference: string): Promise<void> {
  await db('gateway_bills').where({ reference }).whereNull('bill_id').delete();
}

export async function learnBill(db: Knex, reference: string, billId: string): Promise<void> {
  await db('gateway_bills').insert({ reference, bill_id: billId }).onConflict('reference').merge(['bill_id']);
}
