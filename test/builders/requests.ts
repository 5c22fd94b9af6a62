/** Requests as tests make them: a person, a path, perhaps a body; the answer with its body read. */
import type { TestApi, TestPerson } from '../support/api.ts';

export interface Answered<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** A body of which a test looks at the top only; for more, it says what it expects: `ask<{ items: { id: string }[] }>`. */
export type AnyBody = Readonly<Record<string, unknown>>;

export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
  readonly state?: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
  readonly conflict?: {
    readonly decidedBy: { readonly id: string; readonly name: string };
    readonly decidedAt: string;
  };
}

interface Options {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** @param path below `/api/v1`, or from the root when it starts with `//`; an object as body goes out as JSON */
export async function ask<Body = AnyBody>(
  api: TestApi,
  person: TestPerson | null,
  method: string,
  path: string,
  { body, headers, signal }: Options = {},
): Promise<Answered<Body>> {
  const answer = await fetch(api.url + (path.startsWith('//') ? path.slice(1) : `/api/v1${path}`), {
    method,
    headers: { 'accept-language': 'en', ...person?.headers, ...sentAs(body).headers, ...headers },
    ...(body === undefined ? {} : { body: sentAs(body).body }),
    ...(signal ? { signal } : {}),
  });
  return { status: answer.status, headers: answer.headers, body: read(answer, await answer.text()) };
}

function sentAs(body: unknown): { headers: Record<string, string>; body: string | FormData } {
  if (body === undefined || typeof body === 'string' || body instanceof FormData)
    return { headers: {}, body: body ?? '' };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Text that is no JSON comes as `{ text }`. */
function read(answer: Response, text: string) {
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  return isJson && text !== '' ? JSON.parse(text) : { text };
}

export const problem = (api: TestApi, person: TestPerson | null, method: string, path: string, options: Options = {}) =>
  ask<Problem>(api, person, method, path, options);
