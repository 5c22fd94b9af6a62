import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AuditedEvent,
  canonicalEvent,
  canonicalHeader,
  canonicalLine,
  NO_HASH,
  sealedUpTo,
} from '../../domain/audit.ts';
import { EVENT_TYPES } from '../../domain/events.ts';

describe('the form in which events are hashed', () => {
  const event: AuditedEvent = {
    id: '42',
    key: 'login/1',
    type: 'login.failed',
    applicationId: null,
    companyId: null,
    actorId: '6f6d6b1e-0000-4000-8000-000000000001',
    actor: 'person',
    subject: 'session/"1"',
    address: '203.0.113.7',
    requestId: null,
    data: '{"reason": "kata sandi é"}',
    public: 'false',
    occurredAt: '2026-03-02T02:00:00.000000Z',
    recordedAt: '2026-03-02T02:00:00.123456Z',
  };

  it('is the one that every chain so far was sealed in: it may not change under the same name', () => {
    assert.equal(
      canonicalEvent(event),
      '["alur-event/1","42","login/1","login.failed",null,null,"6f6d6b1e-0000-4000-8000-000000000001","person","session/\\"1\\"",' +
        '"203.0.113.7",null,"{\\"reason\\": \\"kata sandi é\\"}","false","2026-03-02T02:00:00.000000Z","2026-03-02T02:00:00.123456Z"]',
    );
    const header = { batch: '7', previousHash: NO_HASH, events: 1, sealedAt: '2026-03-02T02:01:00.000000Z' };
    assert.equal(
      canonicalHeader(header) + canonicalLine({ id: '42', hash: hash('sha256', canonicalEvent(event)) }),
      `["alur-seal/1","7","${NO_HASH}","1","2026-03-02T02:01:00.000000Z"]\n42 d0e9e273996ae51d6e50d421f47bfc1d53bb8339c2b2bdfc99e5aa8a42a716d9`,
    );
  });

  it('tells a missing value from an empty one, and values from their neighbours', () => {
    const forms = [{ subject: null }, { subject: '' }, { subject: 'null' }, { subject: '","' }, { address: null }];
    const texts = forms.map((change) => canonicalEvent({ ...event, ...change }));
    assert.equal(new Set(texts).size, forms.length);
  });
});

describe('where the next batch begins', () => {
  const at = (time: string) => `2026-03-02T${time}Z`;

  it('is a quarter of an hour before the last was sealed: an open transaction may still commit', () => {
    const bound = sealedUpTo({ sealedAt: at('10:00:00.000500'), newestRecordedAt: at('09:59:59.999999') });
    assert.equal(bound, at('09:45:00.000000'));
  });

  it('is its newest event when that is older: behind a backlog not everything was sealed', () => {
    const bound = sealedUpTo({ sealedAt: at('10:00:00.000000'), newestRecordedAt: at('03:00:00.000001') });
    assert.equal(bound, at('03:00:00.000001'));
  });
});

describe('the description of the audit', () => {
  it('names every type of event, once', async () => {
    const text = await readFile(join(import.meta.dirname, '../../docs/access/audit.md'), 'utf8');
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    const named = rows.flatMap((row) => [...row.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, type]) => type));
    assert.deepEqual(named.toSorted(), [...EVENT_TYPES].toSorted());
  });
});
