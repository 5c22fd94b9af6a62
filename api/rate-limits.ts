/**
 * How often somebody may ask. A route names its limit; `createAdmission` (api/admission.ts) counts before a body is read.
 * The general limits are counted in memory and settled between the processes (shared-counts.ts). Those that guard an
 * account, few and slow anyway, ask PostgreSQL each time.
 */
import type { Response } from 'express';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Knex } from '../db/connection.ts';
import type { PersonalData } from '../db/personal-data.ts';
import { Failure } from '../domain/failures.ts';
import { secondsOf, sharedTable } from './limiters.ts';
import { loggable } from './logging.ts';
import { rateLimited } from './metrics.ts';
import { lineOf } from './networks.ts';
import type { Caller } from './request.ts';
import { type Count, createSharedCounts, WINDOW_MS } from './shared-counts.ts';

/**
 * Requests a minute, as a share of the configured default (100): who raises that raises all. Callers are counted by
 * account, on public routes by network; each limit has its own counter.
 */
const SHARES = {
  default: 1,
  /** Phones poll it, and it is one indexed read. */
  status: 3,
  upload: 0.3,
  pay: 0.2,
  /** Whole offices and mobile networks stand behind one address. */
  public: 3,
  login: 3,
  reset: 3,
  /** Gateways send in bursts when they have been away, from one address, and what they send is signed: 250 a second. */
  webhook: 150,
} as const;

/** Names of the limits that a route can choose. */
export type LimitName = keyof typeof SHARES;

/** On top, for the account that the body names, from one network. */
const ACCOUNT_LIMITS = { login: { share: 0.1, seconds: 60 }, reset: { share: 0.05, seconds: 3600 } } as const;
type AccountLimitName = keyof typeof ACCOUNT_LIMITS;

export interface RateLimits {
  /** @throws Failure `rate_limited`. An API key has one limit of its own for whatever it calls. */
  countCaller(limit: LimitName, caller: Caller, res: Response): void;
  /** @throws Failure `rate_limited` */
  countAddress(limit: LimitName, address: string, res: Response): void;
  /** @throws Failure `rate_limited` */
  countAccount(limit: AccountLimitName, account: Account, res: Response): Promise<void>;
  close(): Promise<void>;
}

interface Account {
  readonly address: string;
  readonly email: string;
}

export const guardsAccount = (limit: LimitName): limit is AccountLimitName => limit in ACCOUNT_LIMITS;

export interface RateLimitOptions {
  readonly db: Knex;
  readonly logger: Logger;
  readonly personalData: Pick<PersonalData, 'fingerprint'>;
  readonly requestsPerMinute: number;
}

export function createRateLimits(options: RateLimitOptions): RateLimits {
  const shared = createSharedCounts(options);
  const keyCounts = shared.of('key');
  const general = {
    default: generalLimit('default'),
    status: generalLimit('status'),
    upload: generalLimit('upload'),
    pay: generalLimit('pay'),
    public: generalLimit('public'),
    login: generalLimit('login'),
    reset: generalLimit('reset'),
    webhook: generalLimit('webhook'),
  } satisfies Record<LimitName, unknown>;
  const accounts = { login: accountLimit('login', options), reset: accountLimit('reset', options) };

  function generalLimit(name: LimitName) {
    const points = share(SHARES[name], options);
    return { name, points, policy: policyOf(name, points, WINDOW_MS / 1000), countOf: shared.of(name) };
  }

  function count(found: Count, rule: { name: string; points: number; policy: string }, now: number, res: Response) {
    // A refused request is not counted: who is over the limit costs no further writes.
    const used = found.used < rule.points;
    if (used) shared.add(found);
    tell(res, rule, rule.points - found.used, found.endsAt - now);
    if (!used) throw tooMany(rule.name, found.endsAt - now);
  }

  return {
    countCaller(limit, caller, res) {
      const now = Date.now();
      if (caller.key === undefined) {
        const rule = general[limit];
        return count(rule.countOf(caller.userId, now), rule, now, res);
      }
      const { id, requestsPerMinute: points } = caller.key;
      const rule = { name: 'key', points, policy: policyOf('key', points, WINDOW_MS / 1000) };
      return count(keyCounts(id, now), rule, now, res);
    },
    countAddress(limit, address, res) {
      const now = Date.now();
      const rule = general[limit];
      count(rule.countOf(whoIsBehind(address), now), rule, now, res);
    },
    countAccount: (limit, account, res) => accounts[limit](account, res),
    close: () => shared.close(),
  };
}

const share = (of: number, { requestsPerMinute }: RateLimitOptions): number =>
  Math.max(1, Math.round(of * requestsPerMinute));

/** Counted by a keyed hash: neither the address of a person nor that of a network is written down for it. */
function accountLimit(name: AccountLimitName, { db, logger, personalData, requestsPerMinute }: RateLimitOptions) {
  const { seconds: duration } = ACCOUNT_LIMITS[name];
  const points = share(ACCOUNT_LIMITS[name].share, { db, logger, personalData, requestsPerMinute });
  const rule = { name: `${name}-account`, points, policy: policyOf(`${name}-account`, points, duration) };
  const store = new RateLimiterPostgres({
    ...sharedTable(db),
    keyPrefix: rule.name,
    points,
    duration,
    // Who is over the limit is refused without a question to PostgreSQL.
    inMemoryBlockOnConsumed: points,
  });
  const insurance = new RateLimiterMemory({ keyPrefix: rule.name, points, duration });
  let away = false;

  /** Like the library's insuranceLimiter, which would not tell anybody. */
  async function consume(key: string): Promise<RateLimiterRes> {
    try {
      const used = await store.consume(key).catch(refusal);
      away = false;
      return used;
    } catch (error) {
      if (!away) logger.warn({ err: loggable(error) }, 'log-ins are counted by each process for itself');
      away = true;
      return insurance.consume(key).catch(refusal);
    }
  }

  return async ({ address, email }: Account, res: Response): Promise<void> => {
    const account = `${email.trim().toLowerCase()}\n${whoIsBehind(address)}`;
    const used = await consume(personalData.fingerprint(account, 'rate_limits.key'));
    const over = used.consumedPoints > points || used.consumedPoints === 0;
    tell(res, rule, used.remainingPoints, used.msBeforeNext);
    if (over) throw tooMany(rule.name, used.msBeforeNext);
  };
}

/** The library throws what it refuses with. */
function refusal(thrown: unknown): RateLimiterRes {
  if (thrown instanceof RateLimiterRes) return thrown;
  throw thrown;
}

/** As draft-ietf-httpapi-ratelimit-headers-10 has it, and the three fields of its earlier drafts, which clients know. */
function tell(res: Response, rule: { name: string; points: number; policy: string }, left: number, ms: number): void {
  const seconds = secondsOf(ms);
  const remaining = Math.max(0, left);
  res.setHeader('RateLimit-Policy', rule.policy);
  res.setHeader('RateLimit', `"${rule.name}";r=${remaining};t=${seconds}`);
  res.setHeader('RateLimit-Limit', rule.points);
  res.setHeader('RateLimit-Remaining', remaining);
  res.setHeader('RateLimit-Reset', seconds);
}

const policyOf = (name: string, points: number, seconds: number): string => `"${name}";q=${points};w=${seconds}`;

function tooMany(limit: string, ms: number): Failure {
  rateLimited.inc({ limit });
  return new Failure('rate_limited', '', { retryAfterSeconds: secondsOf(ms) });
}

/** As `lineOf`; of an IPv4 address that is the address itself, and most requests are spared the reading of it. */
const whoIsBehind = (address: string): string => (address.includes(':') ? lineOf(address) : address);
