import assert from 'node:assert/strict';
import { type KnownReason, reasonText } from '../../domain/reasons.ts';

const CATALOGUE = new Map<string, KnownReason>([
  ['data_mismatch', { names: { id: 'Data tidak sesuai', en: 'Data differ' }, usedFor: [] }],
  ['other', { names: { id: 'Lainnya', en: 'Other' }, usedFor: ['reject'] }],
]);

describe('a reason in words', () => {
  it('is the catalogue’s, in the reader’s language, then the reviewer’s own', () => {
    assert.equal(reasonText({ code: 'data_mismatch' }, CATALOGUE, 'id'), 'Data tidak sesuai');
    assert.equal(
      reasonText({ code: 'data_mismatch', text: 'the address' }, CATALOGUE, 'en'),
      'Data differ: the address',
    );
  });

  it('is the reviewer’s alone where the catalogue only says that it is another', () => {
    assert.equal(reasonText({ code: 'other', text: 'the sign is missing' }, CATALOGUE, 'id'), 'the sign is missing');
    assert.equal(reasonText({ code: 'other' }, CATALOGUE, 'id'), 'Lainnya');
  });

  it('is its code where the catalogue does not have it', () => {
    assert.equal(reasonText({ code: 'no_such' }, CATALOGUE, 'en'), 'no_such');
  });
});
