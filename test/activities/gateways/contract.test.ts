import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { GATEWAYS } from '../../../domain/payments.ts';
import { removeDirectory, temporaryDirectory } from '../../support/temporary.ts';
import { createBench, refunding, refundToTheEnd } from './contract/bench.ts';
import { CASE_NAMES, CASES } from './contract/cases.ts';
import { SUBJECTS } from './contract/subjects.ts';
import { startWorld, type World } from './contract/world.ts';

for (const name of GATEWAYS) {
  const subject = SUBJECTS[name];

  describe(`the contract of gateways, kept by ${name}`, () => {
    let world: World;
    beforeEach(async () => {
      world = await startWorld();
    });
    afterEach(() => world.close());

    for (const caseName of CASE_NAMES.filter((one) => subject.without[one] === undefined)) {
      it(caseName, () => CASES[caseName](createBench(name, subject, world)));
    }

    it('has no refunds and no list where it has none of their cases, and has them otherwise', () => {
      const { gateway } = createBench(name, subject, world);
      const listed = subject.without['a list that goes wrong can be asked for again'] === undefined;
      const refunded = subject.without['everything goes back'] === undefined;
      assert.deepEqual(
        [gateway.list !== null, gateway.refund !== null, gateway.lookUpRefund !== null],
        [listed, refunded, refunded],
      );
    });

    it('says in docs/gateways.md why it lacks a case', async () => {
      const text = (await readFile('docs/gateways.md', 'utf8')).replaceAll(/\s+/g, ' ');
      for (const reason of Object.values(subject.without)) assert.ok(text.includes(reason), reason);
    });
  });

  describe(`what the ${name} sandbox remembers`, () => {
    let stateDir: string;
    beforeEach(async () => {
      stateDir = await temporaryDirectory();
    });
    afterEach(() => removeDirectory(stateDir));

    it('is all there after a restart, refunds and used references included', async () => {
      const first = await startWorld(stateDir);
      const bench = createBench(name, subject, first);
      const ask = await bench.paid('inv-1');
      await bench.gateway.create(bench.request('inv-2'));
      const refund = bench.gateway.refund === null ? null : ask(1000n);
      if (refund !== null) await refundToTheEnd(bench, refund);
      const told = (await first.held(name)).map(facts);
      await first.close();

      const second = await startWorld(stateDir);
      try {
        const again = createBench(name, subject, second);
        assert.deepEqual((await second.held(name)).map(facts), told);
        assert.deepEqual(
          told.map(({ captured, refunded }) => [captured, refunded]),
          [
            [Number(subject.amount.amountMinor), refund === null ? 0 : 1000],
            [0, 0],
          ],
        );
        if (refund === null) return;
        assert.equal((await again.gateway.lookUp('inv-1')).state, 'paid');
        const repeated = await refunding(again.gateway).refund(refund);
        assert.deepEqual([repeated.state, repeated.amount], ['succeeded', refund.amount]);
        assert.deepEqual((await second.held(name)).map(facts), told);
      } finally {
        await second.close();
      }
    });
  });
}

const facts = ({ reference, state, capturedMinor, refundedMinor }: Awaited<ReturnType<World['held']>>[number]) => ({
  reference,
  state,
  captured: capturedMinor,
  refunded: refundedMinor,
});
