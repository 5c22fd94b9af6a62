/**
 * What is undone of a return that ends before money has begun to move, in this order backwards. Each step is registered before
 * it is taken; undoing what never happened is nothing.
 */
export const RETURN_EFFECTS = ['release_units', 'void_label', 'cancel_replacement'] as const;
export type ReturnEffect = (typeof RETURN_EFFECTS)[number];

/** `nothing`: there was nothing to undo. `used`: a parcel travels with the label, which can only be followed. */
export type Undone = 'done' | 'nothing' | 'used';

export const undoFailed = (step: ReturnEffect): string => `undo_failed/${step}`;
