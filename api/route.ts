/**
 * The one way to declare a route. From the same declaration come the Express route (api/serve.ts) and its OpenAPI entry
 * (api/openapi.ts), so what is documented is what is checked. A route without a permission does not compile.
 */
import type { Request } from 'express';
import { z } from 'zod';
import type { Origin } from '../domain/events.ts';
import type { FailureCode } from '../domain/failures.ts';
import { PERMISSIONS, type Permission } from '../domain/roles.ts';
import type { ApiDeps } from './deps.ts';
import type { LimitName } from './rate-limits.ts';
import type { EmptyReply, HtmlReply, JsonReply, Reply, StreamReply } from './reply.ts';
import type { Caller, Locale } from './request.ts';

export { html, json, noContent, type Reply, seeElsewhere, stream } from './reply.ts';

/** A JSON answer has `schema`; a file or page has `contentType`; both = by `Accept`; neither = no body (204). */
export interface ResponseSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly contentType?: string;
}

/** One file in the form field `file`, other fields as `body`. A larger file is 413, none is 422. */
export interface MultipartSpec {
  readonly file: string;
  readonly maxBytes: number;
}

export interface UploadedFile {
  /** As the client called it: for display only, never for a path. */
  readonly filename: string;
  readonly content: Buffer;
}

type Schema = z.ZodType | undefined;
type Parsed<S extends Schema> = S extends z.ZodType ? z.output<S> : undefined;

/** What the handler is given; every value has passed its schema. */
export interface Context<P, Q, B, File, Who> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly file: File;
  /** Empty unless the route is `raw`. */
  readonly rawBody: Buffer;
  /** The caller from the token. A public route has none: it does not look at credentials, so a stale one does no harm. */
  readonly actor: Who;
  /** Goes into every event that the request gives rise to. */
  readonly origin: Origin;
  readonly locale: Locale;
  readonly deps: ApiDeps;
  /**
   * The same for the same caller, route and Idempotency-Key (64 hex digits): Temporal's updateId, and the seed of the
   * IDs of what is created (`idFromKey`), so that a repeat after a crash meets its own row.
   */
  readonly requestKey: string;
  readonly req: Request;
}

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;
type JsonOf<Status, S> = Status extends number
  ? S extends { schema: infer Body extends z.ZodType }
    ? JsonReply<Status, Frozen<z.input<Body>>>
    : never
  : never;
type FileOf<S> = S extends { contentType: string } ? StreamReply | HtmlReply : never;
type NothingOf<S> = S extends { schema: z.ZodType } | { contentType: string } ? never : EmptyReply;
/** Only what `responses` declares may be answered: status and body are checked by the compiler. */
export type ReplyTo<R extends Responses> = {
  [Status in keyof R]: JsonOf<Status, R[Status]> | FileOf<R[Status]> | NothingOf<R[Status]>;
}[keyof R];

export type Responses = Readonly<Record<number, ResponseSpec>>;

interface Declared {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Relative to the base, in Express's spelling: `/licenses/status/:id`. */
  readonly path: `/${string}`;
  /** Absent = `/api/v1`. `root` is for pages and webhooks, whose addresses stand outside of it. */
  readonly base?: 'root';
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  /** Kept for those who call it by this name; the document says so. */
  readonly deprecated?: boolean;
  /** Refusals of this route beside those that the frame itself can give; they are documented with their status. */
  readonly problems?: readonly FailureCode[];
  /**
   * Set on a route that sends an update to a running process. `gone` is the refusal when there is none any more; an
   * update that outlives the call's deadline becomes 202 with the advice to repeat it.
   */
  readonly workflow?: { readonly gone: FailureCode };
  /** Wants a second factor not older than ten minutes; without one 403 `step_up_required`. */
  readonly stepUp?: boolean | 'where_there_is_a_factor';
  /** Open to those who have yet to verify their address or set up a second factor: what they need for just that. */
  readonly ownAccount?: boolean;
  /** How many requests a minute one caller may make; absent = `default`. See api/rate-limits.ts. */
  readonly limit?: LimitName;
  /** Only POST; default true. False where the answer holds a secret that must not be stored. */
  readonly idempotent?: boolean;
  /** Of a body other than multipart; absent = 256 kB. A longer one is 413. */
  readonly maxBytes?: number;
  /** The body is what a form of our own pages sends (`application/x-www-form-urlencoded`), each field once; not JSON. */
  readonly form?: boolean;
  /** The body is not read as JSON but handed over as the bytes that were sent (`rawBody`): for signatures. */
  readonly raw?: boolean;
}

interface RouteSpec<
  P extends Schema,
  Q extends Schema,
  B extends Schema,
  M extends MultipartSpec | undefined,
  Who extends Permission | 'public',
  R extends Responses,
> extends Declared {
  readonly permission: Who;
  /** Values that do not fit are 404: no such thing can exist. */
  readonly params?: P;
  readonly query?: Q;
  /** A strict object: unknown fields are 422. */
  readonly body?: B;
  readonly multipart?: M;
  readonly responses: R;
  readonly handler: (
    context: Context<
      Parsed<P>,
      Parsed<Q>,
      Parsed<B>,
      M extends MultipartSpec ? UploadedFile : undefined,
      Who extends 'public' ? undefined : Caller
    >,
  ) => Promise<ReplyTo<R>>;
}

type ErasedContext = Context<unknown, unknown, unknown, UploadedFile | undefined, Caller | undefined>;

/** A declared route with its types forgotten: what serve.ts and openapi.ts work on. */
export interface Route extends Declared {
  readonly permission: Permission | 'public';
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly multipart?: MultipartSpec;
  readonly responses: Responses;
  readonly handler: (context: ErasedContext) => Promise<Reply>;
}

/**
 * Declares a route; `api/routes/index.ts` lists it.
 * @throws TypeError for a declaration that would be open by mistake: then the API does not start.
 */
export function defineRoute<
  P extends Schema = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  M extends MultipartSpec | undefined = undefined,
  const Who extends Permission | 'public' = never,
  const R extends Responses = Responses,
>(spec: RouteSpec<P, Q, B, M, Who, R>): Route;
export function defineRoute(route: Route): Route {
  const name = `${route.method.toUpperCase()} ${route.path}`;
  if (route.permission !== 'public' && !Object.hasOwn(PERMISSIONS, route.permission)) {
    throw new TypeError(`${name} declares no permission of domain/roles.ts, and is not 'public'`);
  }
  if (route.path.includes(':') && !route.params) throw new TypeError(`${name} has no schema for its path parameters`);
  if (route.body instanceof z.ZodObject && !(route.body.def.catchall instanceof z.ZodNever)) {
    throw new TypeError(`the body of ${name} takes unknown fields; declare it with z.strictObject`);
  }
  if (isIdempotent(route) && Object.values(route.responses).some(({ contentType }) => contentType !== undefined)) {
    throw new TypeError(
      `${name} answers with a file or page, which is not kept for a repeat; declare idempotent: false`,
    );
  }
  return route;
}

/** Whether a repeat with the same Idempotency-Key gets the first answer. */
export const isIdempotent = (route: Pick<Route, 'method' | 'idempotent'>): boolean =>
  route.method === 'post' && route.idempotent !== false;

/** Where Express serves it: `/api/v1/licenses/status/:id`. */
export const patternOf = (route: Pick<Route, 'base' | 'path'>): string =>
  route.base === 'root' ? route.path : `${API_BASE}${route.path}`;

export const API_BASE = '/api/v1';
