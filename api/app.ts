/** The API as an Express application. It never listens: api/main.ts and the tests do. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { Failure } from '../domain/failures.ts';
import { createAdmission } from './admission.ts';
import { write } from './answer.ts';
import type { ApiDeps } from './deps.ts';
import { createRequestLog, loggable } from './logging.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createCors } from './middleware/cors.ts';
import { createHttpsRule } from './middleware/https.ts';
import { nameRequest } from './middleware/request-id.ts';
import { createSecurityHeaders } from './middleware/security-headers.ts';
import { openApiOf } from './openapi.ts';
import { plumbing } from './plumbing.ts';
import { answerToError } from './problem.ts';
import type { Route } from './route.ts';
import { routes as apiRoutes } from './routes/index.ts';
import { mount } from './serve.ts';

export interface AppOptions {
  /** True once the process is told to stop: readiness says so, and connections are not kept. */
  readonly isDraining?: () => boolean;
  /** Other routes than the API's own, for tests of the frame. */
  readonly routes?: readonly Route[];
  /** Another way in than by credential, limit and right: for the bench, which measures what those cost. */
  readonly admissionOf?: typeof createAdmission;
}

export function createApp(deps: ApiDeps, options: AppOptions = {}): Express {
  const { isDraining = () => false, routes = apiRoutes, admissionOf = createAdmission } = options;
  const app = express();
  const metrics = createMetrics(deps.db);
  app.disable('x-powered-by').disable('etag').set('trust proxy', deps.trustedProxies).set('query parser', 'simple');
  app.use(arrival(deps, metrics, isDraining));
  mount(app, routes, deps, admissionOf);
  app.use(plumbing(deps, { metrics, openApi: () => openApiOf(routes, deps.publicUrl), isDraining }));
  app.use(nothingHere, refuse(deps));
  return app;
}

/** What every request meets first. One step and not four: Express pays for each. */
function arrival(deps: ApiDeps, metrics: Metrics, isDraining: () => boolean): RequestHandler {
  const log = createRequestLog(deps.logger, metrics.time);
  const setSecurityHeaders = createSecurityHeaders(deps.publicUrl);
  const leadsToHttps = createHttpsRule(deps);
  const cors = createCors(deps.corsOrigins);
  return (req, res, next) => {
    nameRequest(req, res);
    log(req, res);
    setSecurityHeaders(res);
    if (isDraining()) res.setHeader('Connection', 'close');
    if (!leadsToHttps(req, res)) cors(req, res, next);
  };
}

const nothingHere: RequestHandler = () => {
  throw new Failure('not_found', '');
};

const refuse =
  (deps: ApiDeps): ErrorRequestHandler =>
  async (error, req, res, _next) => {
    if (res.headersSent) {
      // Half an answer is out; cutting the line is the only way left to say that it is not whole.
      deps.logger.warn({ requestId: req.requestId, err: loggable(error) }, 'an answer was cut off');
      res.destroy();
      return;
    }
    write(req, res, await answerToError(error, req, deps));
  };
