/** What every adapter that lists payments does with pages. */
import assert from 'node:assert/strict';
import type { ListedPayment, PaymentPage } from '../../../../activities/gateways/gateway.ts';
import { type Bench, failure, refundToTheEnd } from './bench.ts';

// More than fit on one page of any gateway.
const MANY = 105;

function listing({ gateway, world }: Bench) {
  const { list } = gateway;
  assert.ok(list !== null, 'this adapter lists nothing');
  const window = () => ({
    from: new Date(world.now() - 3_600_000).toISOString(),
    to: new Date(world.now() + 3_600_000).toISOString(),
  });
  return { list, window };
}

async function payMany({ gateway, request, play }: Bench, references: readonly string[]): Promise<void> {
  for (const reference of references) {
    await gateway.create(request(reference));
    await play(`${reference}/pay?webhook=none`);
  }
}

export const LIST_CASES = {
  'a list holds every payment exactly once while others arrive': async (bench: Bench) => {
    const references = Array.from({ length: MANY }, (_, index) => `inv-${index}`);
    await payMany(bench, references);
    await bench.gateway.create(bench.request('unpaid'));
    const { list, window } = listing(bench);
    const during = window();
    const found: ListedPayment[] = [];
    let page: PaymentPage = await list(during, null);
    let pages = 1;
    for (; page.next !== null; pages += 1) {
      found.push(...page.payments);
      await payMany(bench, [`new-${pages}-a`, `new-${pages}-b`]);
      page = await list(during, page.next);
    }
    found.push(...page.payments);
    assert.ok(pages > 1, 'one page proves nothing');
    const times = (reference: string) => found.filter((one) => one.reference === reference).length;
    assert.deepEqual(
      references.filter((reference) => times(reference) !== 1),
      [],
    );
    assert.deepEqual(
      found.filter(({ reference }) => reference === null || times(reference) > 1),
      [],
    );
    assert.equal(times('unpaid'), 0);
    for (const { paid, state } of found) assert.deepEqual([state, paid], ['paid', bench.subject.amount]);
  },

  'a list tells what went back, and nothing from before or after its window': async (bench: Bench) => {
    const ask = await bench.paid('inv-1');
    const { list, window } = listing(bench);
    const hour = window();
    const later = { from: hour.to, to: new Date(Date.parse(hour.to) + 3_600_000).toISOString() };
    await refundToTheEnd(bench, ask(1000n));
    const { payments } = await list(hour, null);
    assert.deepEqual(
      payments.map(({ reference, paid, refundedMinor }) => ({ reference, paid, refundedMinor })),
      [{ reference: 'inv-1', paid: bench.subject.amount, refundedMinor: 1000n }],
    );
    assert.deepEqual((await list(later, null)).payments, []);
    const before = { from: new Date(Date.parse(hour.from) - 3_600_000).toISOString(), to: hour.from };
    assert.deepEqual((await list(before, null)).payments, []);
  },

  'a list that goes wrong can be asked for again': async (bench: Bench) => {
    await bench.paid('inv-1');
    const { list, window } = listing(bench);
    for (const kind of ['5xx_before', '5xx_after', '429'] as const) {
      await bench.fault('list', kind);
      assert.equal((await failure(list(window(), null))).kind, 'retry_later', kind);
    }
  },
} satisfies Record<string, (bench: Bench) => Promise<void>>;
