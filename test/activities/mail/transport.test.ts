import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import {
  createMailTransport,
  MailError,
  type MailTransport,
  type OutgoingMail,
} from '../../../activities/mail/transport.ts';

const mail: OutgoingMail = {
  messageId: '<invoice.42@alur.example.id>',
  to: 'sari@example.id',
  subject: 'Tagihan – Rp1.250.000',
  text: 'Mohon dibayar.',
  html: '<p>Mohon dibayar.</p>',
  attachments: [{ filename: 'tagihan.pdf', contentType: 'application/pdf', content: Buffer.from('%PDF-1.7 …') }],
};

const refusal = (responseCode: number) => Object.assign(new Error(`no sari@example.id here`), { responseCode });

describe('sending mail over SMTP', () => {
  const received: ParsedMail[] = [];
  let refuse: { at: 'MAIL' | 'RCPT' | 'DATA'; code: number } | null = null;
  let hangUpAfterData = false;
  let dataCommands = 0;
  let server: SMTPServer;
  let transport: MailTransport;

  before(async () => {
    server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      onMailFrom: (_address, _session, done) => done(refuse?.at === 'MAIL' ? refusal(refuse.code) : null),
      onRcptTo: (_address, _session, done) => done(refuse?.at === 'RCPT' ? refusal(refuse.code) : null),
      onData: (stream, session, done) => {
        dataCommands += 1;
        void simpleParser(stream).then((parsed) => {
          if (hangUpAfterData) {
            for (const connection of server.connections) if (connection.id === session.id) connection._socket.destroy();
            return;
          }
          if (refuse?.at === 'DATA') return done(refusal(refuse.code));
          received.push(parsed);
          done();
        }, done);
      },
    });
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    transport = createMailTransport({
      smtpUrl: `smtp://127.0.0.1:${portOf(server.server)}`,
      from: 'Alur <no-reply@alur.example.id>',
    });
  });

  beforeEach(() => {
    received.length = 0;
    dataCommands = 0;
    refuse = null;
    hangUpAfterData = false;
  });

  after(async () => {
    transport.close();
    await new Promise<void>((resolve) => server.close(resolve));
  });

  it('delivers with the given Message-ID, both bodies and the attachment', async () => {
    const { response } = await transport.send(mail);
    assert.match(response, /^250 /);
    const [parsed] = received;
    assert.ok(parsed);
    assert.equal(parsed.messageId, mail.messageId);
    assert.equal(parsed.from?.text, '"Alur" <no-reply@alur.example.id>');
    assert.equal(parsed.subject, mail.subject);
    assert.equal(parsed.text?.trim(), mail.text);
    assert.equal(parsed.headers.get('auto-submitted'), 'auto-generated');
    const [attachment] = parsed.attachments;
    assert.equal(attachment?.filename, 'tagihan.pdf');
    assert.equal(attachment?.contentType, 'application/pdf');
    assert.deepEqual(attachment?.content, mail.attachments[0]?.content);
  });

  it('writes to one recipient, whatever stands in the address', async () => {
    await assert.rejects(transport.send({ ...mail, to: 'a@example.id, b@example.id' }), MailError);
    assert.equal(received.length, 0);
  });

  const replies = [
    { at: 'RCPT', code: 451, kind: 'temporary' },
    { at: 'RCPT', code: 550, kind: 'permanent' },
    { at: 'DATA', code: 452, kind: 'temporary' },
    { at: 'DATA', code: 554, kind: 'permanent' },
    // Our own sender is refused: the office's settings are wrong, not the recipient.
    { at: 'MAIL', code: 550, kind: 'temporary' },
  ] as const;
  for (const { at, code, kind } of replies) {
    it(`calls ${code} at ${at} ${kind}, and does not repeat the address`, async () => {
      refuse = { at, code };
      await assert.rejects(transport.send(mail), (error) => {
        assert.ok(error instanceof MailError);
        assert.equal(error.kind, kind);
        assert.equal(error.responseCode, code);
        assert.match(error.message, new RegExp(String(code)));
        assert.doesNotMatch(error.message, /sari@/);
        return true;
      });
      assert.equal(received.length, 0);
    });
  }

  it('does not send again by itself when the connection breaks after the message', async () => {
    hangUpAfterData = true;
    await assert.rejects(transport.send(mail), { name: 'MailError', kind: 'temporary', responseCode: null });
    hangUpAfterData = false;
    await transport.send({ ...mail, messageId: '<next@alur.example.id>' });
    assert.equal(dataCommands, 2);
    assert.deepEqual(
      received.map(({ messageId }) => messageId),
      ['<next@alur.example.id>'],
    );
  });

  it('calls a refused connection temporary', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const port = portOf(nobody);
    nobody.close();
    await once(nobody, 'close');
    const lonely = createMailTransport({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'no-reply@alur.example.id' });
    await assert.rejects(lonely.send(mail), { name: 'MailError', kind: 'temporary', responseCode: null });
    lonely.close();
  });
});

function portOf(server: { address(): unknown }): number {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null && 'port' in address && typeof address.port === 'number');
  return address.port;
}
