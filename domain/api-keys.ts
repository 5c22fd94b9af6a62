/** Keys of integrators: `alur_live_Ab3dE6gH_<secret>`. The part before the secret names a key and is shown in lists. */
import { type Permission, SCOPES, type Scope } from './roles.ts';

export const KEY_ENVIRONMENTS = ['live', 'test'] as const;
/** A test key opens every installation but production, so that one left in a script does no harm there. */
export type KeyEnvironment = (typeof KEY_ENVIRONMENTS)[number];

export const KEY_STATES = ['active', 'expired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** 62^8 names; the secret is 256 bits in base64url. */
export const KEY_NAME_LENGTH = 8;
export const KEY_NAME_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const FORM = /^(?<prefix>alur_(?<environment>live|test)_[A-Za-z0-9]{8})_[\w-]{43}$/;

export interface ParsedKey {
  /** `alur_live_Ab3dE6gH` */
  readonly prefix: string;
  readonly environment: KeyEnvironment;
}

/** undefined for whatever cannot be a key, so that nobody has to look for it. */
export function parseKey(key: string): ParsedKey | undefined {
  const { prefix, environment } = FORM.exec(key)?.groups ?? {};
  if (prefix === undefined || environment === undefined) return undefined;
  return { prefix, environment: environment === 'test' ? 'test' : 'live' };
}

export const prefixOf = (environment: KeyEnvironment, name: string): string => `alur_${environment}_${name}`;

/** What a key may do unless more is asked for. */
export const DEFAULT_SCOPES: readonly Scope[] = SCOPES.filter((scope) => scope.endsWith('.read'));

export const isScope = (value: string): value is Scope => SCOPES.some((scope) => scope === value);

/**
 * Whether a key with these scopes may do this. Reading its own account, which says whose key it is, and the plans on offer needs
 * no scope; changing that account is for people.
 */
export function keyMay(scopes: readonly Scope[], permission: Permission, method: string): boolean {
  if (permission === 'profile.use' || permission === 'plan.read') return method === 'get';
  return scopes.some((scope) => scope === permission);
}

export interface KeyTimes {
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export function keyStateAt({ expiresAt, revokedAt }: KeyTimes, at: Date): KeyState {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt <= at ? 'expired' : 'active';
}

/** How long a key goes on beside the one that takes its place. */
export const DEFAULT_OVERLAP_SECONDS = 24 * 60 * 60;
export const MAX_OVERLAP_SECONDS = 30 * DEFAULT_OVERLAP_SECONDS;

/** When the old key ends: after the overlap, but not later than it would have anyway. */
export function overlapEnd({ expiresAt }: Pick<KeyTimes, 'expiresAt'>, at: Date, overlapSeconds: number): Date {
  const end = new Date(at.getTime() + overlapSeconds * 1000);
  return expiresAt && expiresAt < end ? expiresAt : end;
}

/** A successor lives as long from its creation as its predecessor was meant to. */
export function successorEnd(
  key: { readonly createdAt: Date; readonly expiresAt: Date | null },
  at: Date,
): Date | null {
  return key.expiresAt && new Date(at.getTime() + key.expiresAt.getTime() - key.createdAt.getTime());
}

/** Accounts that stand for a programme have an address that nobody can write to (RFC 2606). */
export const INTEGRATOR_MAIL_DOMAIN = 'integrators.invalid';

/** What can be wrong with the wish for a key. */
export type KeyProblem =
  | 'not_in_future'
  | 'unknown_company'
  | 'not_an_integrator'
  | 'account_has_companies'
  | 'test_key_in_production';
