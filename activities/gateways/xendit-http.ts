/** What Xendit's endpoints have in common: how each is asked, and how answers about invoices are read. */
import { GatewayError } from './gateway.ts';
import { type Answer, type Exchange, exchange, unreadable } from './http.ts';
import type { XenditOptions } from './xendit.ts';
import { type Invoice, invoices } from './xendit-wire.ts';

/** Every question that is put to Xendit. Look-ups get 3 seconds at most: reading is repeated, not waited for. */
export function asker({ secretKey, apiUrl, timeoutMs = 7_000 }: XenditOptions) {
  const common = {
    gateway: 'Xendit',
    headers: { authorization: `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}` },
  };
  const read = (purpose: string, path: string, query?: URLSearchParams, within = 3_000): Exchange => ({
    ...common,
    purpose,
    url: `${apiUrl}${path}${query === undefined ? '' : `?${query}`}`,
    method: 'GET',
    timeoutMs: Math.min(timeoutMs, within),
  });
  return {
    find: (reference: string): Exchange =>
      read('look up a payment', '/v2/invoices', new URLSearchParams({ external_id: reference })),
    create: (body: unknown): Exchange => ({
      ...common,
      purpose: 'create a payment',
      url: `${apiUrl}/v2/invoices/`,
      method: 'POST',
      body,
      timeoutMs,
    }),
    expire: (id: string): Exchange => ({
      ...common,
      purpose: 'expire a payment',
      url: `${apiUrl}/invoices/${encodeURIComponent(id)}/expire!`,
      method: 'POST',
      body: {},
      timeoutMs,
    }),
    refund: (body: unknown, key: string): Exchange => ({
      ...common,
      headers: { ...common.headers, 'idempotency-key': key },
      purpose: 'refund a payment',
      url: `${apiUrl}/refunds`,
      method: 'POST',
      body,
      timeoutMs,
    }),
    refundById: (id: string): Exchange => read('look up a refund', `/refunds/${encodeURIComponent(id)}`),
    refunds: (query: URLSearchParams): Exchange => read('list refunds', '/refunds', query, timeoutMs),
    transactions: (query: URLSearchParams): Exchange => read('list payments', '/transactions', query, timeoutMs),
  };
}
export type Asker = ReturnType<typeof asker>;

/** The invoices under a reference; none = never heard of it. */
export async function find(asked: Exchange, reference: string): Promise<Invoice[]> {
  const answer = await exchange(asked);
  if (isUnauthorized(answer)) throw unauthorized();
  if (answer.status === 404) return [];
  const parsed = invoices.safeParse(answer.body);
  if (answer.status !== 200 || !parsed.success)
    throw unreadable(asked, `status ${answer.status} without a list of invoices`);
  return parsed.data.filter((said) => said.external_id === reference);
}

export const isUnauthorized = ({ status }: Answer): boolean => status === 401 || status === 403;

export const unauthorized = (): GatewayError =>
  new GatewayError(
    'refused',
    'unauthorized',
    'Xendit refused the secret key; check XENDIT_SECRET_KEY, its permissions for invoices, refunds and transactions, and XENDIT_API_URL.',
  );

/** What cannot be read in an answer is an answer that cannot be read. */
export function readable<T>(asked: Exchange, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RangeError) throw unreadable(asked, cause.message);
    throw cause;
  }
}
