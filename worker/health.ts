import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Worker } from '@temporalio/worker';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Workers } from './create.ts';

/** Answers `/health/live`, `/health/ready` and `/metrics` for whoever watches the worker. */
export function serveHealth(workers: Workers, port: number): Server {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  watchWorkers(workers, registry);
  const server = createServer((request, response) => {
    if (request.url === '/health/live') return say(response, 200, 'live\n');
    if (request.url === '/health/ready') return sayState(response, stateOf(workers));
    if (request.url === '/metrics')
      return void registry.metrics().then((text) => say(response, 200, text, registry.contentType));
    return say(response, 404, 'This server knows /health/live, /health/ready and /metrics.\n');
  });
  return server.listen(port);
}

/** Of the one that does not take tasks, if there is one. */
const stateOf = ({ processes, gateways }: Workers): string =>
  [processes, gateways].map((worker) => worker.getState()).find((state) => state !== 'RUNNING') ?? 'RUNNING';

const sayState = (response: ServerResponse, state: string): void =>
  say(response, state === 'RUNNING' ? 200 : 503, `${state.toLowerCase()}\n`);

function say(response: ServerResponse, status: number, text: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': contentType }).end(text);
}

function watchWorkers(workers: Workers, registry: Registry): void {
  const gauge = (name: string, help: string, current: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(current());
      },
    });
  const underWay = (worker: Worker) => worker.getStatus().numInFlightActivities;
  const { processes, gateways } = workers;
  gauge('alur_worker_cached_workflows', 'Workflows held in memory.', () => processes.getStatus().numCachedWorkflows);
  gauge(
    'alur_worker_running_activities',
    'Activities under way, those at gateways among them.',
    () => underWay(processes) + underWay(gateways),
  );
  gauge('alur_worker_running_gateway_calls', 'Questions to payment gateways under way.', () => underWay(gateways));
  gauge('alur_worker_polling', '1 while the worker takes tasks.', () => (stateOf(workers) === 'RUNNING' ? 1 : 0));
}
