import assert from 'node:assert/strict';
import { deviceNameOf } from '../../api/devices.ts';
import { lineOf, networkOf } from '../../api/networks.ts';

describe('the place that a log-in comes from', () => {
  it('is a network of /24, or /48 for IPv6, however the address is written', () => {
    assert.equal(networkOf('203.0.113.77'), '203.0.113.0/24');
    assert.equal(networkOf('::ffff:203.0.113.77'), '203.0.113.0/24');
    assert.equal(networkOf('2001:db8:7:1::9'), '2001:db8:7::/48');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80::/48');
    for (const address of [null, 'unknown', '']) assert.equal(networkOf(address), 'unknown', `${address}`);
  });

  it('is a line of one address, or a /64 for IPv6', () => {
    assert.equal(lineOf('203.0.113.77'), '203.0.113.77/32');
    assert.equal(lineOf('2001:db8:7:1::9'), lineOf('2001:db8:7:1:ffff::1'));
    assert.notEqual(lineOf('2001:db8:7:1::9'), lineOf('2001:db8:7:2::9'));
  });

  it('is called as a person would call it, and a made-up browser by no name', () => {
    const named = {
      'Chrome on Android':
        'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
      'Firefox on Windows': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0',
      'Safari on iOS':
        'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
    };
    for (const [name, userAgent] of Object.entries(named)) assert.equal(deviceNameOf(userAgent), name);
    for (const userAgent of [undefined, '', `Chrome/1 ${'x'.repeat(600)}`]) {
      assert.equal(deviceNameOf(userAgent), 'unknown');
    }
  });
});
