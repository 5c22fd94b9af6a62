/** The SMS provider: one HTTP exchange a message. */

export interface OutgoingText {
  /** The same on every try, so that a provider can tell a double. */
  readonly id: string;
  /** E.164. */
  readonly to: string;
  readonly text: string;
}

export interface SmsSender {
  /** Resolves once the provider has taken it over. @throws SmsError */
  send(message: OutgoingText): Promise<void>;
}

/**
 * `refused`: the provider will not take this message, now or later. `retry_later`: it has not taken it, and may another
 * time. `unknown`: it may have taken it; nothing came back.
 */
export type SmsErrorKind = 'refused' | 'retry_later' | 'unknown';

/** Its sentence holds neither number nor text nor what the provider said, which may repeat both. */
export class SmsError extends Error {
  override readonly name = 'SmsError';
  readonly kind: SmsErrorKind;
  constructor(kind: SmsErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

const ANSWER_WITHIN_MS = 10_000;

/**
 * `POST <url>` with `{ "to": "+62…", "text": "…" }`, the token as bearer and the ID as Idempotency-Key; any 2xx means
 * taken. A provider that wants another form gets an adapter of its own, or a small gateway in front.
 */
export function createSmsSender(provider: {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs?: number;
}): SmsSender {
  const timeoutMs = provider.timeoutMs ?? ANSWER_WITHIN_MS;
  return {
    async send({ id, to, text }) {
      const response = await exchange(provider.url, timeoutMs, {
        authorization: `Bearer ${provider.token}`,
        'content-type': 'application/json',
        'idempotency-key': id,
        body: JSON.stringify({ to, text }),
      });
      await response.body?.cancel();
      if (!response.ok) throw refusal(response.status);
    },
  };
}

async function exchange(
  url: string,
  timeoutMs: number,
  { body, ...headers }: Record<string, string> & { body: string },
): Promise<Response> {
  try {
    // A redirect would carry the number and the code to wherever it points.
    return await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw lost(error, timeoutMs);
  }
}

/** The request never left: no connection, no name. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Without its cause, which may quote the request. */
function lost(error: unknown, timeoutMs: number): SmsError {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new SmsError('unknown', `The SMS provider did not answer within ${timeoutMs} ms.`);
  }
  const code = codeOf(error);
  return NEVER_SENT.has(code)
    ? new SmsError('retry_later', `The SMS provider could not be reached (${code}).`)
    : new SmsError('unknown', `The SMS provider broke the connection (${code}).`);
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' ? code : 'no reason given';
}

function refusal(status: number): SmsError {
  const told = `The SMS provider answered ${status}.`;
  if (status === 408 || status >= 500) return new SmsError('unknown', told);
  // A wrong token or an empty account is for the office to mend, while the code is good.
  return new SmsError([401, 402, 403, 429].includes(status) ? 'retry_later' : 'refused', told);
}
