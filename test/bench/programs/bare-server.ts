/**
 * What the API does with nothing around it, on Express and pg: the status read by the same prepared statement, and the
 * intake of a notice as one hash and one insert.
 */
import { createHash } from 'node:crypto';
import express from 'express';
import pg from 'pg';
import { STATUS_STATEMENT } from '../../../db/application-status.ts';

const { DATABASE_URL = '', BENCH_PORT = '', BENCH_POOL = '', BENCH_VIEWER = '', BENCH_MIDTRANS_KEY = '' } = process.env;

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(BENCH_POOL) });
const app = express();
app.get('/api/v1/licenses/status/:id', async (req, res) => {
  const { rows } = await pool.query({ ...STATUS_STATEMENT, values: [req.params.id, BENCH_VIEWER, false] });
  if (rows[0]) res.json(rows[0]);
  else res.sendStatus(404);
});
const INSERT = {
  name: 'bare-notice',
  text: `insert into payment_inbox (gateway, object_id, status, reference, payment_id, body, received_at)
    values ('midtrans', $1, 'bare', $2, $3, $4, $5) on conflict do nothing`,
};
app.post('/webhooks/midtrans', express.raw({ type: () => true, limit: 65_536 }), async (req, res) => {
  const bytes: Buffer = req.body;
  const body: Readonly<Record<string, string>> = JSON.parse(bytes.toString());
  const signed = `${body['order_id']}${body['status_code']}${body['gross_amount']}${BENCH_MIDTRANS_KEY}`;
  const isGenuine = createHash('sha512').update(signed).digest('hex') === body['signature_key'];
  if (!isGenuine) return void res.sendStatus(401);
  const payment = req.headers['x-bench-payment'];
  const values = [body['transaction_id'], body['order_id'], payment, JSON.stringify(body), new Date().toISOString()];
  await pool.query({ ...INSERT, values });
  res.json({ status: 'received' });
});
app.listen(Number(BENCH_PORT), '127.0.0.1');
// An exit by itself: a profile is written then, and not when the signal ends the process.
process.once('SIGTERM', () => process.exit(0));
