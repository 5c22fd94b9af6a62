/**
 * Billplz: a bill is a pay page; it is known by Billplz' own ID only. Ringgit only.
 * https://www.billplz.com/api#v3-bills
 */
import { money, sameMoney, sum } from '../../domain/money.ts';
import type { GatewayPayment } from '../../domain/payments.ts';
import type { BillBook } from './billplz-book.ts';
import { type Bill, bill, malaysianDay, refusalBody, stateOf, toGatewayPayment } from './billplz-wire.ts';
import { type CreatedPayment, type CreatePaymentRequest, GatewayError, type PaymentGateway } from './gateway.ts';
import { type Answer, type Exchange, exchange, unreadable } from './http.ts';

export interface BillplzOptions {
  readonly apiKey: string;
  /** Without `/v3`, without a trailing slash: `https://www.billplz.com/api`. */
  readonly apiUrl: string;
  /** Every bill belongs to a collection; it is made once, in the dashboard. */
  readonly collectionId: string;
  /** Where Billplz reports, `https://…/webhooks/billplz`; each bill gets it with `?reference=` and its own reference. */
  readonly callbackUrl: string;
  /** Durable in production. */
  readonly book: BillBook;
  /** For one exchange that changes something; look-ups get 4 seconds of it at most. */
  readonly timeoutMs?: number;
}

/**
 * **A lost answer to `create` cannot be resolved by asking.** Billplz has no idempotency key, no search by reference and
 * no list of a collection's bills; a bill answers to its ID alone, and that ID is in the lost answer. So:
 * - `create` notes in the book that it is about to ask, and asks **once** for each reference. A repeat gives the first
 *   answer again when the bill is known; otherwise it is `unknown` with code `answer_lost`, and nothing is sent.
 * - `lookUp` says `not_found` of such an attempt: no news.
 * - Two things can still bring the ID: Billplz' callback, which goes to an address that carries our reference and is
 *   signed with the ID (it comes after a payer's try only, and nobody was given the page's address); and a person in
 *   finance, who finds the bill in the dashboard by its "Alur reference". Either way the ID is confirmed: the bill must
 *   be in our collection and carry our reference, or it is not believed.
 * - Until then the attempt stays `unknown` and is finance's case. `expire` cannot reach such a bill and says `not_found` too:
 *   the attempt ends by our own clock, and money that comes after all (within 30 days) comes late.
 *
 * **A bill has no time-out of ours**: `due_at` is for the eye, Billplz gives up after 30 days. Whoever lets an attempt
 * expire must call `expire`, which deletes the bill. A payer who was at the bank by then still pays, and the bill comes
 * back as `paid`: `expired` is followed by `paid`, as with every late payment.
 *
 * A look-up that a rate limit refuses (100 or 10 questions in 5 minutes, at Billplz' discretion) is `retry_later` with
 * the seconds until the window ends.
 */
export function createBillplzGateway(options: BillplzOptions): PaymentGateway {
  const ask = asker(options);
  const find = finder(options, ask);
  const lookUp = async (reference: string): Promise<GatewayPayment> => {
    const found = await find(reference);
    return readable(() => toGatewayPayment(found));
  };
  return {
    name: 'billplz',
    create: (request) => create(options, ask, find, request),
    lookUp,
    // Billplz has no endpoint for either: money goes back by bank transfer, bills are asked about one by one.
    refund: null,
    lookUpRefund: null,
    list: null,
    expire: async (reference) => {
      const found = await find(reference);
      const due = readable(() => found.filter((said) => stateOf(said) === 'pending'));
      if (due.length === 0) return readable(() => toGatewayPayment(found));
      for (const { id } of due) await end(ask.delete(id));
      return lookUp(reference);
    },
  };
}

function asker({ apiKey, apiUrl, timeoutMs = 10_000 }: BillplzOptions) {
  const common = {
    gateway: 'Billplz',
    headers: { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` },
  };
  const one = (id: string): string => `${apiUrl}/v3/bills/${encodeURIComponent(id)}`;
  return {
    get: (id: string): Exchange => ({
      ...common,
      purpose: 'look up a bill',
      url: one(id),
      method: 'GET',
      timeoutMs: Math.min(timeoutMs, 4_000),
    }),
    create: (body: unknown): Exchange => ({
      ...common,
      purpose: 'create a bill',
      url: `${apiUrl}/v3/bills`,
      method: 'POST',
      body,
      timeoutMs,
    }),
    delete: (id: string): Exchange => ({
      ...common,
      purpose: 'delete a bill',
      url: one(id),
      method: 'DELETE',
      timeoutMs,
    }),
  };
}
type Asker = ReturnType<typeof asker>;
type Find = (reference: string) => Promise<Bill[]>;

/** The bills of a reference that Billplz confirms to be ours. One that the book names wrongly is left alone. */
function finder({ book, collectionId }: BillplzOptions, ask: Asker): Find {
  return async (reference) => {
    const found: Bill[] = [];
    for (const id of await book.billsOf(reference)) {
      const said = await read(ask.get(id));
      if (said?.reference_1 === reference && said.collection_id === collectionId) found.push(said);
    }
    return found;
  };
}

/** null = Billplz has no such bill. */
async function read(asked: Exchange): Promise<Bill | null> {
  const answer = await exchange(asked);
  if (answer.status === 401) throw unauthorized();
  if (answer.status === 404) return null;
  const parsed = bill.safeParse(answer.body);
  if (answer.status !== 200 || !parsed.success) throw unreadable(asked, `status ${answer.status} without a bill`);
  return parsed.data;
}

async function create(
  options: BillplzOptions,
  ask: Asker,
  find: Find,
  request: CreatePaymentRequest,
): Promise<CreatedPayment> {
  checkRequest(request);
  const { book } = options;
  const { reference } = request;
  const earlier = await find(reference);
  if (earlier.length > 0) return firstAnswer(earlier, request);
  if (!(await book.begin(reference))) throw askedBefore();
  try {
    const made = await open(ask.create(billBody(options, request)), options, request);
    await book.learn(reference, made.id);
    return created(made, request);
  } catch (error) {
    if (error instanceof GatewayError && error.kind !== 'unknown') await book.release(reference);
    throw error;
  }
}

async function open(asked: Exchange, { collectionId }: BillplzOptions, request: CreatePaymentRequest): Promise<Bill> {
  const answer = await exchange(asked);
  if (answer.status !== 200 && answer.status !== 201) throw refusal(asked, answer);
  const parsed = bill.safeParse(answer.body);
  if (!parsed.success) throw unreadable(asked, 'it is no bill');
  if (!answersTo(parsed.data, request) || parsed.data.collection_id !== collectionId) {
    throw unreadable(asked, 'it is another bill than the one asked for');
  }
  return parsed.data;
}

const answersTo = (said: Bill, { reference, amount }: CreatePaymentRequest): boolean =>
  said.reference_1 === reference && BigInt(said.amount) === amount.amountMinor;

/** The bill that an earlier call made, if it is the one that is asked for now. */
function firstAnswer(found: readonly Bill[], request: CreatePaymentRequest): CreatedPayment {
  const [first] = found;
  const same = readable(() => found.every((said) => stateOf(said) === 'pending' && answersTo(said, request)));
  if (first === undefined || !same) {
    const told = 'Billplz already has another bill under this reference; look it up.';
    throw new GatewayError('refused', 'reference_used', told);
  }
  return created(first, request);
}

// The expiry is ours to bring about: see createBillplzGateway.
const created = ({ url }: Bill, { expiresAt }: CreatePaymentRequest): CreatedPayment => ({
  redirectUrl: url,
  expiresAt: new Date(expiresAt).toISOString(),
});

const askedBefore = (): GatewayError =>
  new GatewayError(
    'unknown',
    'answer_lost',
    'Billplz was asked for this bill before and its answer was lost, so it is not asked again. ' +
      'Look for the reference in the Billplz dashboard.',
  );

const MAX_OPEN_MS = 30 * 86_400_000;

function checkRequest(request: CreatePaymentRequest): void {
  if (!/^[A-Za-z0-9._~-]{1,50}$/.test(request.reference)) {
    throw invalid('a reference has 1 to 50 letters, digits, dashes, underscores, tildes or dots');
  }
  if (request.amount.currency !== 'MYR') throw invalid('it takes MYR only; choose another gateway for this invoice');
  if (request.amount.amountMinor <= 0n || request.amount.amountMinor > 9_999_999_999n) {
    throw invalid('the amount must be between RM0,01 and RM99.999.999,99');
  }
  if (request.items.some((item) => !Number.isInteger(item.quantity) || item.quantity < 1)) {
    throw invalid('an item needs a whole quantity of 1 or more');
  }
  const lines = request.items.map((item) =>
    money(item.amount.amountMinor * BigInt(item.quantity), item.amount.currency),
  );
  if (lines.some(({ currency }) => currency !== 'MYR') || !sameMoney(sum(lines, 'MYR'), request.amount)) {
    throw invalid('the items do not add up to the amount');
  }
  if (request.method !== undefined) throw invalid('the payer chooses how to pay on its page; leave the method out');
  const openMs = Date.parse(request.expiresAt) - Date.parse(request.now);
  if (!(openMs > 0 && openMs <= MAX_OPEN_MS)) throw invalid('a payment must stay open for up to 30 days');
}

const invalid = (why: string): GatewayError =>
  new GatewayError('refused', 'invalid_request', `Billplz was not asked to create a bill: ${why}.`);

const billBody = ({ collectionId, callbackUrl }: BillplzOptions, request: CreatePaymentRequest) => ({
  collection_id: collectionId,
  email: request.payer.email,
  name: request.payer.name.slice(0, 255),
  amount: Number(request.amount.amountMinor),
  // A callback tells the bill's ID and nothing of ours. Its address is all that leads back when the ID was lost.
  callback_url: withReference(callbackUrl, request.reference),
  redirect_url: request.finishUrl,
  description: request.items
    .map(({ name, quantity }) => (quantity > 1 ? `${name} × ${quantity}` : name))
    .join(', ')
    .slice(0, 200),
  due_at: malaysianDay(request.expiresAt),
  // Alur writes its own letters; and an address that nobody was sent is one that nobody can pay at.
  deliver: false,
  reference_1_label: 'Alur reference',
  reference_1: request.reference,
});

function withReference(callbackUrl: string, reference: string): string {
  const url = new URL(callbackUrl);
  url.searchParams.set('reference', reference);
  return url.href;
}

/** Deleted (200), or not to be deleted any more (422: paid; 404: gone): the look-up that follows tells which. */
async function end(asked: Exchange): Promise<void> {
  const answer = await exchange(asked);
  if (answer.status === 401) throw unauthorized();
  if (![200, 404, 422].includes(answer.status)) throw unreadable(asked, `status ${answer.status}`);
}

// Words at the start of Rails' messages ("Callback url is invalid"); what follows them may quote what was sent.
const FIELDS = /^(amount|callback url|collection|description|due at|email|mobile|name|redirect url|reference 1)\b/i;

function refusal(asked: Exchange, answer: Answer): GatewayError {
  if (answer.status === 401) return unauthorized();
  // A time-out of theirs, half-way: the bill may have been made.
  if (answer.status === 408) return unreadable(asked, 'status 408');
  if (answer.status === 404) return refused('it knows no such collection; check BILLPLZ_COLLECTION_ID');
  const parsed = refusalBody.safeParse(answer.body);
  const messages = parsed.success ? parsed.data.error.message : [];
  const fields = messages.flatMap((message) => FIELDS.exec(message)?.[0].toLowerCase() ?? []);
  return refused(fields.length > 0 ? fields.join(', ') : `status ${answer.status}`);
}

const refused = (about: string): GatewayError =>
  new GatewayError('refused', 'invalid_request', `Billplz refused to create the bill: ${about}.`);

const unauthorized = (): GatewayError =>
  new GatewayError('refused', 'unauthorized', 'Billplz refused the API key; check BILLPLZ_API_KEY and the URL.');

/** For what bills say, all of which was read with GET: nothing was done, and asking again may help. */
function readable<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new GatewayError('retry_later', 'unreadable_answer', `Billplz told something unreadable: ${cause.message}.`);
  }
}
