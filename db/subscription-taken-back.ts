/**
 * SQL: whether the money that paid for the term which the subscription `s` is in, or was in last, has been taken back: by a
 * chargeback or a reversal. Also where it had paid for a dearer plan in that term. A later term that is paid ends it, and so
 * does a dispute that is won; one that is paid in advance counts from its beginning.
 * @param at an expression for the instant that is asked about
 */
export const takenBackAt = (at: string): string => `exists (
    select from (select t.from_at, t.invoice_id from subscription_terms t
      where t.subscription_id = s.id and t.from_at <= ${at} order by t.number desc limit 1) last
    join invoices x on x.subscription_id = s.id and x.state = 'reversed'
    where x.id = last.invoice_id
      or (x.paid_at >= last.from_at and x.id is distinct from s.renewal_invoice_id
        and not exists (select from subscription_terms t where t.invoice_id = x.id)))`;
