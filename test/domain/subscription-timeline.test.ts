import assert from 'node:assert/strict';
import { asId, type InvoiceId, type PaymentMethodId, type SubscriptionId } from '../../domain/ids.ts';
import {
  chargeRung,
  chargeTry,
  invoiceDueAt,
  nextDue,
  type Standing,
  timetable,
} from '../../domain/subscription-timeline.ts';
import { DEFAULT_SUBSCRIPTION_POLICY as policy } from '../../domain/subscriptions.ts';

const DAY = 86_400_000;
const START = Date.parse('2027-01-01T00:00:00Z');
const END = START + 31 * DAY;
const invoice = { invoiceId: asId<InvoiceId>('i'), dueAt: END };
const card = asId<PaymentMethodId>('c');
const standing = (given: Partial<Standing> = {}): Standing => ({
  subscriptionId: asId<SubscriptionId>('s'),
  state: 'active',
  stateSince: START,
  planCode: 'p',
  planVersion: 1,
  policy,
  isFree: false,
  term: 1,
  periodStart: START,
  periodEnd: END,
  cancelAtPeriodEnd: false,
  renewal: null,
  upgrade: null,
  nextPlan: null,
  cardId: null,
  dunningStep: 0,
  rungs: [],
  ...given,
});
const day = (n: number): number => START + n * DAY;

describe('the timetable of a subscription', () => {
  it('of one period that is never paid', () => {
    const all = timetable(policy, { periodStart: START, periodEnd: END, invoiceDueAt: END });
    assert.deepEqual(
      all.map(({ rung, at }) => [rung, (at - END) / DAY]),
      [
        ['reminder/14', -14],
        ['invoice', -7],
        ['reminder/1', -1],
        ['dunning/0', 0],
        ['dunning/1', 1],
        ['dunning/3', 3],
        ['dunning/7', 7],
        ['dunning/14', 14],
        ['suspension', 21],
        ['cancellation', 51],
      ],
    );
  });

  it('leaves out reminders from before the period, and bills a period of some days at its start', () => {
    const short = timetable(policy, { periodStart: END - 5 * DAY, periodEnd: END, invoiceDueAt: END });
    assert.deepEqual(
      short.slice(0, 2).map(({ rung, at }) => [rung, (at - END) / DAY]),
      [
        ['invoice', -5],
        ['reminder/1', -1],
      ],
    );
  });

  it('gives a week to pay, or until the end of what is paid', () => {
    assert.equal(invoiceDueAt(END, END - 7 * DAY), END);
    assert.equal(invoiceDueAt(END, END + DAY), END + 8 * DAY);
  });
});

describe('what is due next', () => {
  const due = (it: Standing, now: number) => {
    const next = nextDue(it, now);
    return next && [next.rung, (next.at - START) / DAY];
  };

  it('is each reminder once, and none that is a day late', () => {
    // 30 days before the end it has just begun.
    assert.deepEqual(due(standing(), day(0)), ['reminder/14', 17]);
    assert.deepEqual(due(standing({ periodEnd: START + 365 * DAY }), day(0)), ['reminder/30', 335]);
    assert.deepEqual(due(standing({ rungs: ['reminder/14'] }), day(17)), ['invoice', 24]);
    assert.deepEqual(due(standing(), day(20)), ['invoice', 24]);
  });

  it('is the first invoice at the start, before anything was paid', () => {
    assert.deepEqual(due(standing({ term: 0 }), day(0)), ['invoice', 0]);
  });

  it('is one step of the dunning after the other; of several that were missed the last', () => {
    const open = { renewal: invoice, rungs: ['reminder/30', 'reminder/14', 'reminder/1'] };
    assert.deepEqual(due(standing(open), day(30)), ['dunning/0', 31]);
    const late = standing({ ...open, state: 'past_due', dunningStep: 1 });
    assert.deepEqual(due(late, day(31)), ['dunning/1', 32]);
    assert.deepEqual(due(late, day(39)), ['dunning/7', 38]);
  });

  it('counts grace and suspension from when they began, so that nobody loses them to an outage', () => {
    const grace = standing({ state: 'grace', renewal: invoice, stateSince: day(60), dunningStep: 5 });
    assert.deepEqual(due(grace, day(90)), ['suspension', 67]);
    assert.deepEqual(due({ ...grace, state: 'suspended' }, day(90)), ['cancellation', 90]);
  });

  it('is nothing in a pause, nor after the end', () => {
    for (const state of ['paused', 'cancelled', 'expired'] as const)
      assert.equal(due(standing({ state }), day(99)), null);
  });

  it('is the end of one that was cancelled in time, without reminder and invoice', () => {
    assert.deepEqual(due(standing({ cancelAtPeriodEnd: true }), day(0)), ['end', 31]);
  });

  it('of a plan that costs nothing is its next term', () => {
    assert.deepEqual(due(standing({ isFree: true }), day(0)), ['renewal', 31]);
  });

  it('is another invoice where the one that was open is void', () => {
    assert.deepEqual(due(standing({ state: 'past_due', stateSince: day(31), dunningStep: 2 }), day(35)), [
      'invoice',
      31,
    ]);
  });

  it('charges a card a day before the money is due, each card once, and again with each step', () => {
    const open = standing({ renewal: invoice, cardId: card, rungs: ['reminder/30', 'reminder/14', 'reminder/1'] });
    assert.deepEqual(due(open, day(25)), ['charge', 30]);
    const charged = { ...open, rungs: [...open.rungs, chargeRung(card)] };
    assert.deepEqual(due(charged, day(30)), ['dunning/0', 31]);
    assert.deepEqual([chargeTry(open), chargeTry(charged), chargeTry({ ...charged, dunningStep: 2 })], [0, 1, 3]);
  });

  it('is the plan that the term which begins was paid for, and the lapse of an upgrade', () => {
    assert.deepEqual(due(standing({ nextPlan: { code: 'q', version: 1, at: day(0) } }), day(0)), ['plan_change', 0]);
    const upgrade = { ...invoice, dueAt: day(0.5), code: 'q', version: 1 };
    assert.deepEqual(due(standing({ upgrade }), day(0)), ['upgrade_lapse', 0.5]);
  });
});
