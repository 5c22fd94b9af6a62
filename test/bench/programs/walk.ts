/** Walks Xendit against the books once, as the worker does, and tells how long that took and how large it grew. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { createXenditGateway } from '../../../activities/gateways/xendit.ts';
import { createReconciliationActivities } from '../../../activities/reconciliation.ts';
import { connect } from '../../../db/connection.ts';

const environment = z.object({
  DATABASE_URL: z.string(),
  BENCH_XENDIT_URL: z.string(),
  BENCH_XENDIT_KEY: z.string(),
  BENCH_FROM: z.string(),
  BENCH_TO: z.string(),
});
const given = environment.parse(process.env);
const db = connect(given.DATABASE_URL, 4, 'alur-bench');
const xendit = createXenditGateway({ secretKey: given.BENCH_XENDIT_KEY, apiUrl: given.BENCH_XENDIT_URL });
const { reconcileGateway } = createReconciliationActivities({ db, gateways: { xendit } });
const span = { gateway: 'xendit' as const, from: given.BENCH_FROM, to: given.BENCH_TO };
const startedAt = performance.now();
const walked = await new MockActivityEnvironment().run(reconcileGateway, { span, at: new Date().toISOString() });
const seconds = (performance.now() - startedAt) / 1000;
await db.destroy();
// maxRSS is in kilobytes.
console.log(
  JSON.stringify({ ...z.looseObject({}).parse(walked), seconds, peakMb: process.resourceUsage().maxRSS / 1024 }),
);
