/** From when on rules of the office count: at once, or from a day to come; never for what has been. */
import { z } from 'zod';
import { Failure } from '../domain/failures.ts';
import type { Locale } from './request.ts';

export const effectiveFromSchema = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .optional()
  .describe('Absent = at once. Not in the past: nobody is judged by rules that were not there.');

/** Clocks differ, and a request takes its time: a minute ago is now. */
const TOLERANCE_MS = 60_000;

/** @throws Failure `rules_not_valid` */
export function effectiveFrom(given: Date | undefined, at: Date, locale: Locale): Date {
  if (given === undefined) return at;
  if (given.getTime() < at.getTime() - TOLERANCE_MS) {
    const detail = { id: 'tidak boleh di masa lalu', en: 'not in the past' }[locale];
    throw new Failure('rules_not_valid', '', { errors: [{ pointer: '/effectiveFrom', code: 'in_the_past', detail }] });
  }
  return given > at ? given : at;
}
