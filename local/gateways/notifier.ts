/** Delivers notifications as a gateway does: once now, then again after its own delays until the merchant says 2xx. */
import type { Faults } from './faults.ts';

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
  /** How many retries an answer deserves (`null` = no answer). */
  readonly retriesFor: (status: number | null) => number;
}

export interface Notifier {
  /** Resolves after the first attempt, whatever came of it; retries go on by themselves. */
  deliver(reference: string, url: () => string, body: unknown): Promise<void>;
  later(delayMs: number, task: () => Promise<void>): void;
  deliveries(reference: string): readonly Delivery[];
  close(): void;
}

/** Retries are forgotten when the sandbox stops: a merchant that polls finds out all the same. */
export function createNotifier({ faults, timeoutMs, retryDelaysMs, retriesFor }: NotifierOptions): Notifier {
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
  const attempt = async (reference: string, url: () => string, text: string, tried: number): Promise<void> => {
    const status = await post(url(), text, AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]), faults);
    log.set(reference, [...(log.get(reference) ?? []), { at: new Date().toISOString(), status }]);
    const delay = retryDelaysMs[tried];
    if (delay === undefined || tried >= retriesFor(status)) return;
    later(delay, () => attempt(reference, url, text, tried + 1));
  };
  return {
    deliver: (reference, url, body) => attempt(reference, url, JSON.stringify(body), 0),
    later,
    deliveries: (reference) => log.get(reference) ?? [],
    close: () => {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** A fault "before" loses the notification; one "after" delivers it and ignores the answer, so it comes again. */
async function post(url: string, text: string, signal: AbortSignal, faults: Faults): Promise<number | null> {
  const fault = faults.take('notification');
  if (fault === '5xx_before' || fault === 'timeout_before' || fault === '429') return null;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'gateway-sandbox' },
      body: text,
      redirect: 'manual',
      signal,
    });
    await response.body?.cancel();
    return fault === null ? response.status : null;
  } catch {
    // Down, unreachable or too slow: the gateway's answer to all three is the next retry.
    return null;
  }
}
