import assert from 'node:assert/strict';
import {
  DEFAULT_SCOPES,
  keyMay,
  keyStateAt,
  overlapEnd,
  parseKey,
  prefixOf,
  successorEnd,
} from '../../domain/api-keys.ts';

const secret = 'A'.repeat(43);
const at = (day: number) => new Date(Date.UTC(2026, 2, day));

describe('the form of an API key', () => {
  it('names the key by the part that is shown, and its environment', () => {
    assert.deepEqual(parseKey(`alur_live_Ab3dE6gH_${secret}`), { prefix: 'alur_live_Ab3dE6gH', environment: 'live' });
    assert.deepEqual(parseKey(`alur_test_Ab3dE6gH_${secret}`), { prefix: 'alur_test_Ab3dE6gH', environment: 'test' });
    assert.equal(prefixOf('live', 'Ab3dE6gH'), 'alur_live_Ab3dE6gH');
  });

  it('is nothing else: neither shorter, longer, of another house, nor with a line break behind it', () => {
    for (const text of [
      '',
      `alur_live_Ab3dE6gH_${secret.slice(1)}`,
      `alur_live_Ab3dE6gH_${secret}A`,
      `alur_live_Ab3dE6gH_${secret}\n`,
      `alur_prod_Ab3dE6gH_${secret}`,
      `sk_live_Ab3dE6gH_${secret}`,
      `alur_live_Ab3dE6-H_${secret}`,
      ` alur_live_Ab3dE6gH_${secret}`,
    ]) {
      assert.equal(parseKey(text), undefined, JSON.stringify(text));
    }
  });
});

describe('what an API key may do', () => {
  it('reads by default, and nothing else', () => {
    assert.deepEqual(
      [...DEFAULT_SCOPES],
      [
        'company.read',
        'onboarding.read',
        'application.read',
        'license.read',
        'invoice.read',
        'refund.read',
        'subscription.read',
        'product.read',
        'order.read',
        'return.read',
      ],
    );
  });

  it('is what its scopes say; of its account it reads the profile and changes nothing', () => {
    assert.equal(keyMay(['invoice.read'], 'invoice.read', 'get'), true);
    assert.equal(keyMay(['invoice.read'], 'invoice.pay', 'post'), false);
    for (const open of ['profile.use', 'plan.read'] as const) assert.equal(keyMay([], open, 'get'), true, open);
    for (const method of ['post', 'put', 'delete']) assert.equal(keyMay([], 'profile.use', method), false, method);
  });
});

describe('the life of an API key', () => {
  it('ends when it expires, to the moment, and for good when it is revoked', () => {
    assert.equal(keyStateAt({ expiresAt: null, revokedAt: null }, at(1)), 'active');
    assert.equal(keyStateAt({ expiresAt: at(2), revokedAt: null }, at(1)), 'active');
    assert.equal(keyStateAt({ expiresAt: at(2), revokedAt: null }, at(2)), 'expired');
    assert.equal(keyStateAt({ expiresAt: at(2), revokedAt: at(1) }, at(3)), 'revoked');
  });

  it('goes on beside its successor for the overlap, but not past its own end', () => {
    const day = 86_400;
    assert.deepEqual(overlapEnd({ expiresAt: null }, at(1), day), at(2));
    assert.deepEqual(overlapEnd({ expiresAt: at(9) }, at(1), 0), at(1));
    assert.deepEqual(overlapEnd({ expiresAt: at(2) }, at(1), 5 * day), at(2));
  });

  it('is as long for the successor as it was meant for the first', () => {
    assert.deepEqual(successorEnd({ createdAt: at(1), expiresAt: at(11) }, at(8)), at(18));
    assert.equal(successorEnd({ createdAt: at(1), expiresAt: null }, at(8)), null);
  });
});
