/** The status read with nothing around it: Express and pg, the same prepared statement, the row as JSON. */
import express from 'express';
import pg from 'pg';
import { STATUS_STATEMENT } from '../../../db/application-status.ts';

const { DATABASE_URL = '', BENCH_PORT = '', BENCH_POOL = '', BENCH_VIEWER = '' } = process.env;

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(BENCH_POOL) });
const app = express();
app.get('/api/v1/licenses/status/:id', async (req, res) => {
  const { rows } = await pool.query({ ...STATUS_STATEMENT, values: [req.params.id, BENCH_VIEWER, false] });
  if (rows[0]) res.json(rows[0]);
  else res.sendStatus(404);
});
app.listen(Number(BENCH_PORT), '127.0.0.1');
// An exit by itself: a profile is written then, and not when the signal ends the process.
process.once('SIGTERM', () => process.exit(0));
