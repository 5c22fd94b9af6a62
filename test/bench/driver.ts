/** The bench's side of the driver process: one order at a time. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { stopAtEnd } from '../support/registry.ts';
import type { Done, Order, Reply } from './programs/orders.ts';

export type Driver = (order: Order) => Promise<Done>;

export async function startDriver(script: string, env: NodeJS.ProcessEnv): Promise<Driver> {
  const child = fork(script, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const died = once(child, 'exit').then(() => {
    throw new Error('the driver process ended');
  });
  died.catch(() => undefined);
  stopAtEnd(async () => {
    if (child.connected) child.disconnect();
    await died.catch(() => undefined);
  });
  await Promise.race([once(child, 'message'), died]);
  return async (order) => {
    const answered = new Promise<Reply>((resolve) => child.once('message', (reply: Reply) => resolve(reply)));
    child.send(order);
    const reply = await Promise.race([answered, died]);
    if ('failed' in reply) throw new Error(`${order.kind}: ${reply.failed}`);
    return reply.done;
  };
}
