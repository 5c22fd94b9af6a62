import assert from 'node:assert/strict';
import fc from 'fast-check';
import { acceptance, closedChanges, type DecidedOn, isOpen, openFields } from '../../domain/corrections.ts';

describe('what a correction opens', () => {
  it('is what its reasons point at', () => {
    const reasons = [
      { code: 'data_mismatch', pointer: '/form/seats' },
      { code: 'document_unreadable', pointer: '/documents/ktp' },
      { code: 'other', pointer: '/form/seats', text: 'too many' },
    ];
    assert.deepEqual(openFields(reasons), ['/form/seats', '/documents/ktp']);
  });
  it('is everything when a reason points at nothing in particular, or there is none', () => {
    assert.equal(openFields([{ code: 'data_mismatch', pointer: '/form/seats' }, { code: 'other' }]), null);
    assert.equal(openFields([]), null);
  });
  it('is a place with all that is below it, not one whose name begins alike', () => {
    assert.ok(isOpen('/form/contact/email', ['/form/contact']));
    assert.ok(isOpen('/form/contact', ['/form/contact']));
    assert.ok(!isOpen('/form/contacts', ['/form/contact']));
    assert.ok(!isOpen('/form', ['/form/contact']));
    assert.ok(isOpen('/form/anything', null));
  });
});

describe('a corrected form', () => {
  const form = { name: 'Senja', contact: { email: 'a@x', phone: '1' }, products: ['teh'] };
  const closed = (after: unknown, ...open: string[]) => closedChanges(form, after, open);

  it('may change what is open, and nothing beside it', () => {
    assert.deepEqual(closed({ ...form, name: 'Fajar' }, '/form/name'), []);
    assert.deepEqual(closed({ ...form, name: 'Fajar' }, '/form/contact'), ['/form/name']);
    assert.deepEqual(closed({ ...form, contact: { email: 'b@x', phone: '2' } }, '/form/contact/email'), [
      '/form/contact/phone',
    ]);
  });
  it('may change anything where the whole form is open, or everything', () => {
    assert.deepEqual(closed({ other: 1 }, '/form'), []);
    assert.deepEqual(closedChanges(form, { other: 1 }, null), []);
  });
  it('may get the branch that an open field needs, with nothing else in it', () => {
    const without = { name: 'Senja' };
    assert.deepEqual(closedChanges(without, { ...without, contact: { email: 'a@x' } }, ['/form/contact/email']), []);
    assert.deepEqual(
      closedChanges(without, { ...without, contact: { email: 'a@x', phone: '1' } }, ['/form/contact/email']),
      ['/form/contact/phone'],
    );
  });
  it('may not swap a branch for something else because a field in it is open', () => {
    assert.deepEqual(closed({ ...form, contact: 'none' }, '/form/contact/email'), ['/form/contact']);
  });
  it('that lets only documents be changed stays as it is', () => {
    assert.deepEqual(closed({ ...form, products: ['teh', 'kopi'] }, '/documents/ktp'), ['/form/products/1']);
    assert.deepEqual(closed(form, '/documents/ktp'), []);
  });
  it('is refused for every change of a field when nothing of the form is open', () => {
    const property = fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
      const same = JSON.stringify(before) === JSON.stringify(after);
      const found = closedChanges({ field: before }, { field: after }, ['/documents/ktp']);
      if (same) assert.deepEqual(found, []);
      else assert.ok(found.length > 0 || isSame(before, after));
    });
    fc.assert(property);
  });
});

const isSame = (one: unknown, other: unknown): boolean => {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
};

describe('an accepted document', () => {
  const [ktp, photo] = [
    { kind: 'ktp', sha256: '1' },
    { kind: 'photo', sha256: '2' },
  ];
  const first = { round: 1, documents: [ktp, photo] };
  const made = (changes: Partial<DecidedOn>): DecidedOn => ({
    round: 1,
    stage: 'document_verification',
    decision: 'approve',
    reasons: [],
    override: false,
    ...changes,
  });
  const naming = (pointer?: string) => [{ code: 'document_unreadable', ...(pointer ? { pointer } : {}) }];

  it('was in a submission whose documents were verified, as it is', () => {
    const accepted = acceptance([first], [made({})]);
    assert.deepEqual([ktp, photo].map(accepted), [true, true]);
    assert.equal(accepted({ kind: 'ktp', sha256: '9' }), false);
    assert.equal(accepted({ kind: 'photo', sha256: '1' }), false);
  });
  it('is none that only a later stage has seen approved', () => {
    assert.equal(acceptance([first], [made({ stage: 'compliance_check' })])(ktp), false);
  });
  it('was not named by a correction', () => {
    const reasons = naming('/documents/ktp');
    const accepted = acceptance([first], [made({ decision: 'request_correction', reasons })]);
    assert.deepEqual([ktp, photo].map(accepted), [false, true]);
  });
  it('is none where a correction is about everything', () => {
    const accepted = acceptance([first], [made({ decision: 'request_correction', reasons: naming() })]);
    assert.deepEqual([ktp, photo].map(accepted), [false, false]);
  });
  it('is taken back by a later correction that names it', () => {
    const reasons = naming('/documents/ktp');
    const later = made({ stage: 'compliance_check', decision: 'request_correction', reasons });
    assert.deepEqual([ktp, photo].map(acceptance([first], [made({}), later])), [false, true]);
  });
  it('needs all the approvals of a quorum, or one by override', () => {
    assert.equal(acceptance([first], [made({})], 2)(ktp), false);
    assert.equal(acceptance([first], [made({}), made({})], 2)(ktp), true);
    assert.equal(acceptance([first], [made({ override: true })], 2)(ktp), true);
  });
  it('stays so in later rounds, and votes of different rounds do not add up', () => {
    const second = { round: 2, documents: [ktp] };
    assert.equal(acceptance([first, second], [made({}), made({ round: 2 })], 2)(ktp), false);
    assert.equal(acceptance([first, second], [made({})])(ktp), true);
  });
});
