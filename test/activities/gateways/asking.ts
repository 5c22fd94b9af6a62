/** What the tests of every gateway's adapter ask for, and how they look at what it throws. */
import assert from 'node:assert/strict';
import { GatewayError, type RefundRequest } from '../../../activities/gateways/gateway.ts';
import { rupiah } from '../../../domain/money.ts';

const shown = (value: unknown): string =>
  String(JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? `${one}` : one)));

/** The error that this ends in, which tells nobody the secret. */
export const failureWithout =
  (secret: string) =>
  async (work: Promise<unknown> | undefined): Promise<GatewayError> => {
    const error = await work?.then(
      (value) => assert.fail(`it worked: ${shown(value)}`),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof GatewayError, String(error));
    assert.doesNotMatch(`${JSON.stringify(error)}${error.message}${error.stack}`, new RegExp(secret));
    return error;
  };

export const kindAndCode = ({ kind, code }: GatewayError) => ({ kind, code });
export const told = ({ kind, code }: GatewayError) => `${kind} ${code}`;

export const REFUND_KEY = '5a0f2f1e-9f0e-4a39-8f1c-3b1f6a3f7c11';

/** Rp4.000 of the Rp10.000 that were paid by card for `inv-1`. */
export const refundRequest = (more: Partial<RefundRequest> = {}): RefundRequest => ({
  reference: 'inv-1',
  transactionId: null,
  key: REFUND_KEY,
  amount: rupiah(4000),
  captured: rupiah(10_000),
  method: 'credit_card',
  reason: 'requested_by_payer',
  ...more,
});
