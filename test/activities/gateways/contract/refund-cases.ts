/** What every adapter does with refunds. */
import assert from 'node:assert/strict';
import { type Bench, ended, fails, failure, insist, refunding, refundToTheEnd } from './bench.ts';

const heldBack = async (bench: Bench, reference: string) => (await bench.held(reference))[0]?.refundedMinor;

export const REFUND_CASES = {
  'everything goes back': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const { amount } = bench.subject;
    const said = await refundToTheEnd(bench, ask(amount.amountMinor));
    assert.deepEqual({ state: said.state, amount: said.amount }, { state: 'succeeded', amount });
    assert.ok(said.refundId);
    assert.equal(await heldBack(bench, 'inv-1'), Number(amount.amountMinor));
    assert.equal((await bench.gateway.lookUp('inv-1')).state, bench.subject.refunded);
  },

  'parts go back to the unit, and never more than was paid': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const { amountMinor } = bench.subject.amount;
    const first = ask(amountMinor / 3n);
    assert.equal((await refundToTheEnd(bench, first)).amount?.amountMinor, amountMinor / 3n);
    const { state, paid } = await bench.gateway.lookUp('inv-1');
    assert.deepEqual({ state, paid }, { state: 'paid', paid: bench.subject.amount });
    const rest = amountMinor - amountMinor / 3n;
    await fails(refunding(bench.gateway).refund(ask(rest + 1n)), 'refused', 'refund_exceeds_payment');
    const second = ask(rest);
    assert.equal((await refundToTheEnd(bench, second)).state, 'succeeded');
    assert.equal(await heldBack(bench, 'inv-1'), Number(amountMinor));
    await fails(refunding(bench.gateway).refund(ask(1n)), 'refused', 'refund_exceeds_payment');
    const told = await refunding(bench.gateway).lookUpRefund({ ...first, refundId: null });
    assert.deepEqual([told.state, told.amount], ['succeeded', first.amount]);
  },

  'a refund of more than was paid is refused': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const much = ask(bench.subject.amount.amountMinor + 1n);
    await fails(refunding(bench.gateway).refund(much), 'refused', 'refund_exceeds_payment');
    assert.equal(await heldBack(bench, 'inv-1'), 0);
  },

  'a refund of what is not paid is refused': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    await bench.gateway.create(bench.request('inv-2'));
    const wrong = { ...ask(1n), reference: 'inv-2', transactionId: null, method: null };
    assert.equal((await failure(refunding(bench.gateway).refund(wrong))).kind, 'refused');
    assert.equal(await heldBack(bench, 'inv-1'), 0);
  },

  'a refund is made once for each key, however late it is repeated': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const { refund } = refunding(bench.gateway);
    const part = ask(1000n);
    const first = await insist(() => refund(part));
    const again = await insist(() => refund(part));
    assert.equal(again.refundId, first.refundId);
    await ended(bench, part, first);
    bench.world.pass(49 * 3_600_000);
    const late = await insist(() => refund(part));
    assert.deepEqual([late.state, late.amount], ['succeeded', part.amount]);
    assert.equal(await heldBack(bench, 'inv-1'), 1000);
  },

  'a refund whose answer was lost is made once': async (bench: Bench) => {
    for (const kind of ['5xx_after', 'timeout_after'] as const) {
      const ask = await bench.paid(`inv-${kind}`);
      const all = ask(bench.subject.amount.amountMinor);
      await bench.fault('refund', kind);
      const error = await failure(refunding(bench.hasty).refund(all));
      assert.equal(error.kind, 'unknown', error.message);
      assert.equal((await refundToTheEnd(bench, all)).state, 'succeeded');
      const told = await refunding(bench.gateway).lookUpRefund({ ...all, refundId: null });
      assert.deepEqual([told.state, told.amount], ['succeeded', all.amount]);
      assert.equal(await heldBack(bench, all.reference), Number(all.amount.amountMinor));
    }
  },

  'a refund that never arrived can be asked for again': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const part = ask(1000n);
    await bench.fault('refund', '5xx_before');
    assert.equal((await failure(refunding(bench.gateway).refund(part))).kind, 'unknown');
    const told = await refunding(bench.gateway).lookUpRefund({ ...part, refundId: null });
    assert.equal(told.state, 'not_found');
    assert.equal((await refundToTheEnd(bench, part)).state, 'succeeded');
    assert.equal(await heldBack(bench, 'inv-1'), 1000);
  },

  'a refund that is told to wait was not made': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    await bench.fault('refund', '429');
    await fails(refunding(bench.gateway).refund(ask(1000n)), 'retry_later', 'rate_limited');
    await fails(refunding(bench.unreachable).refund(ask(1000n)), 'retry_later', 'unreachable');
    assert.equal(await heldBack(bench, 'inv-1'), 0);
  },

  'a refund is pending until it has succeeded': async (bench: Bench) => {
    const ask = await bench.paid('inv-1', bench.subject.channels.slow);
    const part = ask(1000n);
    const first = await refunding(bench.gateway).refund(part);
    assert.deepEqual([first.state, first.amount], ['pending', part.amount]);
    const said = await ended(bench, part, first);
    assert.deepEqual([said.state, said.refundId], ['succeeded', first.refundId]);
    assert.equal(await heldBack(bench, 'inv-1'), 1000);
  },

  'a refund that had succeeded can fail': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const part = ask(1000n);
    const done = await refundToTheEnd(bench, part);
    assert.equal(done.state, 'succeeded');
    await bench.play('inv-1/refund-fail?webhook=none');
    const said = await refunding(bench.gateway).lookUpRefund({ ...part, refundId: done.refundId });
    assert.equal(said.state, 'failed');
    assert.match(said.reason ?? '', /^[a-z0-9_]+$/);
    assert.equal(await heldBack(bench, 'inv-1'), 0);
    assert.equal((await bench.gateway.lookUp('inv-1')).state, 'paid');
    assert.equal((await refundToTheEnd(bench, ask(bench.subject.amount.amountMinor))).state, 'succeeded');
  },

  'a reversal leaves nothing, whatever went back before': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    await refundToTheEnd(bench, ask(1000n));
    await bench.play('inv-1/reverse?webhook=none');
    assert.equal((await bench.gateway.lookUp('inv-1')).state, 'reversed');
    const [held] = await bench.held('inv-1');
    assert.deepEqual([held?.capturedMinor, held?.refundedMinor], [1000, 1000]);
    assert.equal((await failure(refunding(bench.gateway).refund(ask(1000n)))).kind, 'refused');
  },

  'a refund that nobody asked for is not found': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const told = await refunding(bench.gateway).lookUpRefund({ ...ask(1000n), refundId: null });
    assert.deepEqual(told, { state: 'not_found', refundId: null, amount: null, reason: null });
  },

  'a look-up of a refund that goes wrong can be asked again': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const part = ask(1000n);
    const done = await refundToTheEnd(bench, part);
    for (const kind of ['5xx_before', '5xx_after', '429'] as const) {
      await bench.fault('refund_status', kind);
      const asked = refunding(bench.gateway).lookUpRefund({ ...part, refundId: done.refundId });
      assert.equal((await failure(asked)).kind, 'retry_later', kind);
    }
    const lost = refunding(bench.unreachable).lookUpRefund({ ...part, refundId: done.refundId });
    await fails(lost, 'retry_later', 'unreachable');
  },

  'a channel that gives nothing back says so': async (bench: Bench) => {
    const ask = await bench.paid('inv-1', bench.subject.channels.never);
    const all = ask(bench.subject.amount.amountMinor);
    const { refund } = refunding(bench.gateway);
    await fails(refund(all), 'refused', 'channel_cannot_refund');
    // Also when nobody has told the adapter how it was paid.
    await fails(refund({ ...all, method: null }), 'refused', 'channel_cannot_refund');
  },

  'a channel that gives back all or nothing says so': async (bench: Bench) => {
    const ask = await bench.paid('inv-1', bench.subject.channels.wholeOnly);
    const { refund } = refunding(bench.gateway);
    await fails(refund(ask(1000n)), 'refused', 'channel_cannot_refund');
    await fails(refund({ ...ask(1000n), method: null }), 'refused', 'channel_cannot_refund');
    assert.equal((await refundToTheEnd(bench, ask(bench.subject.amount.amountMinor))).state, 'succeeded');
  },
} satisfies Record<string, (bench: Bench) => Promise<void>>;
