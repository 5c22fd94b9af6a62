/**
 * The mailbox of one machine: a real SMTP server that keeps what it is sent, with a page and JSON.
 * `GET /api/messages` lists in order of arrival (the newest is the last).
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { listPage, messagePage } from './mailbox-page.ts';
import { type MailboxMessage, type MailboxStore, openMailboxStore } from './mailbox-store.ts';
import { createSmsSandbox, type SmsSandbox } from './sms.ts';

export type { MailboxAttachment, MailboxMessage } from './mailbox-store.ts';

export type Mailbox = {
  httpUrl: string;
  smtpUrl: string;
  /** The SMS provider of this machine is on the same port: text messages are for `<smsUrl>/messages`. */
  smsUrl: string;
  sms: SmsSandbox;
  /** In order of arrival. */
  messages(): readonly MailboxMessage[];
  /** The first message that fits, be it there already or still to come. Rejects when none comes in time. */
  waitForMessage(fits: (message: MailboxMessage) => boolean, timeoutMs: number): Promise<MailboxMessage>;
  /** Answers the next so many messages with 451 (a passing failure) and does not keep them. */
  failNext(count: number): void;
  /** false closes the SMTP port: connections are refused. true opens it again, on the same port. */
  setAvailable(available: boolean): Promise<void>;
  clear(): Promise<void>;
  close(): Promise<void>;
};

export type MailboxOptions = {
  /** 0 takes a free one. */
  httpPort: number;
  smtpPort: number;
  /** Where messages survive a restart; null keeps them in memory. */
  directory: string | null;
};

const MOST_BYTES = 40 * 1024 * 1024;

/** Listens on the loopback address only: what lies here was meant for other people. */
export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
  const store = await openMailboxStore(options.directory);
  const state = { failures: 0, smtp: await listenSmtp(options.smtpPort) };
  const smtpPort = portOf(state.smtp.server);
  const sms = createSmsSandbox();
  const http = await listenHttp(store, sms, options.httpPort);
  const httpUrl = `http://127.0.0.1:${portOf(http)}`;

  function listenSmtp(port: number): Promise<SMTPServer> {
    return openSmtp(port, async (envelope, raw) => {
      if (state.failures > 0) {
        state.failures -= 1;
        throw Object.assign(new Error('Try again later'), { responseCode: 451 });
      }
      await store.add(envelope, raw);
    });
  }

  return {
    httpUrl,
    smsUrl: `${httpUrl}/sms`,
    sms,
    smtpUrl: `smtp://127.0.0.1:${smtpPort}`,
    messages: () => store.all(),
    waitForMessage: (fits, timeoutMs) => waitForMessage(store, fits, timeoutMs),
    failNext: (count) => {
      state.failures = count;
    },
    setAvailable: async (available) => {
      if (available === state.smtp.server.listening) return;
      if (available) state.smtp = await listenSmtp(smtpPort);
      else await closeSmtp(state.smtp);
    },
    clear: () => store.clear(),
    close: async () => {
      if (state.smtp.server.listening) await closeSmtp(state.smtp);
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function openSmtp(
  port: number,
  deliver: (envelope: { from: string; to: string[] }, raw: Buffer) => Promise<void>,
): Promise<SMTPServer> {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: MOST_BYTES,
    // A pooled connection that idles would otherwise hold up closing for half a minute.
    closeTimeout: 100,
    onData: (stream, session, done) => {
      receive(stream, session, deliver).then(() => done(), done);
    },
  });
  // A client that hangs up in mid-sentence is its own affair.
  server.on('error', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  return server;
}

async function receive(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  deliver: (envelope: { from: string; to: string[] }, raw: Buffer) => Promise<void>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  if (stream.sizeExceeded) throw Object.assign(new Error('Message too big'), { responseCode: 552 });
  const { mailFrom, rcptTo } = session.envelope;
  await deliver(
    { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) },
    Buffer.concat(chunks),
  );
}

function closeSmtp(server: SMTPServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function waitForMessage(
  store: MailboxStore,
  fits: (message: MailboxMessage) => boolean,
  timeoutMs: number,
): Promise<MailboxMessage> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = store.all().find(fits);
    if (found !== undefined) return found;
    if (Date.now() > deadline) {
      const there = store.all().map(({ to, subject }) => `${to.join(', ')}: ${subject}`);
      throw new Error(`No such mail within ${timeoutMs} ms; there is: ${there.join(' | ') || 'none'}`);
    }
    await delay(20);
  }
}

async function listenHttp(store: MailboxStore, sms: SmsSandbox, port: number): Promise<Server> {
  const server = createServer(mailboxApp(store, sms));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A mail's own HTML may show itself and open links in a new window; it may load nothing and run nothing. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'";
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'";

function mailboxApp(store: MailboxStore, sms: SmsSandbox): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': PAGE_POLICY });
    next();
  });
  const find = (id: string) => store.all().find((message) => message.id === id);
  app.use('/sms', sms.router);
  app.get('/', (_request, response) => void response.send(listPage(store.all())));
  app.get('/messages/:id', (request, response, next) => {
    const message = find(request.params.id);
    if (message === undefined) next();
    else response.send(messagePage(message));
  });
  app.get('/messages/:id/html', (request, response, next) => {
    const html = find(request.params.id)?.html ?? null;
    if (html === null) next();
    else response.set('Content-Security-Policy', MAIL_POLICY).type('html').send(`<base target="_blank">${html}`);
  });
  app.get('/api/messages', (_request, response) => void response.json(store.all().map(toJson)));
  app.delete('/api/messages', async (_request, response) => {
    await store.clear();
    response.status(204).end();
  });
  app.get('/api/messages/:id/attachments/:index', (request, response, next) => {
    const attachment = find(request.params.id)?.attachments[Number(request.params.index)];
    if (attachment === undefined) next();
    else response.attachment(attachment.filename).type(attachment.contentType).send(attachment.content);
  });
  app.use((_request, response) => void response.status(404).type('text').send('There is no such message.\n'));
  return app;
}

function toJson(message: MailboxMessage) {
  return {
    ...message,
    attachments: message.attachments.map(({ filename, contentType, bytes }) => ({ filename, contentType, bytes })),
  };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.');
  return address.port;
}
