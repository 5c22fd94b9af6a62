/** The merchant's side over HTTP, `/api/v3`, behind the API key: making, reading and deleting bills. No list of them. */
import { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { type Faults, misbehaving, type Reply } from '../faults.ts';
import { basic, behindKey } from '../merchant-key.ts';
import { type Bill, deletionRefusal, namesOf, opened } from './bills.ts';
import { limitReads } from './rate-limit.ts';
import { billBody, refused, transactionsBody } from './wire.ts';

export interface ApiState {
  readonly apiKey: string;
  readonly collectionId: string;
  readonly readsAWindow: number | null;
  readonly clock: () => Date;
  readonly faults: Faults;
  /** By its ID, as of now. */
  find(id: string): Bill | undefined;
  save(bill: Bill): void;
  billUrl(bill: Bill): string;
}

export function apiRoutes(state: ApiState): Router {
  const { faults } = state;
  const router = Router();
  router.use('/api/v3', authorized(state.apiKey), limitReads(state.readsAWindow, state.clock));
  const named = (req: Request) => namesOf(state.find(String(req.params.id)), String(req.params.id));
  const read = onBill(state, (bill) => told(state, bill));
  router.post('/api/v3/bills', misbehaving(faults, 'create', create(state), newName));
  router.get('/api/v3/bills/:id', misbehaving(faults, 'status', read, named));
  router.get('/api/v3/bills/:id/transactions', misbehaving(faults, 'status', onBill(state, transactions), named));
  router.delete('/api/v3/bills/:id', misbehaving(faults, 'expire', onBill(state, remove(state)), named));
  return router;
}

function authorized(apiKey: string): RequestHandler {
  return behindKey([basic(apiKey)], (_req, res) => {
    const { status, body } = refused(401, 'Unauthorized', 'Access denied');
    res.status(status).json(body);
  });
}

export const malformed: ErrorRequestHandler = (_error, _req, res, _next) => {
  res.status(422).json(refused(422, 'ParseError', 'The body could not be read').body);
};

const missing = "can't be blank";
const url = z.url({ protocol: /^https?$/, error: 'is invalid' });
const text = (most: number) =>
  z.string({ error: missing }).min(1, missing).max(most, `is too long (maximum is ${most} characters)`);

// Everything may come as text: a form has nothing else.
const request = z.object({
  collection_id: z.string({ error: missing }),
  email: z.email('is invalid').nullish(),
  mobile: z
    .string()
    .regex(/^\+?\d{8,15}$/, 'is invalid')
    .nullish(),
  name: text(255),
  amount: z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)], { error: 'is not a number' })
    .pipe(z.number().int('must be an integer').positive('must be greater than 0')),
  callback_url: url,
  description: text(200),
  due_at: z
    .string()
    .regex(/^\d{4}-\d{1,2}-\d{1,2}$/, 'is invalid')
    .optional(),
  redirect_url: url.nullish(),
  deliver: z.union([z.boolean(), z.enum(['true', 'false'])]).optional(),
  reference_1_label: text(20).default('Reference 1'),
  reference_1: text(120).nullish(),
  reference_2_label: text(20).default('Reference 2'),
  reference_2: text(120).nullish(),
});

const withReference = z.object({ reference_1: z.string() });

/** Of the bill that a request would make. */
function newName(req: Request): string[] {
  const parsed = withReference.safeParse(req.body);
  return parsed.success ? [parsed.data.reference_1] : [];
}

const create =
  (state: ApiState) =>
  (req: Request): Reply => {
    const parsed = request.safeParse(req.body ?? {});
    if (!parsed.success) return invalid(...parsed.error.issues.map((issue) => `${human(issue.path)} ${issue.message}`));
    const { data } = parsed;
    if (data.collection_id !== state.collectionId) return refused(404, 'RecordNotFound', 'Collection not found');
    if (!data.email && !data.mobile) return invalid("Email can't be blank", "Mobile can't be blank");
    const made = opened(given(data, state.clock()), state.clock());
    state.save(made);
    return told(state, made);
  };

const invalid = (...messages: string[]): Reply => refused(422, 'RecordInvalid', ...messages);

/** `callback_url` → `Callback url`, as Rails names a field. */
function human(path: readonly PropertyKey[]): string {
  const name = path.join(' ').replaceAll('_', ' ');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

const given = (data: z.infer<typeof request>, now: Date) => ({
  collectionId: data.collection_id,
  email: data.email ?? null,
  mobile: data.mobile ?? null,
  name: data.name,
  amount: data.amount,
  callbackUrl: data.callback_url,
  redirectUrl: data.redirect_url ?? null,
  description: data.description,
  dueAt: data.due_at ?? now.toISOString().slice(0, 10),
  reference1Label: data.reference_1_label,
  reference1: data.reference_1 ?? null,
  reference2Label: data.reference_2_label,
  reference2: data.reference_2 ?? null,
});

const told = ({ billUrl }: ApiState, bill: Bill): Reply => ({ status: 200, body: billBody(bill, billUrl(bill)) });

const onBill =
  ({ find }: ApiState, work: (bill: Bill, req: Request) => Reply) =>
  (req: Request): Reply => {
    const bill = find(String(req.params.id));
    return bill === undefined ? refused(404, 'RecordNotFound', 'Bill not found') : work(bill, req);
  };

function transactions(bill: Bill, req: Request): Reply {
  const page = z.coerce.number().int().positive().catch(1).parse(req.query.page);
  const status = z.enum(['pending', 'completed', 'failed']).optional().catch(undefined).parse(req.query.status);
  return { status: 200, body: transactionsBody(bill, page, status) };
}

const remove =
  ({ save }: ApiState) =>
  (bill: Bill): Reply => {
    const refusal = deletionRefusal(bill);
    if (refusal !== null) return invalid(refusal);
    save({ ...bill, state: 'deleted' });
    return { status: 200, body: {} };
  };
