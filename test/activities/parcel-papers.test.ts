import assert from 'node:assert/strict';
import { placeOf } from '../../activities/parcel-papers.ts';

describe('the address on a parcel', () => {
  it('leaves out what nobody gave: a carrier refuses empty words', () => {
    const only = { name: 'Sari Wulandari', phone: '-', street: 'Jalan Kenanga 7', city: '', postalCode: '' };
    assert.deepEqual(placeOf(only), {
      name: 'Sari Wulandari',
      phone: null,
      address: 'Jalan Kenanga 7',
      city: null,
      postalCode: null,
    });
  });

  it('says all that is known', () => {
    const whole = { phone: '+62 811 222', city: 'Bandung', province: 'Jawa Barat', postalCode: '40111' };
    assert.deepEqual(placeOf({ name: 'Sari Wulandari', street: 'Jalan Kenanga 7', ...whole }), {
      name: 'Sari Wulandari',
      phone: '+62 811 222',
      address: 'Jalan Kenanga 7\nBandung, Jawa Barat, 40111',
      city: 'Bandung',
      postalCode: '40111',
    });
  });
});
