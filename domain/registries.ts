/**
 * What the state's registries say of a number: NIB (OSS), NPWP (tax office), NIK (population office). They confirm or deny;
 * they never decide. One that does not answer blocks nobody for ever: after the policy's time a person goes on without.
 */
import type { Registry } from './licensing.ts';

export const REGISTRY_STATES = [
  'asking',
  'match',
  'mismatch',
  'not_found',
  'unavailable',
  // There is no such number to ask about: a company that has no NIB yet, an applicant without a NIK on record.
  'not_applicable',
] as const;
export type RegistryState = (typeof REGISTRY_STATES)[number];

/** What a registry is asked to compare; a difference names the field, never its value. */
export const COMPARED_FIELDS = ['name'] as const;
export type ComparedField = (typeof COMPARED_FIELDS)[number];

export type RegistryVerdict =
  | { readonly found: false }
  | { readonly found: true; readonly differences: readonly ComparedField[] };

export interface RegistryResult {
  readonly registry: Registry;
  readonly state: RegistryState;
  readonly differences: readonly ComparedField[];
}

export function stateOfVerdict(verdict: RegistryVerdict): 'match' | 'mismatch' | 'not_found' {
  if (!verdict.found) return 'not_found';
  return verdict.differences.length === 0 ? 'match' : 'mismatch';
}

/** Whether a person has to look, where the automatic path would have gone on by itself. */
export const needsPerson = (results: readonly Pick<RegistryResult, 'state'>[]): boolean =>
  results.some(({ state }) => state !== 'match' && state !== 'not_applicable');

const MINUTE_MS = 60_000;
const PAUSES_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS] as const;

/** How long until a registry that did not answer is asked again; `tries` = how often it was. Never beyond the time to give up. */
export function pauseBeforeAsking(tries: number, now: number, giveUpAt: number): number {
  const pause = PAUSES_MS[Math.min(tries, PAUSES_MS.length) - 1] ?? MINUTE_MS;
  return Math.max(1, Math.min(pause, giveUpAt - now));
}
