import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Worker } from '@temporalio/worker';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Answers `/health/live`, `/health/ready` and `/metrics` for whoever watches the worker. */
export function serveHealth(worker: Worker, port: number): Server {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  watchWorker(worker, registry);
  const server = createServer((request, response) => {
    if (request.url === '/health/live') return say(response, 200, 'live\n');
    if (request.url === '/health/ready') return sayState(response, worker.getState());
    if (request.url === '/metrics')
      return void registry.metrics().then((text) => say(response, 200, text, registry.contentType));
    return say(response, 404, 'This server knows /health/live, /health/ready and /metrics.\n');
  });
  return server.listen(port);
}

const sayState = (response: ServerResponse, state: string): void =>
  say(response, state === 'RUNNING' ? 200 : 503, `${state.toLowerCase()}\n`);

function say(response: ServerResponse, status: number, text: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': contentType }).end(text);
}

function watchWorker(worker: Worker, registry: Registry): void {
  const cached = new Gauge({
    name: 'alur_worker_cached_workflows',
    help: 'Workflows held in memory.',
    registers: [registry],
  });
  const busy = new Gauge({
    name: 'alur_worker_running_activities',
    help: 'Activities under way.',
    registers: [registry],
  });
  registry.registerMetric(
    new Gauge({
      name: 'alur_worker_polling',
      help: '1 while the worker takes tasks.',
      registers: [],
      collect() {
        const status = worker.getStatus();
        cached.set(status.numCachedWorkflows);
        busy.set(status.numInFlightActivities);
        this.set(status.runState === 'RUNNING' ? 1 : 0);
      },
    }),
  );
}
