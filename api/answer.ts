/** An answer as it goes over the wire: what can be kept for a repeated request. Replies become one here. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { etagOf, isFresh } from './etag.ts';
import { CSP_REPORTING } from './middleware/security-headers.ts';
import type { EmptyReply, HtmlReply, JsonReply, Reply, StreamReply } from './reply.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Browsers and proxies ask again each time, with the ETag; what is read may change at any moment. */
const REVALIDATE = 'private, no-cache';

export function answerOf(reply: JsonReply | EmptyReply | HtmlReply): Answer {
  switch (reply.kind) {
    case 'json':
      return {
        status: reply.status,
        headers: {
          'Content-Type': 'application/json; charset=utf-8',
          'Cache-Control': REVALIDATE,
          ...etag(reply),
          ...reply.headers,
        },
        body: JSON.stringify(reply.body),
      };
    case 'empty':
      return { status: reply.status, headers: reply.headers ?? {}, body: '' };
    case 'html':
      return {
        status: reply.status,
        headers: {
          'Content-Type': 'text/html; charset=utf-8',
          'Content-Security-Policy': pagePolicy(reply),
          ...reply.headers,
        },
        body: reply.html,
      };
  }
}

const etag = ({ etag }: JsonReply): Record<string, string> => (etag === undefined ? {} : { ETag: etag });

/** A page may use the styles that it came with, known by their hash, and pictures; no script, no other server. */
function pagePolicy({ html, formTargets = [] }: HtmlReply): string {
  const hashes = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(
    ([, style = '']) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  );
  const styles = hashes.length > 0 ? hashes.join(' ') : "'none'";
  const forms = formTargets.length > 0 ? formTargets.join(' ') : "'none'";
  return `default-src 'none'; style-src ${styles}; img-src 'self' data:; base-uri 'none'; form-action ${forms}; frame-ancestors 'none'; ${CSP_REPORTING}`;
}

/** Sends it, or 304 when the reader has it already. */
export function write(req: Request, res: Response, answer: Answer): void {
  for (const name of Object.keys(answer.headers)) res.setHeader(name, answer.headers[name] ?? '');
  if (answer.status === 200 && isRead(req)) {
    const tag = answer.headers['ETag'] ?? etagOf(answer.body);
    res.setHeader('ETag', tag);
    if (isFresh(req.headers['if-none-match'], tag)) {
      res.removeHeader('Content-Type');
      res.writeHead(304).end();
      return;
    }
  }
  res.statusCode = answer.status;
  if (answer.status !== 204) res.setHeader('Content-Length', Buffer.byteLength(answer.body));
  res.end(answer.body);
}

const isRead = (req: Request): boolean => req.method === 'GET' || req.method === 'HEAD';

export async function send(req: Request, res: Response, reply: Reply): Promise<void> {
  if (reply.kind !== 'stream') return write(req, res, answerOf(reply));
  if (reply.etag !== undefined && isFresh(req.headers['if-none-match'], reply.etag)) {
    reply.stream.destroy();
    res.writeHead(304, { ETag: reply.etag }).end();
    return;
  }
  res.writeHead(200, streamHeaders(reply));
  await pipeline(reply.stream, res);
}

const streamHeaders = ({ contentType, bytes, etag, filename, disposition, headers }: StreamReply) => ({
  'Content-Type': contentType,
  'Cache-Control': REVALIDATE,
  'Content-Disposition': dispositionOf(disposition, filename),
  ...(bytes === undefined ? {} : { 'Content-Length': String(bytes) }),
  ...(etag === undefined ? {} : { ETag: etag }),
  ...headers,
});

/** Of a whole Content-Disposition header. */
export const dispositionOf = (disposition: StreamReply['disposition'], filename: string | undefined): string =>
  `${disposition ?? 'attachment'}${filename === undefined ? '' : named(filename)}`;

/** RFC 6266: a name in ASCII for old clients, and the true one. */
const named = (filename: string): string =>
  `; filename="${filename.replace(/[^\x20-\x7e]|["\\%]/g, '_')}"; filename*=UTF-8''${encodeURIComponent(filename).replace(/['()*]/g, escaped)}`;

const escaped = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
