/**
 * What must be remembered about Billplz, because Billplz cannot be asked for it: bills are found by their own ID only,
 * and making one is not idempotent.
 */
export interface BillBook {
  /**
   * IDs of bills that may be the attempt's: the one that `create` was answered with, and those that signed callbacks
   * named for this reference (`payment_inbox.object_id`). Hints: the adapter asks Billplz whether they are.
   */
  billsOf(reference: string): Promise<readonly string[]>;
  /** Notes durably that a bill is about to be asked for. @returns false when it was noted before: it may exist already */
  begin(reference: string): Promise<boolean>;
  /** Takes `begin` back: certainly no bill was made. */
  release(reference: string): Promise<void>;
  learn(reference: string, billId: string): Promise<void>;
}
