/**
 * Requests that come when they come, whether those before are answered or not: what a busy server makes others wait for
 * counts, from the moment that each was due.
 */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Done, Order } from './orders.ts';

type Arrivals = Extract<Order, { kind: 'arrivals' }>;

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

/** @throws Error for an answer other than 200 */
export async function measureArrivals({ url, posts, perSecond, warm }: Arrivals): Promise<Done> {
  const startedAt = performance.now();
  const answered: Promise<number>[] = [];
  for (const [index, post] of posts.entries()) {
    const due = startedAt + (index * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
    answered.push(send(url, post).then(() => performance.now() - due));
  }
  const latenciesMs = (await Promise.all(answered)).slice(warm);
  const seconds = (performance.now() - startedAt) / 1000;
  return { count: latenciesMs.length, all: posts.length, seconds, latenciesMs };
}

function send(url: string, { body, headers }: Arrivals['posts'][number]): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } });
    sent.once('error', reject);
    sent.once('response', (answer) => {
      answer.resume();
      answer.once('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${url} was answered ${answer.statusCode}`)),
      );
    });
    sent.end(body);
  });
}
