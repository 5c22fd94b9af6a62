import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readBillplzNotification, readBillplzRedirect } from '../../../api/webhooks/billplz.ts';

const KEY = 'S-s7b4yWpp9h7rrkNM1i3Z_g';
const ADDRESS = '/webhooks/billplz?reference=inv-1';

/** https://www.billplz.com/api#payment-completion-x-signature-callback-url, fields, key and signature as printed there. */
const callback = {
  id: 'zq0tm2wc',
  collection_id: 'yhx5t1pp',
  paid: 'true',
  state: 'paid',
  amount: '100',
  paid_amount: '100',
  due_at: '2018-9-27',
  email: 'tester@test.com',
  mobile: '',
  name: 'TESTER',
  url: 'http://www.billplz-sandbox.com/bills/zq0tm2wc',
  paid_at: '2018-09-27 15:15:09 +0800',
  x_signature: '0fe0a20b8d557eeae570377783d062a3816a9ea80f368860bacfa7ec3ca4d00e',
};

/** https://www.billplz.com/api#payment-completion-x-signature-redirect-url, as printed there. */
const redirect = {
  'billplz[id]': 'zq0tm2wc',
  'billplz[paid]': 'true',
  'billplz[paid_at]': '2018-09-27 15:15:09 +0800',
  'billplz[x_signature]': '4aab095fe5a39b1d534500988f9a0cb085cd1b6d5bbb55dd4e02ea6fa102b47b',
};

type Fields = Record<string, string>;
const form = (fields: Fields) => Buffer.from(new URLSearchParams(fields).toString());
const read = (fields: Fields, { address = ADDRESS, key = KEY } = {}) =>
  readBillplzNotification(form(fields), address, key);
const without = (fields: Fields, ...names: string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
/** The signature written out by hand, in the order that the documentation's rule gives to these very fields. */
const signed = (change: Fields): Fields => {
  const fields = { ...without(callback, 'x_signature'), ...change };
  const order = [
    'amount',
    'collection_id',
    'due_at',
    'email',
    'id',
    'mobile',
    'name',
    'paid_amount',
    'paid_at',
    'paid',
  ];
  const names = [...order, 'state', 'transaction_id', 'transaction_status', 'url'];
  const known: Fields = fields;
  const source = names.flatMap((name) => (known[name] === undefined ? [] : [`${name}${known[name]}`])).join('|');
  return { ...fields, x_signature: createHmac('sha256', KEY).update(source).digest('hex') };
};
const problemOf = (reading: { ok: boolean; problem?: string }) => (reading.ok ? null : reading.problem);
const statusOf = (change: Fields) => {
  const reading = read(signed(change));
  assert.ok(reading.ok);
  return reading.notification.status;
};

describe('reading a Billplz callback', () => {
  it("accepts the documentation's own example, and keeps nothing of the payer", () => {
    assert.deepEqual(read(callback), {
      ok: true,
      notification: {
        gateway: 'billplz',
        reference: 'inv-1',
        objectId: 'zq0tm2wc',
        status: 'paid/100',
        body: without(callback, 'x_signature', 'email', 'mobile', 'name', 'due_at'),
      },
    });
  });

  it('takes the fields in any order, and the signature in capitals', () => {
    const shuffled = Object.fromEntries(Object.entries(callback).toReversed());
    assert.ok(read(shuffled).ok);
    assert.ok(read({ ...callback, x_signature: callback.x_signature.toUpperCase() }).ok);
  });

  it('sorts without regard to case, and bytes rather than letters', () => {
    // By hand: "_" (5f) stands before "a" (61) and after "Z" (5a), so lower case decides; é is c3 a9, after every letter.
    const fields = { id: 'b', PAID: 'x', paid_at: 'y', Zoo: '1', état: '2' };
    const source = 'idb|paid_aty|PAIDx|Zoo1|état2';
    const x_signature = createHmac('sha256', KEY).update(source).digest('hex');
    assert.equal(problemOf(read({ ...fields, x_signature })), 'malformed', 'signed, though no bill');
  });

  for (const field of Object.keys(without(callback, 'x_signature'))) {
    it(`refuses a changed ${field}`, () => {
      assert.equal(problemOf(read({ ...callback, [field]: 'false' })), 'bad_signature');
    });
  }

  it('refuses a field more and a field less', () => {
    assert.equal(problemOf(read({ ...callback, reference_1: 'inv-1' })), 'bad_signature');
    assert.equal(problemOf(read(without(callback, 'mobile'))), 'bad_signature');
  });

  it('refuses another key, and an empty one though it signed', () => {
    assert.equal(problemOf(read(callback, { key: 'another' })), 'bad_signature');
    const unkeyed = createHmac('sha256', '').update('idx').digest('hex');
    assert.equal(problemOf(read({ id: 'x', x_signature: unkeyed }, { key: '' })), 'bad_signature');
  });

  for (const [what, x_signature] of Object.entries({
    empty: '',
    shortened: callback.x_signature.slice(0, 62),
    lengthened: `${callback.x_signature}zz`,
    'not hexadecimal': 'z'.repeat(64),
  })) {
    it(`refuses a signature that is ${what}`, () => {
      assert.equal(problemOf(read({ ...callback, x_signature })), 'bad_signature');
    });
  }

  it('refuses a callback without a signature, and one that is cut off', () => {
    assert.equal(problemOf(read(without(callback, 'x_signature'))), 'bad_signature');
    assert.equal(problemOf(readBillplzNotification(form(callback).subarray(0, -10), ADDRESS, KEY)), 'bad_signature');
  });

  it('does not take the signature of a redirect for one of a callback', () => {
    assert.equal(problemOf(read({ ...callback, x_signature: redirect['billplz[x_signature]'] })), 'bad_signature');
  });

  it('calls what is no form of a bill malformed', () => {
    for (const text of ['', '{"id":"x"}', 'a=1&b=2', '\u0000\u0001']) {
      assert.deepEqual(readBillplzNotification(Buffer.from(text), ADDRESS, KEY), { ok: false, problem: 'malformed' });
    }
  });

  it('calls two values under one name malformed', () => {
    const twice = Buffer.concat([form(callback), Buffer.from('&id=other')]);
    assert.deepEqual(readBillplzNotification(twice, ADDRESS, KEY), { ok: false, problem: 'malformed' });
  });

  it('calls a signed form that lacks what a bill has malformed', () => {
    assert.equal(problemOf(read(signed({ paid: 'perhaps' }))), 'malformed');
    assert.equal(problemOf(read(signed({ paid_amount: '1.50' }))), 'malformed');
  });

  it('reads names beyond ASCII', () => {
    assert.ok(read(signed({ name: 'SITI NURḤALIZA 山' })).ok);
  });
});

describe('whose payment a Billplz callback is about', () => {
  const referenceOf = (address: string) => {
    const reading = read(callback, { address });
    assert.ok(reading.ok);
    return reading.notification.reference;
  };

  it('is told by the address that it came to, path or whole', () => {
    assert.equal(referenceOf('https://alur.example/webhooks/billplz?a=1&reference=inv-2'), 'inv-2');
  });

  it('is nobody’s but the bill’s own when the address says nothing, or nonsense', () => {
    for (const address of [
      '/webhooks/billplz',
      '/webhooks/billplz?reference=',
      '/webhooks/billplz?reference=a/b',
      `/webhooks/billplz?reference=${'x'.repeat(51)}`,
    ]) {
      assert.equal(referenceOf(address), 'zq0tm2wc', address);
    }
  });
});

describe('telling Billplz callbacks apart', () => {
  it('gives a repeated callback the same status', () => {
    assert.equal(statusOf({}), statusOf({}));
    assert.equal(statusOf({ due_at: '2018-9-28' }), statusOf({}));
  });

  it('gives every other step another status', () => {
    const steps: Fields[] = [
      {},
      { state: 'due', paid: 'false', paid_amount: '0', paid_at: '' },
      { state: 'due', paid: 'false', paid_amount: '0', transaction_id: 'A1', transaction_status: 'failed' },
      { state: 'due', paid: 'false', paid_amount: '0', transaction_id: 'A2', transaction_status: 'failed' },
      { state: 'due', paid: 'false', paid_amount: '0', transaction_id: 'A2', transaction_status: 'pending' },
      { transaction_id: 'A2', transaction_status: 'completed' },
      { paid_amount: '99' },
      { state: 'deleted', paid: 'false', paid_amount: '0' },
    ];
    const told = steps.map(statusOf);
    assert.equal(new Set(told).size, steps.length, told.join('\n'));
  });
});

describe('reading where Billplz sent a payer', () => {
  const address = (fields: Fields) => `/paid/1?lang=id&${new URLSearchParams(fields)}`;

  it("accepts the documentation's own example, with whatever else the address had", () => {
    assert.deepEqual(readBillplzRedirect(address(redirect), KEY), { ok: true, billId: 'zq0tm2wc', paid: true });
  });

  for (const name of ['billplz[id]', 'billplz[paid]', 'billplz[paid_at]']) {
    it(`refuses a changed ${name}`, () => {
      const reading = readBillplzRedirect(address({ ...redirect, [name]: 'false' }), KEY);
      assert.deepEqual(reading, { ok: false, problem: 'bad_signature' });
    });
  }

  it('refuses another key and a missing signature', () => {
    assert.equal(problemOf(readBillplzRedirect(address(redirect), 'another')), 'bad_signature');
    const unsigned = without(redirect, 'billplz[x_signature]');
    assert.equal(problemOf(readBillplzRedirect(address(unsigned), KEY)), 'bad_signature');
  });

  it('calls an address without a bill, or with two, malformed', () => {
    assert.equal(problemOf(readBillplzRedirect('/paid/1', KEY)), 'malformed');
    assert.equal(problemOf(readBillplzRedirect(`${address(redirect)}&billplz[id]=other`, KEY)), 'malformed');
  });
});
