/** The statement of a return as it is told to people: what its units would bring, and what is taken off, and why. */
import type { Knex } from 'knex';
import type { ReturnId } from '../domain/ids.ts';

interface Named {
  readonly id: string;
  readonly en: string;
}

/** Minor units. Units alike are told together. */
export interface StatementLine {
  readonly name: Named;
  readonly quantity: number;
  readonly goodsMinor: bigint;
  readonly shippingMinor: bigint;
  readonly refundMinor: bigint;
}
export interface DeductionLine {
  readonly name: Named;
  readonly quantity: number;
  readonly reason: Named;
  readonly amountMinor: bigint;
}
export interface ToldStatement {
  readonly version: number;
  readonly lines: readonly StatementLine[];
  readonly deductions: readonly DeductionLine[];
  readonly refundMinor: bigint;
}

const LINES = `
  select i.name, (l.value ->> 'quantity')::int as quantity, (l.value ->> 'goodsMinor')::bigint as "goodsMinor",
    (l.value ->> 'shippingMinor')::bigint as "shippingMinor", (l.value ->> 'refundMinor')::bigint as "refundMinor"
  from returns r
    cross join lateral jsonb_array_elements(r.statement -> 'lines') l
    join order_items i on i.id = (l.value ->> 'orderItemId')::uuid
  where r.id = ? order by i.position`;

const DEDUCTIONS = `
  select i.name, count(*)::int as quantity, d.value -> 'reason' as reason,
    sum((d.value ->> 'amountMinor')::bigint)::bigint as "amountMinor"
  from returns r
    cross join lateral jsonb_array_elements(r.statement -> 'deductions') d
    join order_items i on i.id = (d.value ->> 'orderItemId')::uuid
  where r.id = ? group by i.id, d.value ->> 'code', d.value -> 'reason' order by i.position, d.value ->> 'code'`;

/** null = there is none yet. */
export async function toldStatement(db: Knex, id: ReturnId): Promise<ToldStatement | null> {
  const head: { version: number; refundMinor: bigint | string | null } | undefined = await db('returns')
    .where({ id })
    .whereNotNull('statement')
    .first({ version: 'statement_version', refundMinor: 'refund_minor' });
  if (!head) return null;
  const { rows: lines }: { rows: StatementLine[] } = await db.raw(LINES, [id]);
  const { rows: deductions }: { rows: DeductionLine[] } = await db.raw(DEDUCTIONS, [id]);
  return { version: head.version, refundMinor: BigInt(head.refundMinor ?? 0), lines, deductions };
}
