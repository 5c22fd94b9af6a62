/** The received messages: in memory, and, where a directory is given, one file each, so that a restart keeps them. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParsedMail, simpleParser } from 'mailparser';
import { z } from 'zod';

export type MailboxAttachment = { filename: string; contentType: string; bytes: number; content: Buffer };

export type MailboxMessage = {
  id: string;
  /** ISO 8601, when the mailbox took it. */
  receivedAt: string;
  /** Envelope addresses: who it was really sent by and to. */
  from: string;
  to: string[];
  /** The Message-ID header, angle brackets included. */
  messageId: string | null;
  subject: string;
  text: string;
  /** null when the message has no HTML part. */
  html: string | null;
  attachments: MailboxAttachment[];
};

const storedSchema = z.object({
  id: z.string(),
  receivedAt: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  raw: z.base64(),
});
type StoredMessage = z.infer<typeof storedSchema>;

export type MailboxStore = {
  /** In order of arrival: the newest is the last. */
  all(): readonly MailboxMessage[];
  add(envelope: { from: string; to: string[] }, raw: Buffer): Promise<MailboxMessage>;
  clear(): Promise<void>;
};

/** @param directory null keeps messages in memory only. */
export async function openMailboxStore(directory: string | null): Promise<MailboxStore> {
  const messages = directory === null ? [] : await load(directory);
  let arrivals = 0;
  return {
    all: () => messages,
    add: async (envelope, raw) => {
      const stored = {
        id: randomUUID(),
        receivedAt: new Date().toISOString(),
        ...envelope,
        raw: raw.toString('base64'),
      };
      arrivals += 1;
      if (directory !== null) await save(directory, fileName(stored, arrivals), stored);
      const message = await parse(stored);
      messages.push(message);
      return message;
    },
    clear: async () => {
      messages.length = 0;
      if (directory === null) return;
      const files = await messageFiles(directory);
      await Promise.all(files.map((file) => rm(join(directory, file), { force: true })));
    },
  };
}

/** Sorts by arrival, also among messages of the same millisecond. */
function fileName(stored: StoredMessage, arrival: number): string {
  return `${stored.receivedAt.replaceAll(':', '')}-${String(arrival).padStart(8, '0')}-${stored.id}.json`;
}

async function save(directory: string, name: string, stored: StoredMessage): Promise<void> {
  const unfinished = join(directory, `${name}.unfinished`);
  await writeFile(unfinished, JSON.stringify(stored), { mode: 0o600 });
  await rename(unfinished, join(directory, name));
}

async function load(directory: string): Promise<MailboxMessage[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const files = await messageFiles(directory);
  return Promise.all(
    files.map(async (file) => parse(storedSchema.parse(JSON.parse(await readFile(join(directory, file), 'utf8'))))),
  );
}

async function messageFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
}

async function parse(stored: StoredMessage): Promise<MailboxMessage> {
  const mail = await simpleParser(Buffer.from(stored.raw, 'base64'));
  return {
    id: stored.id,
    receivedAt: stored.receivedAt,
    from: stored.from,
    to: stored.to,
    messageId: mail.messageId ?? null,
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html === false ? null : mail.html,
    attachments: mail.attachments.map(toAttachment),
  };
}

function toAttachment(attachment: ParsedMail['attachments'][number]): MailboxAttachment {
  return {
    filename: attachment.filename ?? 'unnamed',
    contentType: attachment.contentType,
    bytes: attachment.content.length,
    content: attachment.content,
  };
}
