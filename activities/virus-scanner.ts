/** ClamAV's daemon, spoken to over TCP (INSTREAM). */
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import NodeClam from 'clamscan';

export type Verdict = { readonly infected: false } | { readonly infected: true; readonly signature: string };

export interface VirusScanner {
  /** @throws Error when the daemon is away, dies, takes too long, or says anything but clean or infected. */
  scan(content: Buffer): Promise<Verdict>;
}

export interface ClamavAddress {
  readonly host: string;
  readonly port: number;
}

const ANSWERS_WITHIN_MS = 60_000;

/** @param withinMs how long one file may take, connection and all */
export function createVirusScanner({ host, port }: ClamavAddress, withinMs = ANSWERS_WITHIN_MS): VirusScanner {
  // Nothing is asked yet: a daemon that is away keeps no worker from starting. No binary of this machine stands in for it.
  const client = new NodeClam().init({
    clamscan: { active: false },
    clamdscan: { host, port, timeout: withinMs, path: '', localFallback: false, bypassTest: true },
  });
  return {
    async scan(content) {
      const daemon = await client;
      const body = Readable.from(pieces(content), { objectMode: false });
      // The client waits for ever for a daemon that keeps the connection open and says nothing.
      const late = new AbortController();
      try {
        const { isInfected, viruses } = await Promise.race([daemon.scanStream(body), tooLate(withinMs, late.signal)]);
        if (isInfected === true) return { infected: true, signature: viruses.join(', ').slice(0, 200) };
        // null is an answer that the client does not understand: by no means a clean file.
        if (isInfected === false) return { infected: false };
        throw new Error('the virus scanner gave no verdict');
      } finally {
        late.abort();
        body.destroy();
      }
    },
  };
}

async function tooLate(ms: number, signal: AbortSignal): Promise<never> {
  await delay(ms, undefined, { signal });
  throw new Error(`the virus scanner has not answered within ${ms} ms`);
}

const PIECE = 64 * 1024;

function* pieces(content: Buffer): Generator<Buffer> {
  for (let from = 0; from < content.byteLength; from += PIECE) yield content.subarray(from, from + PIECE);
}
