/** Comparing secrets: the one way to do it. */
import { hash, timingSafeEqual } from 'node:crypto';

/** Digests have one length, so neither the length nor the first wrong character of a guess shows in the time taken. */
export const isSameSecret = (given: string, expected: string): boolean =>
  timingSafeEqual(digest(given), digest(expected));

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
