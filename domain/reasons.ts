/** The catalogue of reasons that a reviewer chooses from; free text may be added to any of them. It is the office's data. */
import type { Decision, Reason } from './licensing.ts';

export interface KnownReason {
  readonly names: { readonly id: string; readonly en: string };
  /** Decisions that may give it; none = it was retired, and is still known by name. */
  readonly usedFor: readonly Decision[];
}

/** By code. */
export type ReasonCatalogue = ReadonlyMap<string, KnownReason>;

/** A reason as a person reads it: the catalogue's words, then the reviewer's own. A code that it does not have is shown as it is. */
export function reasonText(reason: Reason, catalogue: ReasonCatalogue, locale: 'id' | 'en'): string {
  if (reason.code === 'other' && reason.text) return reason.text;
  const words = catalogue.get(reason.code)?.names[locale] ?? reason.code;
  return reason.text ? `${words}: ${reason.text}` : words;
}
