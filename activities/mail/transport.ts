import { createTransport } from 'nodemailer';

export interface OutgoingMail {
  /** `<…@…>`, made by the caller from business IDs and the same on every try, so that a receiver can tell a double. */
  readonly messageId: string;
  /** One bare address, without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly {
    readonly filename: string;
    readonly contentType: string;
    readonly content: Buffer;
  }[];
}

export interface MailTransport {
  /**
   * Hands one mail to the SMTP server.
   * @returns the server's words on accepting it, for the delivery log
   * @throws MailError
   */
  send(mail: OutgoingMail): Promise<{ response: string }>;
  /** Ends the pooled connections; a delivery that is under way is finished first. */
  close(): void;
}

/**
 * `permanent`: the server refused this recipient or this message for good (5xx), so trying again is useless.
 * `temporary`: everything that may pass by itself or after an operator's work: 4xx, no connection, a refused login or
 * sender. If the connection broke after the last byte, the server may have accepted the mail all the same.
 */
export class MailError extends Error {
  override readonly name = 'MailError';
  readonly kind: 'temporary' | 'permanent';
  /** SMTP reply code, null when there was no reply. */
  readonly responseCode: number | null;
  constructor(kind: 'temporary' | 'permanent', message: string, responseCode: number | null) {
    super(message);
    this.kind = kind;
    this.responseCode = responseCode;
  }
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;

/** @param options.smtpUrl smtp:// or smtps://, with user and password if the server asks for them */
export function createMailTransport(options: { smtpUrl: string; from: string }): MailTransport {
  const pool = createTransport({
    url: options.smtpUrl,
    pool: true,
    maxConnections: 5,
    // The pool would offer a mail again by itself after a broken connection; retries are the workflow's, in its log.
    maxRequeues: 0,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  });
  return {
    async send({ attachments, ...mail }) {
      try {
        const { response } = await pool.sendMail({
          ...mail,
          from: options.from,
          // As an object, it is not parsed: a comma in it cannot add a recipient.
          to: { name: '', address: mail.to },
          attachments: attachments.map((attachment) => ({ ...attachment })),
          headers: { 'Auto-Submitted': 'auto-generated' },
          disableFileAccess: true,
          disableUrlAccess: true,
        });
        return { response };
      } catch (error) {
        throw toMailError(error);
      }
    },
    close: () => pool.close(),
  };
}

function toMailError(error: unknown): MailError {
  const { code, command, response, responseCode } = partsOf(error);
  const kind = isPermanent(code, command, responseCode) ? 'permanent' : 'temporary';
  // No `cause`, and no address: servers repeat the recipient in what they say, and this is logged.
  const said = response?.replace(/\S+@\S+/g, '(address)') ?? code ?? 'no reply';
  return new MailError(
    kind,
    `The SMTP server did not take the mail at ${command ?? 'an unknown step'}: ${said}`,
    responseCode,
  );
}

function isPermanent(code: string | null, command: string | null, responseCode: number | null): boolean {
  // Without a reply nothing was sent: no valid recipient in the envelope, or a message above the server's stated size.
  if (responseCode === null) return code === 'EENVELOPE' || code === 'EMESSAGE';
  const refusesMail = command !== null && ['RCPT TO', 'DATA'].includes(command);
  return refusesMail && responseCode >= 500 && responseCode !== 503;
}

function partsOf(error: unknown) {
  const read = (name: string): unknown =>
    typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  const textOf = (name: string): string | null => {
    const value = read(name);
    return typeof value === 'string' ? value : null;
  };
  const responseCode = read('responseCode');
  return {
    code: textOf('code'),
    command: textOf('command'),
    response: textOf('response'),
    responseCode: typeof responseCode === 'number' ? responseCode : null,
  };
}
