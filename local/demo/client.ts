/** The public API as its users call it: real log-ins, JSON in and out, refusals told in the API's own words. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DemoAccount } from '../demo-data.ts';
import { messageOf } from '../failure.ts';
import type { ReadyFile } from '../ready-file.ts';
import { DemoFailure } from './failure.ts';

export interface Call {
  readonly as?: DemoAccount;
  /** Sent as JSON, unless it is a form. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DemoClient {
  /** Once; the second time it is there already. */
  logIn(account: DemoAccount): Promise<void>;
  /** The account must be logged in. @throws DemoFailure for any answer but 2xx and 304 */
  send(method: 'GET' | 'POST', path: string, call?: Call): Promise<Response>;
  get<Shape extends z.ZodType>(shape: Shape, path: string, call?: Call): Promise<z.output<Shape>>;
  post<Shape extends z.ZodType>(shape: Shape, path: string, call?: Call): Promise<z.output<Shape>>;
}

const tokens = z.object({ accessToken: z.string() });

/** Paths are below `/api/v1`; one with a scheme goes there as it is, without credentials. */
export function createDemoClient({ api, accounts }: Pick<ReadyFile, 'api' | 'accounts'>): DemoClient {
  const sessions = new Map<DemoAccount, string>();

  const send: DemoClient['send'] = async (method, path, { as, body, headers = {} } = {}) => {
    const response = await reach(path.includes('://') ? path : `${api}/api/v1/${path}`, {
      method,
      headers: {
        'accept-language': 'en',
        accept: 'application/json, application/pdf',
        ...(as ? { authorization: `Bearer ${sessions.get(as) ?? ''}` } : {}),
        ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
        ...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    if (response.ok || response.status === 304) return response;
    throw await refusalOf(response, method, path);
  };
  const json =
    (method: 'GET' | 'POST') =>
    async <Shape extends z.ZodType>(shape: Shape, path: string, call?: Call): Promise<z.output<Shape>> =>
      read(shape, await send(method, path, call), `${method} ${path}`);

  return {
    send,
    get: json('GET'),
    post: json('POST'),
    async logIn(account) {
      if (sessions.has(account)) return;
      const { accessToken } = await json('POST')(tokens, 'auth/login', { body: accounts[account] });
      sessions.set(account, accessToken);
    },
  };
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    const why = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    throw new DemoFailure(`${new URL(url).origin} does not answer (${why}): is npm start still running?`);
  }
}

const problem = z.object({ detail: z.string(), code: z.string(), requestId: z.string().optional() });

async function refusalOf(response: Response, method: string, path: string): Promise<DemoFailure> {
  const what = `${method} ${path} answered ${response.status}`;
  const text = await response.text();
  const told = problem.safeParse(parsed(text));
  if (!told.success) return new DemoFailure(`${what}: ${text.slice(0, 200)}`);
  const { detail, code, requestId } = told.data;
  return new DemoFailure(`${what} (${code}): ${detail}${requestId ? ` [request ${requestId}]` : ''}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What was answered, if it has that shape. @throws DemoFailure otherwise, naming what is wrong */
export async function read<Shape extends z.ZodType>(
  shape: Shape,
  response: Response,
  what: string,
): Promise<z.output<Shape>> {
  const result = shape.safeParse(parsed(await response.text()));
  if (result.success) return result.data;
  throw new DemoFailure(`${what} answered something unexpected:\n${z.prettifyError(result.error)}`);
}
