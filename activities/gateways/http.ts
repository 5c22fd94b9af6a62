/** One HTTP exchange with a gateway: what went wrong is told by whether the gateway may have acted on it. */
import { z } from 'zod';
import { GatewayError, type GatewayErrorKind } from './gateway.ts';

export interface Exchange {
  /** For sentences: "Midtrans". */
  readonly gateway: string;
  /** For sentences: "create the payment". */
  readonly purpose: string;
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Record<string, string>;
  readonly body?: unknown;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

// The request never left: no connection, no name, no TLS session.
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * Sends and reads one exchange. Answers below 500 other than 429 come back, whatever they say.
 * @throws GatewayError `unknown` only for a POST or DELETE: reading changes nothing, so a lost read is `retry_later`.
 */
export async function exchange(request: Exchange): Promise<Answer> {
  const response = await send(request);
  const text = await response.text().catch((cause: unknown) => {
    throw lost(request, cause);
  });
  if (response.status === 429) throw rateLimited(request, response);
  if (response.status >= 500) {
    throw new GatewayError(afterSending(request), 'gateway_failed', sentence(request, `answered ${response.status}`));
  }
  const body = parse(text);
  if (body === undefined) throw unreadable(request, 'JSON was expected');
  return { status: response.status, body };
}

async function send(request: Exchange): Promise<Response> {
  try {
    return await fetch(request.url, {
      method: request.method,
      headers: { accept: 'application/json', 'content-type': 'application/json', ...request.headers },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      // A redirect would carry the credentials to wherever it points.
      redirect: 'error',
      signal: AbortSignal.timeout(request.timeoutMs),
    });
  } catch (cause) {
    throw lost(request, cause);
  }
}

/** For a request without an answer: not reached, too slow, or cut off. */
export function lost(request: Exchange, cause: unknown): GatewayError {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    const told = sentence(request, `did not answer within ${request.timeoutMs} ms`);
    return new GatewayError(afterSending(request), 'timed_out', told);
  }
  const code = systemCode(cause);
  if (NEVER_SENT.has(code)) {
    return new GatewayError('retry_later', 'unreachable', sentence(request, `could not be reached (${code})`));
  }
  const told = sentence(request, `broke the connection (${code})`);
  return new GatewayError(afterSending(request), 'connection_lost', told);
}

const withCode = z.object({ code: z.string() });

function systemCode(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const parsed = withCode.safeParse(cause);
  return parsed.success ? parsed.data.code : 'no reason given';
}

function rateLimited(request: Exchange, response: Response): GatewayError {
  // Billplz has no retry-after: it tells in ratelimit-reset when its window starts anew.
  const told = response.headers.get('retry-after') ?? response.headers.get('ratelimit-reset');
  const seconds = Number(told ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
  return new GatewayError('retry_later', 'rate_limited', sentence(request, 'asked to slow down'), {
    retryAfterSeconds,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error is left behind on purpose: it quotes the body.
    return undefined;
  }
}

/** For an answer that arrived and cannot be understood: a POST may have worked all the same. */
export const unreadable = (request: Exchange, why: string): GatewayError =>
  new GatewayError(afterSending(request), 'unreadable_answer', sentence(request, `gave an unreadable answer: ${why}`));

const afterSending = (request: Exchange): GatewayErrorKind => (request.method === 'GET' ? 'retry_later' : 'unknown');

const sentence = (request: Exchange, what: string): string =>
  `${request.gateway} ${what} when asked to ${request.purpose}.`;
