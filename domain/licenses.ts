/** The life of a licence after it was issued: which changes of its status there are, and when it is over. */

/** docs/processes/license-expiry.md draws it. What has ended stays so; only a late renewal still takes the place of what has expired. */
export const licenseTransitions = {
  active: ['suspended', 'revoked', 'expired', 'superseded'],
  suspended: ['active', 'revoked', 'expired', 'superseded'],
  revoked: [],
  expired: ['superseded'],
  superseded: [],
} as const satisfies Record<string, readonly string[]>;

export type LicenseStatus = keyof typeof licenseTransitions;

export const LICENSE_STATUSES = [
  'active',
  'suspended',
  'revoked',
  'expired',
  'superseded',
] as const satisfies readonly LicenseStatus[];

export const mayTurn = (from: LicenseStatus, to: LicenseStatus): boolean => {
  const targets: readonly string[] = licenseTransitions[from];
  return targets.includes(to);
};

/** Over for good: no message changes it any more. */
export const hasEnded = (status: LicenseStatus): boolean => !mayTurn(status, 'expired');

/**
 * Why a licence is suspended. Reasons stack: it is in force again when the last of them is gone. Those of the money come and go
 * with it; those of the office are ended by the office.
 */
export const SUSPENSION_CAUSES = ['payment_reversed', 'refunded', 'office', 'audit_failed'] as const;
export type SuspensionCause = (typeof SUSPENSION_CAUSES)[number];

export const OFFICE_CAUSES = ['office', 'audit_failed'] as const satisfies readonly SuspensionCause[];
export type OfficeCause = (typeof OFFICE_CAUSES)[number];

export const isOfficeCause = (cause: SuspensionCause): cause is OfficeCause =>
  OFFICE_CAUSES.some((one) => one === cause);

/** Who granted it: a person's decision, the law because the legal time was used up, or the automatic path. */
export const GRANTS = ['decision', 'law', 'automatic'] as const;
export type GrantedBy = (typeof GRANTS)[number];

interface Dated {
  readonly status: LicenseStatus;
  /** Exclusive; null = valid for life. */
  readonly validUntil: Date | null;
  /** Whether another licence takes its place when its validity ends; absent = none. */
  readonly isRenewed?: boolean;
}

/**
 * The status at a moment. The end of the validity counts from its very millisecond, whether or not the record has been moved
 * on by then; every read says this one, so that pages are right while no worker runs. One that was renewed has not expired then:
 * from that very instant the other one counts.
 */
export function statusAt({ status, validUntil, isRenewed = false }: Dated, now: Date): LicenseStatus {
  const isOver = !hasEnded(status) && validUntil !== null && validUntil <= now;
  if (!isOver) return status;
  return isRenewed ? 'superseded' : 'expired';
}

/** A renewal is issued before its term begins: until then the licence that it renews counts. */
export const isNotYetValid = ({ validFrom }: { readonly validFrom: Date }, now: Date): boolean => validFrom > now;

/** Since when it has had that status; null = since it was issued. */
export const changedAt = (license: Dated & { readonly statusChangedAt: Date | null }, now: Date): Date | null =>
  statusAt(license, now) === license.status ? license.statusChangedAt : license.validUntil;
