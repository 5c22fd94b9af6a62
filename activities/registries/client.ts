/** Asks a registry about a number: one HTTP exchange a question. */
import { z } from 'zod';
import type { Registry } from '../../domain/licensing.ts';
import { COMPARED_FIELDS, type RegistryVerdict } from '../../domain/registries.ts';

export interface RegistryQuestion {
  readonly registry: Registry;
  readonly number: string;
  /** As the applicant gave it; the registry says whether its own is the same. */
  readonly name: string;
}

export interface Registries {
  /** @throws RegistryUnavailable when no verdict came; asking again is harmless, for nothing is changed there. */
  ask(question: RegistryQuestion): Promise<RegistryVerdict>;
}

/** Its sentence holds neither number nor name. */
export class RegistryUnavailable extends Error {
  override readonly name = 'RegistryUnavailable';
}

const ANSWER_WITHIN_MS = 5_000;

const verdict = z.union([
  z.object({ found: z.literal(false) }),
  z.object({ found: z.literal(true), differences: z.array(z.enum(COMPARED_FIELDS)) }),
]);

/**
 * `POST <url>/<registry>/verify` with `{ "number", "name" }`, the token as bearer; 200 `{ "found": true, "differences": [] }`.
 * Each office reaches OSS, the tax office and the population office by a bus of its own: this is the form that Alur speaks,
 * and a registry that speaks another gets a small gateway in front.
 */
export function createRegistries(office: {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs?: number;
}): Registries {
  const timeoutMs = office.timeoutMs ?? ANSWER_WITHIN_MS;
  return {
    async ask({ registry, number, name }) {
      const response = await exchange(`${office.url}/${registry}/verify`, office.token, { number, name }, timeoutMs);
      if (!response.ok) {
        await response.body?.cancel();
        throw new RegistryUnavailable(`The ${registry} registry answered ${response.status}.`);
      }
      const read = verdict.safeParse(await bodyOf(response, registry));
      if (!read.success) throw new RegistryUnavailable(`The ${registry} registry gave an answer of an unknown form.`);
      return read.data;
    },
  };
}

async function exchange(url: string, token: string, body: unknown, timeoutMs: number): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      // A redirect would carry the number to wherever it points.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    // Without its cause, which may quote the request.
    const slow = error instanceof Error && error.name === 'TimeoutError';
    throw new RegistryUnavailable(
      slow ? `The registry did not answer within ${timeoutMs} ms.` : 'The registry could not be reached.',
    );
  }
}

async function bodyOf(response: Response, registry: Registry): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // The parser's own error is left behind on purpose: it quotes the body.
    throw new RegistryUnavailable(`The ${registry} registry broke off its answer, or gave one that is no JSON.`);
  }
}
