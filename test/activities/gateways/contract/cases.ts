/** The contract: what holds for every gateway. A new adapter goes through all of it, or says in subjects.ts why not. */
import type { Bench } from './bench.ts';
import { LIST_CASES } from './list-cases.ts';
import { NOTIFICATION_CASES } from './notification-cases.ts';
import { PAYMENT_CASES } from './payment-cases.ts';
import { REFUND_CASES } from './refund-cases.ts';

export const CASES = { ...PAYMENT_CASES, ...REFUND_CASES, ...LIST_CASES, ...NOTIFICATION_CASES };
export type CaseName = keyof typeof CASES;
export type Case = (bench: Bench) => Promise<void>;

const isCaseName = (name: string): name is CaseName => Object.hasOwn(CASES, name);
export const CASE_NAMES: readonly CaseName[] = Object.keys(CASES).filter(isCaseName);
