/**
 * A connection to Temporal that may be closed while somebody still waits for an answer. When the server goes away under them,
 * the SDK tries once more on a timer, and there a closed channel throws: past everybody, which ends the process.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

export async function connectToTemporal(address: string): Promise<Connection> {
  const { retryableDecider, delayFunction } = defaultGrpcRetryOptions();
  let isClosing = false;
  let lastRetryAt = 0;
  const retrying = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) => !isClosing && retryableDecider(attempt, status),
    delayFunction: (attempt, status) => {
      const delayMs = delayFunction(attempt, status);
      lastRetryAt = Math.max(lastRetryAt, Date.now() + delayMs);
      return delayMs;
    },
  });
  const connection = await Connection.connect({ address, interceptors: [retrying] });
  const close = connection.close.bind(connection);
  connection.close = async () => {
    isClosing = true;
    // A retry that is on its timer must still find the channel open.
    await pause(Math.max(0, lastRetryAt - Date.now() + 50));
    await close();
  };
  return connection;
}
