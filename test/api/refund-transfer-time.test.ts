import assert from 'node:assert/strict';
import { transferred } from '../../api/schemas/refunds.ts';

describe('when finance says that it has transferred a refund', () => {
  const at = (ms: number) =>
    transferred.safeParse({ bankReference: 'TRF-1', transferredAt: new Date(Date.now() + ms).toISOString() });

  it('may have been any time until now, give or take how far two clocks differ', () => {
    for (const ms of [-30 * 86_400_000, 0, 60_000]) assert.ok(at(ms).success, `${ms}`);
  });
  it('is not to come', () => {
    const refused = at(3_600_000);
    assert.deepEqual(
      refused.error?.issues.map(({ path }) => path),
      [['transferredAt']],
    );
  });
});
