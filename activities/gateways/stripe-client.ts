/** The official SDK, held to this house's rules: loaded when first used, one try, one time limit, errors told as ours. */
import type { Stripe } from 'stripe';
import { GatewayError } from './gateway.ts';
import { type Exchange, lost, unreadable } from './http.ts';

export interface StripeClientOptions {
  readonly secretKey: string;
  /** Without `/v1`, without a trailing slash; a path is kept: `https://api.stripe.com`, `http://127.0.0.1:4010/stripe`. */
  readonly apiUrl: string;
  readonly timeoutMs: number;
}

export interface Question {
  /** For sentences: "create a payment". */
  readonly purpose: string;
  /** `POST` = Stripe may have acted on it although its answer was lost. */
  readonly method: 'GET' | 'POST';
  /** What a refusal (a status below 500) means here, where it means more than that; null = nothing special. */
  readonly refusal?: (error: Refusal) => GatewayError | null;
}

/** The names in a refusal; never the message, which may quote what was sent. */
export type Refusal = Pick<StripeError, 'code' | 'param'>;

export type Ask = <T>(question: Question, work: (stripe: Stripe) => Promise<T>) => Promise<T>;

/**
 * Runs requests of the SDK. Everything it throws comes out as GatewayError.
 * The SDK takes half a second and 20 MB to load, so an installation without Stripe never loads it.
 */
export function stripeAsker(options: StripeClientOptions): Ask {
  let client: Promise<Stripe> | undefined;
  return async (question, work) => {
    client ??= openClient(options);
    const stripe = await client;
    try {
      return await work(stripe);
    } catch (error) {
      if (!(error instanceof stripe.errors.StripeError)) throw error;
      const isRefusal = (error.statusCode ?? 500) < 500;
      throw (isRefusal && question.refusal?.(error)) || translated(error, exchangeOf(question, options));
    }
  };
}

async function openClient({ secretKey, apiUrl, timeoutMs }: StripeClientOptions): Promise<Stripe> {
  const { default: Stripe } = await import('stripe');
  const { protocol, hostname, port, pathname } = new URL(apiUrl);
  const isHttp = protocol === 'http:';
  return new Stripe(secretKey, {
    protocol: isHttp ? 'http' : 'https',
    host: hostname,
    port: port || (isHttp ? 80 : 443),
    timeout: timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
    // Its Node client repeats a request by itself when a connection breaks, and starts its time limit anew at each byte.
    httpClient: Stripe.createFetchHttpClient(fetchBelow(pathname.replace(/\/$/, ''))),
  });
}

/** The SDK knows a host and a port but no path. A redirect would carry the key to wherever it points. */
const fetchBelow =
  (path: string): typeof fetch =>
  (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    url.pathname = path + url.pathname;
    return fetch(url, { ...init, redirect: 'error' });
  };

const exchangeOf = ({ purpose, method }: Question, { apiUrl, timeoutMs }: StripeClientOptions): Exchange => ({
  gateway: 'Stripe',
  purpose,
  method,
  url: apiUrl,
  headers: {},
  timeoutMs,
});

type StripeError = InstanceType<Stripe['errors']['StripeError']>;

/** Only names are repeated, never Stripe's message: it may quote what was sent. https://docs.stripe.com/api/errors */
function translated(error: StripeError, asked: Exchange): GatewayError {
  const { statusCode } = error;
  if (error.type === 'StripeConnectionError') return notAnswered(error.detail, asked);
  if (error.type === 'StripeIdempotencyError') {
    return new GatewayError('refused', 'reference_used', 'Stripe was asked for something else under this reference.');
  }
  if (statusCode === 429 || error.type === 'StripeRateLimitError') return rateLimited(error, asked);
  if (statusCode === 401 || statusCode === 403) {
    const sentence = 'Stripe refused the secret key; check STRIPE_SECRET_KEY and STRIPE_API_URL.';
    return new GatewayError('refused', 'unauthorized', sentence);
  }
  if (statusCode === 409) {
    const sentence = `Stripe is still working on the same request to ${asked.purpose}.`;
    return new GatewayError(unclear(asked), 'in_progress', sentence);
  }
  if (statusCode === undefined) return unreadable(asked, 'JSON was expected');
  if (statusCode >= 500) {
    const sentence = `Stripe answered ${statusCode} when asked to ${asked.purpose}.`;
    return new GatewayError(unclear(asked), 'gateway_failed', sentence);
  }
  return refusedRequest(error, asked);
}

function notAnswered(detail: unknown, asked: Exchange): GatewayError {
  // The SDK's own time limit; a connection that the system gave up has its code one level further down.
  const tooSlow = detail instanceof Error && 'code' in detail && detail.code === 'ETIMEDOUT';
  return lost(asked, tooSlow ? new DOMException('', 'TimeoutError') : detail);
}

function rateLimited(error: StripeError, asked: Exchange): GatewayError {
  const seconds = Number(error.headers?.['retry-after'] ?? Number.NaN);
  return new GatewayError('retry_later', 'rate_limited', `Stripe asked to slow down when asked to ${asked.purpose}.`, {
    retryAfterSeconds: Number.isFinite(seconds) && seconds >= 0 ? seconds : null,
  });
}

function refusedRequest({ param, code, statusCode }: StripeError, asked: Exchange): GatewayError {
  const about = [param, code].filter((name) => name !== undefined && /^[\w.[\]-]{1,100}$/.test(name)).join(', ');
  const sentence = `Stripe refused to ${asked.purpose}: ${about || `status ${statusCode}`}.`;
  return new GatewayError('refused', 'invalid_request', sentence);
}

const unclear = ({ method }: Exchange) => (method === 'POST' ? 'unknown' : 'retry_later');
