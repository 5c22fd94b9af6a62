/** Delivers notifications as a gateway does: once now, then again after its own delays until the merchant says 2xx. */
import type { Fault, Faults } from './faults.ts';
import type { EventOptions } from './sandbox.ts';

export interface Delivery {
  readonly at: string;
  /** What the merchant answered; null = nothing (refused, timed out or lost on purpose). */
  readonly status: number | null;
}

export interface NotifierOptions {
  readonly faults: Faults;
  readonly timeoutMs: number;
  /** Milliseconds before the second, third … attempt. */
  readonly retryDelaysMs: readonly number[];
  /** How many retries an answer deserves (`null` = no answer; `timedOut` = the merchant was reached and took too long). */
  readonly retriesFor: (status: number | null, timedOut: boolean) => number;
  /**
   * What goes over the wire, made anew for each attempt: signatures may carry its time. Absent = the body as JSON.
   * A forged one must not pass where the gateway signs; where the body holds the signature, the sandbox forges the body.
   */
  readonly encode?: (body: unknown, forged: boolean) => Letter;
  /** By which a fault may name the payment, given the key that it is notified under. Absent = that key. */
  readonly namesOf?: (key: string) => readonly string[];
}

export interface Letter {
  readonly text: string;
  /** Lower-case names; `content-type` is JSON unless said here. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Announcement {
  /** Under which deliveries are listed and held back: the payment. */
  readonly key: string;
  readonly url: () => string;
  readonly body: unknown;
  /** What the payment would have said before this; null = nothing. For `reordered`. */
  readonly earlier?: unknown;
}

export interface Notifier {
  /** Resolves after the first attempt, whatever came of it; retries go on by themselves. */
  deliver(key: string, url: () => string, body: unknown): Promise<void>;
  /** Delivers once, or as the event's options ask; see WEBHOOK_MODES. */
  announce(announcement: Announcement, how: Pick<EventOptions, 'webhook' | 'delayMs'>): Promise<void>;
  later(delayMs: number, task: () => Promise<void>, key?: string): void;
  /** Does now what waits: retries, and what was held back. @param key only of this payment */
  flush(key?: string): Promise<void>;
  deliveries(key: string): readonly Delivery[];
  close(): void;
}

interface Waiting {
  readonly key: string | undefined;
  readonly timer: NodeJS.Timeout;
  readonly task: () => Promise<void>;
}

/** Retries are forgotten when the sandbox stops: a merchant that polls finds out all the same. */
export function createNotifier(options: NotifierOptions): Notifier {
  const { faults, timeoutMs, retryDelaysMs, retriesFor, encode = asJson, namesOf = (key) => [key] } = options;
  const waiting = new Set<Waiting>();
  const log = new Map<string, Delivery[]>();
  const closing = new AbortController();

  const later: Notifier['later'] = (delayMs, task, key) => {
    if (closing.signal.aborted) return;
    const timer = setTimeout(() => {
      waiting.delete(entry);
      void task();
    }, delayMs);
    const entry: Waiting = { key, timer, task };
    waiting.add(entry);
  };
  const flush: Notifier['flush'] = async (key) => {
    const due = [...waiting].filter((entry) => key === undefined || entry.key === key);
    for (const entry of due) {
      clearTimeout(entry.timer);
      waiting.delete(entry);
    }
    // One after the other, in the order in which they came about.
    for (const { task } of due) await task();
  };
  const send = async (key: string, url: () => string, body: string, forged: boolean) => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
    const fault = forged ? null : faults.take('notification', namesOf(key));
    const outcome = await post(url(), encode(JSON.parse(body), forged), signal, fault);
    log.set(key, [...(log.get(key) ?? []), { at: new Date().toISOString(), status: outcome.status }]);
    return outcome;
  };
  const attempt = async (key: string, url: () => string, body: string, tried: number): Promise<void> => {
    const { status, timedOut } = await send(key, url, body, false);
    const delay = retryDelaysMs[tried];
    if (delay === undefined || tried >= retriesFor(status, timedOut)) return;
    later(delay, () => attempt(key, url, body, tried + 1), key);
  };
  // Kept as text: what is told again is what was told first.
  const deliver: Notifier['deliver'] = (key, url, body) => attempt(key, url, JSON.stringify(body), 0);

  return {
    deliver,
    announce: async ({ key, url, body, earlier }, { webhook, delayMs }) => {
      switch (webhook) {
        case 'none':
          return;
        case 'late':
          return later(delayMs, () => deliver(key, url, body), key);
        case 'forged':
          await send(key, url, JSON.stringify(body), true);
          return;
        case 'once':
          return deliver(key, url, body);
        case 'twice':
          await deliver(key, url, body);
          return deliver(key, url, body);
        case 'reordered': {
          const held = [...waiting].some((entry) => entry.key === key);
          await deliver(key, url, body);
          if (held) return flush(key);
          if (earlier !== undefined && earlier !== null) await deliver(key, url, earlier);
        }
      }
    },
    later,
    flush,
    deliveries: (key) => log.get(key) ?? [],
    close: () => {
      closing.abort();
      for (const { timer } of waiting) clearTimeout(timer);
    },
  };
}

const asJson = (body: unknown): Letter => ({ text: JSON.stringify(body), headers: {} });

interface Outcome {
  readonly status: number | null;
  readonly timedOut: boolean;
}

/** A fault "before" loses the notification; one "after" delivers it and ignores the answer, so it comes again. */
async function post(
  url: string,
  { text, headers }: Letter,
  signal: AbortSignal,
  fault: Fault['kind'] | null,
): Promise<Outcome> {
  const unanswered = { status: null, timedOut: fault === 'timeout_before' || fault === 'timeout_after' };
  if (fault === '5xx_before' || fault === 'timeout_before' || fault === '429') return unanswered;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'gateway-sandbox', ...headers },
      body: text,
      redirect: 'manual',
      signal,
    });
    await response.body?.cancel();
    return fault === null ? { status: response.status, timedOut: false } : unanswered;
  } catch (error) {
    // Down, unreachable or too slow: the gateway's answer to all three is the next retry, if it has one.
    return { status: null, timedOut: error instanceof Error && error.name === 'TimeoutError' };
  }
}
