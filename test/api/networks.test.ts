import assert from 'node:assert/strict';
import { inNetworks, readNetwork } from '../../api/networks.ts';

describe('a block of addresses', () => {
  it('is kept as it was written, an IPv4 block in IPv6 dress as IPv4', () => {
    assert.deepEqual(readNetwork('203.0.113.0/24'), { network: '203.0.113.0/24' });
    assert.deepEqual(readNetwork('203.0.113.7/32'), { network: '203.0.113.7/32' });
    assert.deepEqual(readNetwork('2001:DB8:0::/32'), { network: '2001:db8::/32' });
    assert.deepEqual(readNetwork('::ffff:10.0.0.0/104'), { network: '10.0.0.0/8' });
    assert.deepEqual(readNetwork('0.0.0.0/0'), { network: '0.0.0.0/0' });
  });

  it('is refused in spellings that mean different things to different programs', () => {
    for (const text of [
      '',
      'office',
      '10.0.0.1',
      '10.0.0.0/33',
      '10.0/8',
      '010.0.0.0/8',
      '0x0a.0.0.0/8',
      'fe80::%eth0/64',
      '::ffff:0.0.0.0/80',
      '10.0.0.0/8\n',
      '10.0.0.0/-1',
    ]) {
      assert.deepEqual(readNetwork(text), { problem: 'not_a_network' }, JSON.stringify(text));
    }
  });

  it('starts at its own address: anything else is a slip', () => {
    assert.deepEqual(readNetwork('10.0.0.1/8'), { problem: 'not_its_first_address' });
    assert.deepEqual(readNetwork('2001:db8::1/32'), { problem: 'not_its_first_address' });
  });
});

describe('an address', () => {
  const networks = ['10.1.0.0/16', '2001:db8::/32'];

  it('is in a block of its own family, an IPv4 address in IPv6 dress in an IPv4 block', () => {
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::5']) {
      assert.equal(inNetworks(address, networks), true, address);
    }
    for (const address of ['10.2.0.0', '::ffff:10.2.0.0', '2001:db9::5', '::1', 'unknown', '']) {
      assert.equal(inNetworks(address, networks), false, address);
    }
  });

  it('may be any where no block is named', () => {
    assert.equal(inNetworks('unknown', []), true);
    assert.equal(inNetworks('::1', ['0.0.0.0/0']), false, 'all of IPv4 is not all of IPv6');
  });
});
