/** One exchange with the Core API. HTTP may say 200 while `status_code` says 404: only the body counts. */
import { GatewayError } from './gateway.ts';
import { type Exchange, exchange, unreadable } from './http.ts';
import { coreAnswer } from './midtrans-wire.ts';

export interface CoreAnswer {
  readonly body: unknown;
  /** `status_code` of the body. */
  readonly code: string;
}

/** Asks about or moves a transaction: `GET /v2/{id}/status`, `POST /v2/{id}/refund`. */
export type AskCore = (question: CoreQuestion) => Exchange;

export interface CoreQuestion {
  readonly method: 'GET' | 'POST';
  /** order_id or transaction_id. */
  readonly id: string;
  readonly verb: 'status' | 'expire' | 'refund';
  /** For sentences: "look up a payment". */
  readonly purpose: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** @throws GatewayError */
export async function coreExchange(asked: Exchange): Promise<CoreAnswer> {
  const { status, body } = await exchange(asked);
  const parsed = coreAnswer.safeParse(body);
  if (!parsed.success) {
    if (asked.method !== 'GET' && (status === 202 || status === 409)) throw underWay(asked);
    throw unreadable(asked, 'it has no status_code');
  }
  const code = parsed.data.status_code;
  if (code === '401') throw unauthorized();
  if (code === '429') {
    const told = `Midtrans asked to slow down when asked to ${asked.purpose}.`;
    throw new GatewayError('retry_later', 'rate_limited', told);
  }
  if (code.startsWith('5')) throw unreadable(asked, `status_code ${code}`);
  return { body, code };
}

/** The Idempotency-Key is that of a request that is still unanswered. */
export const underWay = ({ purpose }: Exchange): GatewayError =>
  new GatewayError('unknown', 'in_progress', `Midtrans is still working on the first request to ${purpose}.`);

export const unauthorized = (): GatewayError =>
  new GatewayError(
    'refused',
    'unauthorized',
    'Midtrans refused the server key; check MIDTRANS_SERVER_KEY and the two URLs.',
  );
