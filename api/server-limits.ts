/** What one connection may cost the server: headers, time, bytes after an answer. */
import { createServer, type IncomingMessage, type Server } from 'node:http';

export interface ServerLimits {
  /** Until the headers are in; then 408. */
  readonly headersMs: number;
  /** Until the whole request is in, a file on a slow phone included; then 408. */
  readonly requestMs: number;
  /** Without a byte in either direction: who does not read the answer is hung up on. Above the longest `?wait=`. */
  readonly silenceMs: number;
  /** How often the first two are looked at. */
  readonly checkEveryMs: number;
  /** After the answer: how long who is still sending may go on, so that the answer is read and not lost to a reset. */
  readonly lingerMs: number;
  /** 431 beyond. */
  readonly headerBytes: number;
  readonly headers: number;
  /** Further ones are refused, so that those that are in get their answers. */
  readonly connections: number;
}

export const SERVER_LIMITS: ServerLimits = {
  headersMs: 15_000,
  requestMs: 300_000,
  silenceMs: 120_000,
  checkEveryMs: 5_000,
  lingerMs: 2_000,
  headerBytes: 16 * 1024,
  headers: 100,
  connections: 10_000,
};

/** The caller adds its `request` listener. */
export function createLimitedServer(limits: ServerLimits = SERVER_LIMITS): Server {
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headerBytes,
    // Longer than a proxy keeps its connections, so that it is never the API that hangs up between two requests.
    keepAliveTimeout: 65_000,
  });
  server.timeout = limits.silenceMs;
  server.maxHeadersCount = limits.headers;
  server.maxConnections = limits.connections;
  // "100 Continue" is said by who reads the body, once it is wanted; until then a careful client sends none.
  server.on('checkContinue', (req, res) => server.emit('request', req, res));
  server.on('request', (req, res) => {
    if (mayHaveBody(req)) res.once('finish', () => cutOff(req, limits.lingerMs));
  });
  return server;
}

const mayHaveBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

/** Node would read a body that nobody wants to its end. */
function cutOff(req: IncomingMessage, lingerMs: number): void {
  if (req.complete) return;
  const { socket } = req;
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  req.once('end', () => clearTimeout(timer));
}
