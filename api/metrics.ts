/** Prometheus: the process's own figures and how long each route takes. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Knex } from '../db/connection.ts';
import { countStuck } from '../db/money-watch.ts';
import { countOverdue } from '../db/post-audit-reads.ts';
import { countUnassigned } from '../db/task-moves.ts';

/** @param seconds from the request's arrival to the end of its answer */
export type RequestTimer = (method: string, pattern: string, status: number, seconds: number) => void;

export interface Metrics {
  readonly registry: Registry;
  readonly time: RequestTimer;
}

/** Of the process: what counts them is further in than the application that shows them. */
export const rateLimited = new Counter({
  name: 'alur_http_rate_limited_total',
  help: 'Requests refused with 429, by limit.',
  labelNames: ['limit'],
  registers: [],
});
export const cspViolations = new Counter({
  name: 'alur_csp_violations_total',
  help: 'Violations of the content security policy that browsers reported, by directive.',
  labelNames: ['directive'],
  registers: [],
});

export function createMetrics(db: Knex): Metrics {
  const registry = new Registry();
  registry.registerMetric(stuckPayments(db));
  registry.registerMetric(overdueAudits(db));
  registry.registerMetric(unassignedTasks(db));
  registry.registerMetric(rateLimited);
  registry.registerMetric(cspViolations);
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'alur_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by route pattern.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  return {
    registry,
    time: (method, route, status, seconds) => duration.observe({ method, route, status }, seconds),
  };
}

const STUCK_KINDS = ['stuck_paid', 'stuck_unknown'] as const;

/** Asked at each scrape. While PostgreSQL does not answer it shows nothing: yesterday's nought would be a false calm. */
const stuckPayments = (db: Knex): Gauge<'kind'> =>
  new Gauge({
    name: 'alur_payments_stuck',
    help: 'Open cases of payments that have not moved for 15 minutes: paid and not active, or unclear at the gateway.',
    labelNames: ['kind'],
    registers: [],
    async collect() {
      this.reset();
      const counts = await countStuck(db).catch(() => null);
      if (counts) for (const kind of STUCK_KINDS) this.set({ kind }, counts.get(kind) ?? 0);
    },
  });

/** Asked at each scrape; nothing while PostgreSQL does not answer, as above. */
const unassignedTasks = (db: Knex): Gauge =>
  new Gauge({
    name: 'alur_unassigned_tasks',
    help: 'Open review tasks that nobody has: nobody was free, and they wait in the queue of the supervisor.',
    registers: [],
    async collect() {
      this.reset();
      const count = await countUnassigned(db).catch(() => null);
      if (count === null) this.remove();
      else this.set(count);
    },
  });

const overdueAudits = (db: Knex): Gauge<'what'> =>
  new Gauge({
    name: 'alur_post_audits_overdue',
    help: 'Post-audits, and proposals of failed ones, that should have been decided by now.',
    labelNames: ['what'],
    registers: [],
    async collect() {
      this.reset();
      const counts = await countOverdue(db, new Date()).catch(() => null);
      if (!counts) return;
      this.set({ what: 'audit' }, counts.audit);
      this.set({ what: 'proposal' }, counts.proposal);
    },
  });
