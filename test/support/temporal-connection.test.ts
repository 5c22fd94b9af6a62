import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Client } from '@temporalio/client';
import { temporal } from './machine.ts';
import { connectToTemporal } from './temporal-connection.ts';

describe('the connection of a test to Temporal', function () {
  this.timeout(60_000);

  it('can be closed while somebody waits for an answer, and nothing is tried again when the server goes away', async () => {
    const way = await wayTo((await temporal()).address);
    const connection = await connectToTemporal(way.address);
    const client = new Client({ connection });
    const handle = await client.workflow.start('nobodyRunsIt', {
      workflowId: randomUUID(),
      taskQueue: randomUUID(),
      workflowExecutionTimeout: '1 minute',
    });
    const waiting = assert.rejects(handle.result(), /history/);
    await handle.describe();
    await connection.close();
    way.breakOff();
    await waiting;
  });
});

/** A way to a server that can be broken off. */
async function wayTo(address: string) {
  const { hostname, port } = new URL(`tcp://${address}`);
  const sockets: Socket[] = [];
  const server = createServer((inward) => {
    const outward = connect(Number(port), hostname);
    sockets.push(inward, outward);
    for (const socket of [inward, outward]) socket.on('error', () => socket.destroy());
    inward.pipe(outward).pipe(inward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const listening = server.address();
  assert.ok(listening && typeof listening === 'object');
  return {
    address: `127.0.0.1:${listening.port}`,
    breakOff: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
