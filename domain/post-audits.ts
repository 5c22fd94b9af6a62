/** Looking afterwards at what nobody looked at before: approvals by law, and a sample of the automatic ones. */

export const AUDIT_KINDS = ['deemed', 'sample'] as const;
/** `deemed` = every approval by law; `sample` = drawn from the automatic ones. */
export type AuditKind = (typeof AUDIT_KINDS)[number];

export const AUDIT_STATES = ['open', 'passed', 'failed'] as const;
export type AuditState = (typeof AUDIT_STATES)[number];

export const AUDIT_OUTCOMES = ['passed', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** What became of the suspension that a failed audit proposes. */
export const PROPOSAL_STATES = ['open', 'suspended', 'dismissed'] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** Working days in which a post-audit is decided. */
export const AUDIT_WITHIN_WORKING_DAYS = 20;

/** Calendar days after which an undecided proposal counts as overdue. */
export const PROPOSAL_WITHIN_DAYS = 7;

/**
 * Whether a case belongs to the sample. Pure: the same name gives the same answer on every machine, so a repeat draws the same
 * cases. Whoever knows the name can foresee it; where applicants must not, the name is a keyed hash of the case's ID
 * (db/post-audits.ts).
 * @param percent 0 = none, 100 = all; fractions count
 */
export function isSampled(name: string, percent: number): boolean {
  return percent > 0 && fractionOf(name) < percent / 100;
}

/** FNV-1a with a final mix (MurmurHash3's): evenly spread over [0, 1) also for names that differ in one letter. */
function fractionOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
