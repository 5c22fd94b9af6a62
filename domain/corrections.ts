/** A correction is limited to what was asked for; what the office has accepted stays accepted as long as it stays the same. */
import type { Decision, Reason, Stage } from './licensing.ts';
import { below, diffForms, partsOf } from './submission-diff.ts';

/** JSON Pointers of what may be changed, each with what is below it; null = everything. */
export type OpenFields = readonly string[] | null;

/** A reason that points at nothing opens everything; so does a correction without any reason. */
export function openFields(reasons: readonly Reason[]): OpenFields {
  const pointers = reasons.map(({ pointer }) => pointer ?? '');
  if (pointers.length === 0 || pointers.includes('')) return null;
  return [...new Set(pointers)];
}

export const isOpen = (pointer: string, open: OpenFields): boolean =>
  open === null || open.some((one) => pointer === one || pointer.startsWith(`${one}/`));

export const documentPointer = (kind: string): string => below('/documents', kind);

/** Pointers of what a new form would change beside what is open; empty = it keeps to it. */
export function closedChanges(before: unknown, after: unknown, open: OpenFields): string[] {
  if (open === null) return [];
  return diffForms(before, after).flatMap((change) => {
    // Both are there and neither is a container that could be opened in part: the place itself must be open.
    if ('before' in change && 'after' in change) return isOpen(change.pointer, open) ? [] : [change.pointer];
    return closedParts(change.pointer, 'before' in change ? change.before : change.after, open);
  });
}

/** A whole branch came or went: around an open field it may, if nothing else is in it. */
function closedParts(pointer: string, value: unknown, open: readonly string[]): string[] {
  if (isOpen(pointer, open)) return [];
  const parts = partsOf(value);
  if (!parts || !open.some((one) => one.startsWith(`${pointer}/`))) return [pointer];
  return [...parts].flatMap(([key, inner]) => closedParts(below(pointer, key), inner, open));
}

// ---- what is accepted -----------------------------------------------------------------------------------------------

export interface DecidedOn {
  readonly round: number;
  readonly stage: Stage;
  readonly decision: Decision;
  readonly reasons: readonly Reason[];
  readonly override: boolean;
}

export interface SubmittedIn {
  readonly round: number;
  readonly documents: readonly { readonly kind: string; readonly sha256: string }[];
}

/**
 * Whether the office has accepted a document of this kind with this content: it was in a submission whose documents were
 * verified, or whose correction a person asked for without naming it. A later correction that names it takes that back.
 * What is asked for because a required document is missing accepts nothing: nobody has looked at the rest.
 * @param decisions in the order in which they were taken
 * @param needed approvals that verify the documents; an override is enough alone
 */
export function acceptance(submissions: readonly SubmittedIn[], decisions: readonly DecidedOn[], needed = 1) {
  const accepted = new Set<string>();
  const approvals = new Map<number, number>();
  for (const made of decisions) {
    const documents = submissions.find(({ round }) => round === made.round)?.documents ?? [];
    if (made.decision === 'request_correction') note(accepted, documents, openFields(made.reasons));
    if (made.decision !== 'approve' || made.stage !== 'document_verification') continue;
    const count = (approvals.get(made.round) ?? 0) + (made.override ? needed : 1);
    approvals.set(made.round, count);
    if (count >= needed) for (const document of documents) accepted.add(nameOf(document));
  }
  return (document: { readonly kind: string; readonly sha256: string }): boolean => accepted.has(nameOf(document));
}

function note(accepted: Set<string>, documents: SubmittedIn['documents'], open: OpenFields): void {
  // A reason about everything names no document in particular.
  if (open === null) return;
  for (const document of documents) {
    if (isOpen(documentPointer(document.kind), open)) accepted.delete(nameOf(document));
    else accepted.add(nameOf(document));
  }
}

const nameOf = ({ kind, sha256 }: { readonly kind: string; readonly sha256: string }) => `${kind}/${sha256}`;
