/** What a handler may answer. Sending it (ETag, 304, streams) is api/serve.ts's. */
import type { Readable } from 'node:stream';

type Headers = Readonly<Record<string, string>>;

export interface JsonReply<Status extends number = number, Body = unknown> {
  readonly kind: 'json';
  readonly status: Status;
  readonly body: Body;
  /** A strong ETag with its quotes; absent = made from the body. */
  readonly etag?: string;
  readonly headers?: Headers;
}

export interface EmptyReply {
  readonly kind: 'empty';
  readonly status: 204 | 302;
  readonly headers?: Headers;
}

export interface StreamReply {
  readonly kind: 'stream';
  readonly status: 200;
  readonly contentType: string;
  readonly stream: Readable;
  readonly bytes?: number;
  /** What the browser calls the file when it saves it. */
  readonly filename?: string;
  /** `inline` lets a browser show it; for what Alur made itself, or has looked into. Default `attachment`. */
  readonly disposition?: 'inline' | 'attachment';
  readonly etag?: string;
  readonly headers?: Headers;
}

export interface HtmlReply {
  readonly kind: 'html';
  readonly status: number;
  readonly html: string;
  readonly headers?: Headers;
  /** CSP sources that a form of the page may lead to; absent = none. */
  readonly formTargets?: readonly string[];
}

export type Reply = JsonReply | EmptyReply | StreamReply | HtmlReply;

export const json = <const Status extends number, const Body>(
  status: Status,
  body: Body,
  options: { readonly etag?: string; readonly headers?: Headers } = {},
): JsonReply<Status, Body> => ({ kind: 'json', status, body, ...options });

export const noContent = (headers: Headers = {}): EmptyReply => ({ kind: 'empty', status: 204, headers });

/** Elsewhere, for this time only: the next request asks again. */
export const seeElsewhere = (location: string): EmptyReply => ({
  kind: 'empty',
  status: 302,
  headers: { Location: location, 'Cache-Control': 'no-store' },
});

export const stream = (
  contentType: string,
  content: Readable,
  options: Omit<StreamReply, 'kind' | 'status' | 'contentType' | 'stream'> = {},
): StreamReply => ({ kind: 'stream', status: 200, contentType, stream: content, ...options });

/** A page without scripts; `<style nonce="…">` is not needed, styles inline in the page are allowed by its own CSP. */
export const html = (
  status: number,
  page: string,
  headers: Headers = {},
  options: Pick<HtmlReply, 'formTargets'> = {},
): HtmlReply => ({ kind: 'html', status, html: page, headers, ...options });
