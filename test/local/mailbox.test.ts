import assert from 'node:assert/strict';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { type Mailbox, startMailbox } from '../../local/mailbox.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

describe('the mailbox', () => {
  let directory = '';
  let mailbox: Mailbox;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    mailbox = await startMailbox({ httpPort: 0, smtpPort: 0, directory });
  });
  afterEach(async () => {
    await mailbox.close();
    await removeDirectory(directory);
  });

  const send = (mail: SendMailOptions) =>
    createTransport(mailbox.smtpUrl).sendMail({
      from: 'Alur <no-reply@alur.local>',
      to: 'ibu@warung.example',
      ...mail,
    });
  const get = (path: string) => fetch(`${mailbox.httpUrl}${path}`);
  const json = async (path: string): Promise<unknown> => (await get(path)).json();

  it('takes a mail over SMTP and lists it as JSON, the newest last', async () => {
    await send({ subject: 'Pertama' });
    await send({
      to: ['ibu@warung.example', 'bapak@warung.example'],
      bcc: 'arsip@alur.local',
      subject: 'Izin Anda — terbit',
      text: 'Selamat!',
      html: '<p>Selamat!</p>',
      messageId: '<license-issued/1@alur.local>',
      attachments: [{ filename: 'izin.pdf', contentType: 'application/pdf', content: Buffer.from('%PDF-1.7') }],
    });
    const messages = await json('/api/messages');
    assert.ok(Array.isArray(messages));
    assert.equal(messages.length, 2);
    const { id, receivedAt, ...rest } = messages[1];
    assert.deepEqual(rest, {
      from: 'no-reply@alur.local',
      to: ['ibu@warung.example', 'bapak@warung.example', 'arsip@alur.local'],
      messageId: '<license-issued/1@alur.local>',
      subject: 'Izin Anda — terbit',
      text: 'Selamat!',
      html: '<p>Selamat!</p>',
      attachments: [{ filename: 'izin.pdf', contentType: 'application/pdf', bytes: 8 }],
    });
    const attachment = await get(`/api/messages/${id}/attachments/0`);
    assert.equal(attachment.headers.get('content-type'), 'application/pdf');
    assert.match(attachment.headers.get('content-disposition') ?? '', /^attachment; filename="?izin\.pdf/);
    assert.equal(await attachment.text(), '%PDF-1.7');
    assert.ok(Date.parse(receivedAt) > 0);
  });

  it('keeps its mail over a restart, in order, until it is emptied', async () => {
    for (const subject of ['satu', 'dua', 'tiga']) await send({ subject });
    await mailbox.close();
    mailbox = await startMailbox({ httpPort: 0, smtpPort: 0, directory });
    assert.deepEqual(
      mailbox.messages().map(({ subject }) => subject),
      ['satu', 'dua', 'tiga'],
    );
    assert.equal((await fetch(`${mailbox.httpUrl}/api/messages`, { method: 'DELETE' })).status, 204);
    assert.deepEqual(await json('/api/messages'), []);
    await mailbox.close();
    mailbox = await startMailbox({ httpPort: 0, smtpPort: 0, directory });
    assert.deepEqual(mailbox.messages(), []);
  });

  it('shows mail as a page on which nothing of a stranger runs', async () => {
    assert.match(await (await get('/')).text(), /No mail yet/);
    await send({ subject: '<script>alert(1)</script>', html: '<script>alert(2)</script><b>Halo</b>' });
    const [message] = mailbox.messages();
    const list = await (await get('/')).text();
    assert.ok(list.includes('&lt;script&gt;alert(1)') && !list.includes('<script>'), list);
    const page = await (await get(`/messages/${message?.id}`)).text();
    assert.ok(page.includes('sandbox=') && !page.includes('<script>'), page);
    const body = await get(`/messages/${message?.id}/html`);
    assert.match(body.headers.get('content-security-policy') ?? '', /^sandbox .*default-src 'none'/);
    assert.doesNotMatch(body.headers.get('content-security-policy') ?? '', /allow-scripts/);
  });

  it('answers 404 for what is not there', async () => {
    for (const path of ['/messages/none', '/messages/none/html', '/api/messages/none/attachments/0', '/etc']) {
      assert.equal((await get(path)).status, 404, path);
    }
  });

  it('refuses for a while when it is told to, and keeps nothing of what it refused', async () => {
    mailbox.failNext(1);
    await assert.rejects(send({ subject: 'ditolak' }), { responseCode: 451 });
    await send({ subject: 'diterima' });
    assert.deepEqual(
      mailbox.messages().map(({ subject }) => subject),
      ['diterima'],
    );
  });

  it('can be away, and back on the same port', async () => {
    await mailbox.setAvailable(false);
    await assert.rejects(send({}), { code: 'ESOCKET' });
    await mailbox.setAvailable(true);
    await send({ subject: 'lagi' });
    assert.equal(
      (await mailbox.waitForMessage(({ subject }) => subject === 'lagi', 1_000)).to[0],
      'ibu@warung.example',
    );
  });

  it('says what there is when the awaited mail does not come', async () => {
    await send({ subject: 'lain' });
    await assert.rejects(
      mailbox.waitForMessage(({ subject }) => subject === 'ditunggu', 50),
      /No such mail within 50 ms; there is: ibu@warung\.example: lain/,
    );
  });
});
