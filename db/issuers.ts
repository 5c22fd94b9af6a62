/** What an invoice is for, and which office stands behind it. */
import type { Knex } from 'knex';
import { FIRST_OFFICE } from './offices.ts';

/**
 * Joins to the invoice `i` its application `a` with the licence's type `t`, or its subscription `s` with the plan `pl`, or its
 * order `od`, and the office `o` that issues papers about it. What is of no licence type is the first office's: somebody has to stand on its
 * papers.
 */
export const withIssuer = (query: Knex.QueryBuilder): Knex.QueryBuilder =>
  query
    .leftJoin('applications as a', 'a.id', 'i.application_id')
    .leftJoin('license_types as t', 't.code', 'a.type_code')
    .leftJoin('subscriptions as s', 's.id', 'i.subscription_id')
    .leftJoin('plans as pl', (on) => on.on('pl.code', 's.plan_code').andOn('pl.version', 's.plan_version'))
    .leftJoin('orders as od', 'od.id', 'i.order_id')
    .joinRaw(`join offices o on o.id = coalesce(t.office_id, (${FIRST_OFFICE}))`);

/** What an invoice is for, as a person calls it: the licence, the plan, or the order's number. Of what `withIssuer` has joined. */
export const subjectName = (db: Knex): Knex.Raw =>
  db.raw(
    `coalesce(t.name, pl.name, case when od.number is not null then jsonb_build_object('id', od.number, 'en', od.number) end)`,
  );

/** Whom it is told to and on whose behalf it is paid: who applied, took the subscription out, or ordered. */
export const payerId = (db: Knex): Knex.Raw => db.raw('coalesce(a.applicant_id, s.started_by, od.placed_by)');
