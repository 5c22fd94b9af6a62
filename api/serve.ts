/** Puts declared routes on Express: admission, body, schemas, once-only, handler, answer; in this order. */
import type { Express, Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { Failure } from '../domain/failures.ts';
import { type Admission, createAdmission } from './admission.ts';
import { type Answer, answerOf, send, write } from './answer.ts';
import type { ApiDeps } from './deps.ts';
import { fieldProblems } from './field-problems.ts';
import { type BodyReader, bodyReaderFor, uploadedFile } from './middleware/body.ts';
import { createOnce, createRequestHash, idempotencyKeyOf } from './middleware/idempotency.ts';
import { answerToError } from './problem.ts';
import type { Reply } from './reply.ts';
import { localeOf, originOf } from './request.ts';
import { requestKeyOf } from './request-key.ts';
import { isIdempotent, patternOf, type Route } from './route.ts';

type Context = Parameters<Route['handler']>[0];

/** On the application itself: a router of its own would cost each request one more search. */
export function mount(app: Express, routes: readonly Route[], deps: ApiDeps, admissionOf = createAdmission): void {
  for (const route of routes) {
    const enter = entrance(route, admissionOf(route, deps));
    app[route.method](
      patternOf(route),
      isIdempotent(route) ? serveOnce(route, enter, deps) : serve(route, enter, deps),
    );
  }
}

type Enter = (req: Request, res: Response) => Promise<void>;

function serve(route: Route, enter: Enter, deps: ApiDeps): RequestHandler {
  // A gateway or a browser that reports has no key of ours, and what it sends is told apart by what it says.
  const changes = route.method !== 'get' && !route.raw;
  return async (req, res) => {
    await enter(req, res);
    const key = changes ? idempotencyKeyOf(req) : undefined;
    const reply = await route.handler(contextOf(route, req, deps, changes ? keyFor(req, key) : ''));
    await send(req, res, reply);
  };
}

function serveOnce(route: Route, enter: Enter, deps: ApiDeps): RequestHandler {
  const once = createOnce(deps);
  const requestHash = createRequestHash(deps.secretKey);
  return async (req, res) => {
    await enter(req, res);
    const key = idempotencyKeyOf(req);
    const scope = keyFor(req, key);
    // Before the key is claimed: a request that is refused for its form may be mended and sent with the same key.
    const context = contextOf(route, req, deps, scope);
    if (key === undefined) return send(req, res, await route.handler(context));
    write(req, res, await once(scope, requestHash(req, context.file), () => work(route, context, deps)));
  };
}

/** A refusal is an answer too, and kept like one. */
async function work(route: Route, context: Context, deps: ApiDeps): Promise<Answer> {
  try {
    return answerOf(storable(await route.handler(context)));
  } catch (error) {
    return answerToError(error, context.req, deps);
  }
}

function storable(reply: Reply) {
  if (reply.kind === 'stream') throw new TypeError('a stream cannot be kept for a repeat of its request');
  return reply;
}

/** Everything before the schemas. Waits only for what admission has to ask, and for a body. */
function entrance(route: Route, admission: Admission): Enter {
  const pattern = patternOf(route);
  const gone = route.workflow?.gone;
  const readBody: BodyReader | undefined = bodyReaderFor(route);
  return async (req, res) => {
    req.pattern = pattern;
    if (gone !== undefined) req.gone = gone;
    const asked = admission.enter(req, res);
    if (asked) await asked;
    if (readBody) await readBody(req, res);
    if (admission.account) await admission.account(req, res);
  };
}

const keyFor = (req: Request, key: string | undefined): string =>
  requestKeyOf({ caller: req.actor?.userId ?? 'anonymous', method: req.method, path: req.path, key });

function contextOf(route: Route, req: Request, deps: ApiDeps, requestKey: string): Context {
  const locale = localeOf(req.headers['accept-language']);
  return {
    params: route.params && paramsOf(route.params, req),
    query: route.query && valid(route.query, req.query),
    body: bodyOf(route, req, valid),
    file: uploadedFile(req),
    rawBody: Buffer.isBuffer(req.body) ? req.body : EMPTY,
    actor: req.actor,
    // Most requests give rise to no event, and the address is not free: it is read from what proxies say.
    get origin() {
      return originOf(req);
    },
    locale,
    deps,
    requestKey,
    req,
  };

  function valid(schema: z.ZodType, value: unknown): unknown {
    const parsed = schema.safeParse(value, { reportInput: true });
    if (parsed.success) return parsed.data;
    throw new Failure('invalid_request', '', { errors: fieldProblems(parsed.error, locale) });
  }
}

const EMPTY = Buffer.alloc(0);
/** A route without a body takes an empty object, and nothing in it. */
const NOTHING = z.strictObject({});

function bodyOf(route: Route, req: Request, valid: (schema: z.ZodType, value: unknown) => unknown): unknown {
  if (route.raw || route.method === 'get' || route.method === 'delete') return undefined;
  const value: unknown = req.body ?? {};
  return valid(route.body ?? NOTHING, value);
}

function paramsOf(schema: z.ZodType, req: Request): unknown {
  const parsed = schema.safeParse(req.params);
  if (parsed.success) return parsed.data;
  throw new Failure('not_found', '');
}
