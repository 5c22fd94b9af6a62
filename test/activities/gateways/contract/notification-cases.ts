/** What every sandbox tells the merchant, and what the reading of it makes of that. */
import assert from 'node:assert/strict';
import type { Bench } from './bench.ts';

/** What arrived since, in order, by the step that it tells of. */
async function steps(bench: Bench): Promise<string[]> {
  const read = await Promise.all(bench.world.received.map((one) => bench.read(one)));
  return read.map((reading) => (reading?.ok ? reading.notification.status : 'not believed'));
}

const withQuery = (event: string, query: string): string => `${event}${event.includes('?') ? '&' : '?'}${query}`;

export const NOTIFICATION_CASES = {
  'a payment is told, genuinely, and twice the same way': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play('inv-1/pay?webhook=twice');
    const [first, second, ...more] = await steps(bench);
    assert.ok(first !== undefined && first !== 'not believed');
    assert.equal(first, second, 'a repeat shares the step');
    assert.deepEqual(more, []);
    const said = await bench.read(bench.world.received[0] ?? assert.fail('nothing came'));
    assert.ok(said?.ok);
    assert.equal(said.notification.reference, 'inv-1');
  },

  'a forged notification is not believed, or the look-up says otherwise': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play('inv-1/pay?webhook=forged');
    assert.equal(bench.world.received.length, 1);
    const [step] = await steps(bench);
    assert.equal(step === 'not believed', bench.name !== 'xendit');
    assert.notEqual((await bench.gateway.lookUp('inv-1')).state, 'paid');
    assert.equal((await bench.held('inv-1'))[0]?.capturedMinor, 0);
    await bench.play('inv-1/pay?webhook=none');
    assert.equal((await bench.gateway.lookUp('inv-1')).state, 'paid');
  },

  'a notification that was held back comes after a newer one': async (bench: Bench) => {
    const { older, between, newer } = bench.subject;
    const [first, firstStep] = older;
    const [second, secondStep] = newer;
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play(`inv-1/${withQuery(first, 'webhook=late&delayMs=600000')}`);
    assert.deepEqual(await steps(bench), []);
    for (const event of between) await bench.play(`inv-1/${withQuery(event, 'webhook=none')}`);
    await bench.play(`inv-1/${withQuery(second, 'webhook=reordered')}`);
    const told = await steps(bench);
    assert.ok(told.length >= 2, `told: ${told.join(', ')}`);
    assert.match(told[0] ?? '', secondStep);
    assert.match(told.at(-1) ?? '', firstStep);
  },

  'nothing has to be waited for': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.play('inv-1/pay?webhook=late&delayMs=600000');
    assert.deepEqual(bench.world.received, []);
    await bench.world.flush();
    assert.equal(bench.world.received.length, 1);
    await bench.world.flush();
    assert.equal(bench.world.received.length, 1);
  },

  'trouble that is meant for one payment, or another gateway, meets no other': async (bench: Bench) => {
    await bench.gateway.create(bench.request('inv-1'));
    await bench.gateway.create(bench.request('inv-2'));
    const other = bench.name === 'stripe' ? 'xendit' : 'stripe';
    const trouble = { operation: 'notification', kind: '5xx_before', times: 1 } as const;
    await bench.world.fault({ ...trouble, gateway: other });
    await bench.world.fault({ ...trouble, reference: 'inv-2' });
    await bench.play('inv-1/pay');
    assert.equal(bench.world.received.length, 1);
    await bench.world.play('inv-2/pay');
    assert.equal(bench.world.received.length, 1, 'the one about inv-2 is lost');
  },
} satisfies Record<string, (bench: Bench) => Promise<void>>;
