import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartFailure } from '../../local/failure.ts';
import { choosePorts, freePorts, requireFree } from '../../local/ports.ts';

const failure = (pattern: RegExp) => (error: unknown) => error instanceof StartFailure && pattern.test(error.message);

describe('ports', () => {
  it('are the documented ones unless a variable says otherwise', async () => {
    assert.deepEqual(await choosePorts({ ALUR_MAILBOX_PORT: '18025' }), {
      api: 3000,
      temporal: 7233,
      temporalUi: 8233,
      mailbox: 18025,
      smtp: 1025,
      gateways: 4010,
      postgres: 54329,
      metrics: 9464,
    });
  });

  it('are free and different ones with ALUR_PORTS=auto, save those that are set', async () => {
    const ports = await choosePorts({ ALUR_PORTS: 'auto', ALUR_API_PORT: '3999' });
    assert.equal(ports.api, 3999);
    assert.equal(new Set(Object.values(ports)).size, 8);
    await requireFree(ports, ['temporal', 'temporalUi', 'mailbox', 'smtp', 'gateways', 'postgres', 'metrics']);
  });

  it('are refused in a sentence when the value is no port', async () => {
    for (const value of ['0', '65536', 'http', '80.5']) {
      await assert.rejects(
        choosePorts({ ALUR_SMTP_PORT: value }),
        failure(/^ALUR_SMTP_PORT is ".*"; .* 1 to 65535\.$/),
      );
    }
    await assert.rejects(choosePorts({ ALUR_PORTS: 'yes' }), failure(/^ALUR_PORTS is "yes"/));
  });

  it('are refused when two services were given the same one', async () => {
    const twice = choosePorts({ ALUR_API_PORT: '7233' });
    await assert.rejects(twice, failure(/^Port 7233 .*ALUR_API_PORT and ALUR_TEMPORAL_PORT/));
  });

  for (const host of ['127.0.0.1', '0.0.0.0', '::1']) {
    it(`that somebody listens on at ${host} are taken: one sentence names port and variable`, async () => {
      const [port = 0] = await freePorts(1);
      const server = createServer().listen(port, host);
      const listening = await Promise.race([
        once(server, 'listening').then(() => true),
        once(server, 'error').then(() => false),
      ]);
      // A machine without IPv6 has no ::1 that could be taken.
      if (!listening) return;
      const ports = await choosePorts({ ALUR_GATEWAYS_PORT: String(port) });
      const sentence = new RegExp(`^Port ${port} for the gateway sandboxes is taken: set ALUR_GATEWAYS_PORT `);
      await assert.rejects(requireFree(ports, ['gateways']), failure(sentence));
      server.close();
      await once(server, 'close');
      await requireFree(ports, ['gateways']);
    });
  }
});
