/**
 * Keeps so many HTTP connections busy and counts the answers. On bare sockets: a full HTTP client would use more of the
 * machine than the servers that it is to measure, and so make them look alike.
 */
import { connect } from 'node:net';
import type { Done, Order } from './orders.ts';

type Reads = Extract<Order, { kind: 'reads' }>;

const END_OF_HEAD = '\r\n\r\n';

/** @throws Error for an answer other than 200, or one without a Content-Length */
export async function measureReads(order: Reads): Promise<Done> {
  const { host, hostname, port } = new URL(order.url);
  const requests = order.paths.map((path) =>
    Buffer.from([`GET ${path} HTTP/1.1`, `Host: ${host}`, ...order.headers].join('\r\n') + END_OF_HEAD),
  );
  const from = performance.now() + order.warmMs;
  const until = from + order.measureMs;
  let count = 0;
  let all = 0;
  const answered = (): boolean => {
    const now = performance.now();
    all += 1;
    if (now >= from && now < until) count += 1;
    return now < until;
  };
  const connections = Array.from({ length: order.connections }, (_, index) =>
    keepBusy({ hostname, port: Number(port) }, rotated(requests, index * 7), answered),
  );
  await Promise.all(connections);
  return { count, all, seconds: order.measureMs / 1000, latenciesMs: [] };
}

const rotated = <T>(items: readonly T[], by: number): T[] => {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
};

function keepBusy(
  { hostname, port }: { hostname: string; port: number },
  requests: readonly Buffer[],
  answered: () => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, hostname);
    let next = 0;
    let pending: Buffer = Buffer.alloc(0);
    const ask = () => {
      socket.write(requests[next % requests.length] ?? '');
      next += 1;
    };
    const finish = (error?: Error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.setNoDelay(true).once('connect', ask).once('error', finish);
    socket.once('close', () => reject(new Error('the server closed a connection that was in use')));
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const size = sizeOf(pending);
      if (size instanceof Error) return finish(size);
      if (size === null || pending.length < size) return;
      pending = pending.subarray(size);
      if (answered()) ask();
      else finish();
    });
  });
}

/** Bytes of the answer that the buffer begins with; null while its head is not whole. */
function sizeOf(buffer: Buffer): number | Error | null {
  const end = buffer.indexOf(END_OF_HEAD);
  if (end < 0) return null;
  const head = buffer.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) return new Error(`not a counted answer: ${head}`);
  return end + END_OF_HEAD.length + Number(length);
}
