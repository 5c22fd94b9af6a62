import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSmsSender, SmsError, type SmsErrorKind } from '../../activities/sms/sender.ts';
import { type Mailbox, startMailbox } from '../../local/mailbox.ts';
import { freePorts } from '../../local/ports.ts';
import { LOCAL_SMS_TOKEN } from '../../local/sms.ts';

const hasKind = (kind: SmsErrorKind) => (error: unknown) => error instanceof SmsError && error.kind === kind;

describe('text messages on this machine', () => {
  let box: Mailbox;
  before(async () => {
    box = await startMailbox({ httpPort: 0, smtpPort: 0, directory: null });
  });
  after(() => box.close());

  const sender = (more = {}) => createSmsSender({ url: `${box.smsUrl}/messages`, token: LOCAL_SMS_TOKEN, ...more });
  const message = (id: string, text = `text ${id}`) => ({ id, to: '+6281234567890', text });

  it('arrive in the list, and on the page with what is markup in them harmless', async () => {
    await sender().send(message('one', '<b>123456</b>'));
    const list: unknown = await (await fetch(`${box.smsUrl}/api/messages`)).json();
    assert.ok(Array.isArray(list));
    const [{ receivedAt, ...first }] = list;
    assert.ok(Date.parse(receivedAt) <= Date.now());
    assert.deepEqual(first, { id: 'one', to: '+6281234567890', text: '<b>123456</b>' });
    const page = await (await fetch(box.smsUrl)).text();
    assert.ok(page.includes('&lt;b&gt;123456') && !page.includes('<b>123456'));
  });

  it('arrive once when they are sent twice under one name', async () => {
    await Promise.all([sender().send(message('twice')), sender().send(message('twice'))]);
    assert.equal(box.sms.messages().filter(({ id }) => id === 'twice').length, 1);
  });

  it('are refused to whoever does not know the token, which an operator can mend', async () => {
    await assert.rejects(sender({ token: 'another one' }).send(message('stranger')), hasKind('retry_later'));
  });

  const answers: [status: number, kind: SmsErrorKind][] = [
    [400, 'refused'],
    [422, 'refused'],
    [402, 'retry_later'],
    [429, 'retry_later'],
    [408, 'unknown'],
    [500, 'unknown'],
    [503, 'unknown'],
  ];
  for (const [status, kind] of answers) {
    it(`mean ${kind} when the provider answers ${status}`, async () => {
      box.sms.failNext(1, status);
      await assert.rejects(sender().send(message(`status ${status}`)), hasKind(kind));
    });
  }

  describe('from a provider that misbehaves', () => {
    let server: Server;
    let url: string;
    let answer: Parameters<typeof createServer>[1];
    before(async () => {
      server = createServer((request, response) => answer?.(request, response));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${portOf(server.address())}/`;
    });
    after(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });

    it('are unknown when it does not answer in time', async () => {
      answer = () => undefined;
      await assert.rejects(sender({ url, timeoutMs: 50 }).send(message('silent')), hasKind('unknown'));
    });

    it('are unknown when it hangs up, for it may have taken them', async () => {
      answer = (request) => void request.resume().on('end', () => request.socket.destroy());
      await assert.rejects(sender({ url }).send(message('cut')), hasKind('unknown'));
    });

    it('are for later when there is nobody', async () => {
      const [port] = await freePorts(1);
      await assert.rejects(
        sender({ url: `http://127.0.0.1:${port}/` }).send(message('nobody')),
        hasKind('retry_later'),
      );
    });

    it('follow no redirect, and tell neither number nor text', async () => {
      answer = (_request, response) => void response.writeHead(307, { location: `${box.smsUrl}/messages` }).end();
      await assert.rejects(sender({ url }).send(message('moved', 'a secret')), (error) => {
        assert.ok(error instanceof SmsError);
        assert.ok(!error.stack?.includes('6281234567890') && !error.stack?.includes('a secret'));
        assert.equal(error.cause, undefined);
        return true;
      });
      assert.ok(box.sms.messages().every(({ id }) => id !== 'moved'));
    });
  });
});

function portOf(address: AddressInfo | string | null): number {
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
