/** Delivers notifications as a gateway does: once now, then again after its own delays until the merchant says 2xx. */
import type { Fault, Faults } from './faults.ts';

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
  /** What goes over the wire, made anew for each attempt: signatures may carry its time. Absent = the body as JSON. */
  readonly encode?: (body: unknown) => Letter;
}

export interface Letter {
  readonly text: string;
  /** Lower-case names; `content-type` is JSON unless said here. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Notifier {
  /** Resolves after the first attempt, whatever came of it; retries go on by themselves. */
  deliver(reference: string, url: () => string, body: unknown): Promise<void>;
  later(delayMs: number, task: () => Promise<void>): void;
  deliveries(reference: string): readonly Delivery[];
  close(): void;
}

/** Retries are forgotten when the sandbox stops: a merchant that polls finds out all the same. */
export function createNotifier(options: NotifierOptions): Notifier {
  const { faults, timeoutMs, retryDelaysMs, retriesFor, encode = asJson } = options;
  const timers = new Set<NodeJS.Timeout>();
  const log = new Map<string, Delivery[]>();
  const closing = new AbortController();

  const later: Notifier['later'] = (delayMs, task) => {
    if (closing.signal.aborted) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void task();
    }, delayMs);
    timers.add(timer);
  };
  const attempt = async (reference: string, url: () => string, body: string, tried: number): Promise<void> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
    const { status, timedOut } = await post(url(), encode(JSON.parse(body)), signal, faults.take('notification'));
    log.set(reference, [...(log.get(reference) ?? []), { at: new Date().toISOString(), status }]);
    const delay = retryDelaysMs[tried];
    if (delay === undefined || tried >= retriesFor(status, timedOut)) return;
    later(delay, () => attempt(reference, url, body, tried + 1));
  };
  return {
    // Kept as text: what is told again is what was told first.
    deliver: (reference, url, body) => attempt(reference, url, JSON.stringify(body), 0),
    later,
    deliveries: (reference) => log.get(reference) ?? [],
    close: () => {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
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
