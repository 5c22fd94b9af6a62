import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type DocumentVersion, diffDocuments, diffForms, type FormChange } from '../../domain/submission-diff.ts';

describe('the difference between two forms', () => {
  it('leads from the one to the other, whatever they hold', () => {
    const forms = fc.tuple(json(), json());
    const property = fc.property(forms, ([before, after]) => {
      assert.deepEqual(applied(diffForms(before, after), before), after);
    });
    fc.assert(property, { numRuns: 500 });
  });
  it('is nothing between a form and itself, and turned around it names the same places', () => {
    const property = fc.property(json(), json(), (before, after) => {
      assert.deepEqual(diffForms(before, structuredClone(before)), []);
      const pointers = (changes: FormChange[]) => changes.map(({ pointer }) => pointer).toSorted();
      assert.deepEqual(pointers(diffForms(before, after)), pointers(diffForms(after, before)));
    });
    fc.assert(property, { numRuns: 300 });
  });
  it('names each place by its pointer, as deep as it lies', () => {
    const before = { name: 'Senja', contact: { email: 'a@x', phone: '1' }, products: ['teh', 'kopi'], 'a/b': 1 };
    const after = { name: 'Senja', contact: { email: 'b@x' }, products: ['teh', 'susu', 'roti'], 'a/b': 2, seats: 4 };
    assert.deepEqual(diffForms(before, after), [
      { pointer: '/form/contact/email', before: 'a@x', after: 'b@x' },
      { pointer: '/form/contact/phone', before: '1' },
      { pointer: '/form/products/1', before: 'kopi', after: 'susu' },
      { pointer: '/form/products/2', after: 'roti' },
      { pointer: '/form/a~1b', before: 1, after: 2 },
      { pointer: '/form/seats', after: 4 },
    ]);
  });
  it('tells an empty object from an empty list, and null from what is not there', () => {
    assert.deepEqual(diffForms({ a: {}, b: null }, { a: [] }), [
      { pointer: '/form/a', before: {}, after: [] },
      { pointer: '/form/b', before: null },
    ]);
  });
});

describe('the difference between the documents of two submissions', () => {
  const document = (kind: string, content: string, filename = `${kind}.pdf`): DocumentVersion => ({
    id: `${kind}-${content}-${filename}`,
    kind,
    filename,
    sha256: content,
  });
  const told = (before: DocumentVersion[], after: DocumentVersion[]) =>
    diffDocuments(before, after).map(({ kind, change }) => `${kind} ${change}`);

  it('tells what was added, removed, replaced, or stayed', () => {
    const before = [document('ktp', '1'), document('photo', '2'), document('plan', '3')];
    const after = [document('ktp', '1'), document('photo', '4'), document('permit', '5')];
    assert.deepEqual(told(before, after), ['ktp same', 'photo replaced', 'plan removed', 'permit added']);
  });
  it('takes the same content for the same document, under whichever name and however often uploaded', () => {
    assert.deepEqual(told([document('ktp', '1')], [document('ktp', '1', 'again.pdf')]), ['ktp same']);
    assert.deepEqual(told([document('ktp', '1')], [document('ktp', '2'), document('ktp', '1')]), [
      'ktp same',
      'ktp added',
    ]);
  });
  it('has every document of both exactly once', () => {
    const documents = () =>
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2', '3')), { maxLength: 6 });
    const property = fc.property(documents(), documents(), (one, other) => {
      const before = one.map(([kind, content], index) => document(kind, content, `b${index}`));
      const after = other.map(([kind, content], index) => document(kind, content, `a${index}`));
      const changes = diffDocuments(before, after);
      const ids = (list: readonly (DocumentVersion | undefined)[]) => list.flatMap((one) => one?.id ?? []).toSorted();
      assert.deepEqual(ids(changes.map((change) => ('before' in change ? change.before : undefined))), ids(before));
      assert.deepEqual(ids(changes.map((change) => ('after' in change ? change.after : undefined))), ids(after));
      for (const change of changes)
        if (change.change === 'replaced') assert.notEqual(change.before.sha256, change.after.sha256);
    });
    fc.assert(property);
  });
});

/** As a database gives it back: no undefined, no prototypes. */
const json = (): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .dictionary(fc.constantFrom('a', 'b', 'a/b', '~1', '', '__proto__', 'length'), fc.jsonValue({ maxDepth: 3 }))
    .map((form): Record<string, unknown> => JSON.parse(JSON.stringify(form)));

/** The changes made to a form, by a reader of RFC 6901 of its own. */
function applied(changes: readonly FormChange[], form: unknown): unknown {
  const root = toMaps({ form });
  // Items that went, from the last on: the places of those before them stay what they are.
  const gone = changes.filter((change) => !('after' in change)).toReversed();
  for (const change of [...changes.filter((one) => 'after' in one), ...gone]) {
    const path = change.pointer
      .slice(1)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = path.pop() ?? '';
    const parent = path.reduce((node, key) => (node instanceof Map ? node.get(key) : undefined), root);
    assert.ok(parent instanceof Map, change.pointer);
    if ('after' in change) parent.set(last, toMaps(change.after));
    else assert.ok(parent.delete(last), change.pointer);
  }
  return fromMaps(root instanceof Map ? root.get('form') : undefined);
}

const LIST = Symbol('a list');
type Tree = Map<string | symbol, unknown>;

function toMaps(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const tree: Tree = new Map(Object.entries(value).map(([key, inner]) => [key, toMaps(inner)]));
  return Array.isArray(value) ? tree.set(LIST, true) : tree;
}

function fromMaps(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const entries = [...value].flatMap(([key, inner]): [string, unknown][] =>
    typeof key === 'string' ? [[key, fromMaps(inner)]] : [],
  );
  return value.has(LIST) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}
