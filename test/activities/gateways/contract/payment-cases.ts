/** What every adapter does with payments. */
import assert from 'node:assert/strict';
import type { CreatePaymentRequest } from '../../../../activities/gateways/gateway.ts';
import { add, formatMoney, money } from '../../../../domain/money.ts';
import { type Bench, fails, failure, insist } from './bench.ts';

const TROUBLE = ['5xx_before', '5xx_after', 'timeout_after', '429'] as const;

/** Nothing was sent: the gateway would have broken down over it. */
async function isNotAskedFor(bench: Bench, request: CreatePaymentRequest): Promise<void> {
  await bench.fault('create', '5xx_before');
  await fails(bench.gateway.create(request), 'refused', 'invalid_request');
  assert.deepEqual(await bench.held(request.reference), []);
}

export const PAYMENT_CASES = {
  'a page is opened that a payer can use, until the expiry that is told': async (bench: Bench) => {
    const asked = bench.request('inv-1');
    const { redirectUrl, expiresAt } = await bench.gateway.create(asked);
    const lessMs = Date.parse(asked.expiresAt) - Date.parse(expiresAt);
    // Xendit counts from when the request arrives, others round down to whole minutes.
    assert.ok(lessMs > -2000 && lessMs < 121_000, `it closes ${lessMs} ms before the attempt ends`);
    const page = await fetch(redirectUrl);
    assert.equal(page.status, 200);
    assert.ok((await page.text()).includes(formatMoney(asked.amount)));
    assert.equal((await bench.gateway.lookUp('inv-1')).state, bench.subject.untouched);
  },

  'the same reference gives the first page again': async (bench: Bench) => {
    const asked = bench.request('inv-1');
    const first = await bench.gateway.create(asked);
    assert.equal((await bench.gateway.create(asked)).redirectUrl, first.redirectUrl);
    assert.equal((await bench.held('inv-1')).length, 1);
  },

  'a used reference is refused over another amount': async (bench: Bench) => {
    const { amount } = bench.subject;
    await bench.gateway.create(bench.request('inv-1'));
    const other = bench.request('inv-1', add(amount, money(1, amount.currency)));
    await fails(bench.gateway.create(other), 'refused', 'reference_used');
    assert.equal((await bench.held('inv-1')).length, 1);
  },

  'items that do not add up are refused': async (bench: Bench) => {
    const { amount } = bench.subject;
    const short = money(amount.amountMinor - 1n, amount.currency);
    await isNotAskedFor(
      bench,
      bench.request('inv-1', amount, { items: [{ name: 'Biaya izin', amount: short, quantity: 1 }] }),
    );
  },

  'another currency is refused': async (bench: Bench) => {
    assert.ok(bench.subject.foreign !== null);
    await isNotAskedFor(bench, bench.request('inv-1', bench.subject.foreign));
  },

  'nothing, and more than can be, is refused': async (bench: Bench) => {
    const largest = bench.subject.amounts.at(-1) ?? assert.fail('no amounts');
    await isNotAskedFor(bench, bench.request('inv-1', money(0, largest.currency)));
    await isNotAskedFor(bench, bench.request('inv-2', add(largest, money(1, largest.currency))));
  },

  'a page that closed already, or stays open for too long, is refused': async (bench: Bench) => {
    const { amount, tooLongMs } = bench.subject;
    for (const openMs of [-60_000, tooLongMs]) {
      const expiresAt = new Date(bench.world.now() + openMs).toISOString();
      await isNotAskedFor(bench, bench.request('inv-1', amount, { expiresAt }));
    }
  },

  'a lost answer never opens a second page, and the page is found': async (bench: Bench) => {
    for (const kind of ['5xx_after', 'timeout_after'] as const) {
      const asked = bench.request(`inv-${kind}`);
      await bench.fault('create', kind);
      const first = await bench.hasty.create(asked).catch(() => null);
      if (first === null) assert.equal((await bench.held(asked.reference)).length, 1);
      const { redirectUrl } = await insist(() => bench.gateway.create(asked));
      assert.equal((await fetch(redirectUrl)).status, 200);
      assert.equal((await bench.held(asked.reference)).length, 1);
      await bench.play(`${asked.reference}/pay?webhook=none`);
      assert.deepEqual((await bench.gateway.lookUp(asked.reference)).paid, asked.amount);
    }
  },

  'a repeat after a lost answer opens nothing, whatever it is told': async (bench: Bench) => {
    const asked = bench.request('inv-1');
    await bench.fault('create', '5xx_after');
    const first = await bench.gateway.create(asked).catch((error: unknown) => error);
    if (first instanceof Error) assert.equal((await failure(Promise.reject(first))).kind, 'unknown');
    for (const again of [1, 2]) {
      const told = await insist(() => bench.gateway.create(asked)).catch((error: unknown) => error);
      if (told instanceof Error) {
        const { kind, code } = await failure(Promise.reject(told));
        assert.deepEqual([kind, code], ['unknown', 'answer_lost'], `repeat ${again}`);
      }
      assert.equal((await bench.held('inv-1')).length, 1);
    }
  },

  'an answer that never came can be asked for again': async (bench: Bench) => {
    for (const kind of ['5xx_before', 'timeout_before'] as const) {
      const asked = bench.request(`inv-${kind}`);
      await bench.fault('create', kind);
      assert.equal((await failure(bench.hasty.create(asked))).kind, 'unknown', kind);
      assert.equal((await bench.gateway.lookUp(asked.reference)).state, 'not_found');
      const { redirectUrl } = await insist(() => bench.gateway.create(asked));
      assert.equal((await fetch(redirectUrl)).status, 200);
      assert.equal((await bench.held(asked.reference)).length, 1);
    }
  },

  'being told to wait is no answer, and nothing was done': async (bench: Bench) => {
    await bench.fault('create', '429');
    const error = await failure(bench.gateway.create(bench.request('inv-1')));
    assert.deepEqual([error.kind, error.code, error.retryAfterSeconds], ['retry_later', 'rate_limited', 2]);
    assert.deepEqual(await bench.held('inv-1'), []);
    assert.ok((await bench.gateway.create(bench.request('inv-1'))).redirectUrl);
  },

  'a gateway that is not reached was not asked': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    for (const call of [
      () => bench.unreachable.create(bench.request('inv-2')),
      () => bench.unreachable.lookUp('inv-1'),
      () => bench.unreachable.expire('inv-1'),
    ]) {
      await fails(call(), 'retry_later', 'unreachable');
    }
  },

  'a look-up that goes wrong can be asked again': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play('inv-1/pay?webhook=none');
    for (const kind of TROUBLE) {
      await bench.fault('status', kind);
      assert.equal((await failure(bench.hasty.lookUp('inv-1'))).kind, 'retry_later', kind);
    }
    assert.equal((await bench.gateway.lookUp('inv-1')).state, 'paid');
  },

  'nobody knows an unknown reference': async (bench: Bench) => {
    assert.equal((await bench.gateway.lookUp('inv-9')).state, 'not_found');
    assert.equal((await bench.gateway.expire('inv-9')).state, 'not_found');
  },

  'an untouched page is ended when asked': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    assert.equal((await bench.gateway.expire('inv-1')).state, 'expired');
    assert.equal((await bench.world.play('inv-1/pay')).status, 409);
    assert.equal((await bench.gateway.expire('inv-1')).state, 'expired');
  },

  'ending a payment that was paid meanwhile finds it paid': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play('inv-1/pay?webhook=none');
    assert.equal((await bench.gateway.expire('inv-1')).state, 'paid');
  },

  'a lost answer to an ending is unknown, and asking again tells': async (bench: Bench) => {
    await bench.paid('inv-1');
    await bench.gateway.create(bench.request('inv-2'));
    await bench.fault('expire', '5xx_after');
    const lost = await bench.gateway.expire('inv-2').catch((error: unknown) => error);
    if (bench.subject.untouched === 'pending') assert.equal((await failure(Promise.reject(lost))).kind, 'unknown');
    const after = await insist(() => bench.gateway.expire('inv-2'));
    assert.ok(after.state === 'expired' || after.state === bench.subject.untouched);
  },

  'what is paid is told to the unit': async (bench: Bench) => {
    for (const [index, amount] of bench.subject.amounts.entries()) {
      const reference = `inv-${index}`;
      await bench.gateway.create(bench.request(reference, amount));
      await bench.play(`${reference}/pay?webhook=none`);
      const said = await bench.gateway.lookUp(reference);
      assert.deepEqual({ state: said.state, paid: said.paid }, { state: 'paid', paid: amount });
      assert.ok(said.transactionId);
      assert.ok(said.paidAt === null || Math.abs(Date.parse(said.paidAt) - bench.world.now()) < 60_000);
      const [held] = await bench.held(reference);
      assert.deepEqual([held?.capturedMinor, held?.refundedMinor], [Number(amount.amountMinor), 0]);
    }
  },

  'a payment that fails takes no money': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play('inv-1/fail?webhook=none');
    const { state, paid } = await bench.gateway.lookUp('inv-1');
    assert.deepEqual({ state, paid }, { state: 'failed', paid: null });
    assert.equal((await bench.held('inv-1'))[0]?.capturedMinor, 0);
  },

  'a page that ran out takes no money': async (bench: Bench) => {
    const { expiresAt } = await bench.gateway.create(bench.request('inv-1'));
    bench.world.pass(Date.parse(expiresAt) - bench.world.now() + 1000);
    if (bench.name === 'billplz') await bench.gateway.expire('inv-1');
    assert.equal((await bench.world.play('inv-1/pay')).status, 409);
    const { state, paid } = await bench.gateway.lookUp('inv-1');
    assert.equal(state, bench.subject.untouched === 'not_found' ? 'not_found' : 'expired');
    assert.equal(paid, null);
  },

  'money that comes after the end is paid': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play('inv-1/expire?webhook=none');
    await bench.play('inv-1/pay-late?webhook=none');
    const { state, paid } = await bench.gateway.lookUp('inv-1');
    assert.deepEqual({ state, paid }, { state: 'paid', paid: bench.subject.amount });
  },

  'money that is taken back is reversed': async (bench: Bench) => {
    await bench.paid('inv-1');
    await bench.play('inv-1/reverse?webhook=none');
    assert.equal((await bench.gateway.lookUp('inv-1')).state, 'reversed');
    assert.equal((await bench.held('inv-1'))[0]?.capturedMinor, 0);
  },

  'a reversal that the merchant wins is paid again': async (bench: Bench) => {
    await bench.paid('inv-1');
    await bench.play('inv-1/reverse?webhook=none');
    await bench.play('inv-1/unreverse?webhook=none');
    assert.equal((await bench.gateway.lookUp('inv-1')).state, 'paid');
    assert.equal((await bench.held('inv-1'))[0]?.capturedMinor, Number(bench.subject.amount.amountMinor));
  },
} satisfies Record<string, (bench: Bench) => Promise<void>>;
