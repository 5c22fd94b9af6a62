/**
 * Looks into an uploaded file before it is stored: can it be read, and what does it carry? What is sent in may be made to
 * harm, so it is opened in a thread of its own (document-checks-thread.mjs) that is ended when it takes too much.
 */
import { once } from 'node:events';
import { setInterval } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { pdfFlags, pictureFlags, type Sanity } from '../domain/documents.ts';

export interface CheckTask {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

export type CheckResult =
  | { readonly pdf: { pages: number; encrypted: boolean; scripts: boolean; attachments: boolean } }
  | { readonly picture: { width: number; height: number } }
  | { readonly unreadable: 'locked' | 'damaged' | 'too_complex' };

export interface DocumentChecks {
  check(content: Buffer, contentType: string): Promise<Sanity>;
  close(): Promise<void>;
}

export interface CheckLimits {
  readonly withinMs: number;
  /** By which the process may grow meanwhile: a thread's buffers are outside of its heap, and no limit of Node's counts them. */
  readonly growsBytes: number;
  readonly heapMegabytes: number;
  readonly atOnce: number;
}

const LIMITS: CheckLimits = { withinMs: 5_000, growsBytes: 384 * 1024 * 1024, heapMegabytes: 192, atOnce: 2 };
const LOOK_EVERY_MS = 25;
const THREAD = new URL('./document-checks-thread.mjs', import.meta.url);

interface Waiting extends CheckTask {
  settle(sanity: Sanity): void;
  fail(error: Error): void;
}

/** Threads are started when files come, and keep no process alive. */
export function createDocumentChecks(limits: CheckLimits = LIMITS): DocumentChecks {
  const waiting: Waiting[] = [];
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  let busy = 0;

  function next(): void {
    if (busy >= limits.atOnce) return;
    const task = waiting.shift();
    if (!task) return;
    busy += 1;
    void run(task).finally(() => {
      busy -= 1;
      next();
    });
  }

  async function run(task: Waiting): Promise<void> {
    try {
      const thread = idle.pop() ?? (await started());
      const result = await resultWithin(thread, task, limits);
      if (all.has(thread)) idle.push(thread);
      task.settle(sanityOf(result));
    } catch (error) {
      task.fail(new Error('the thread that looks into files could not be started', { cause: error }));
    }
  }

  async function started(): Promise<Worker> {
    const thread = new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes } });
    all.add(thread);
    // What goes wrong while nobody asks is found when somebody does.
    thread.on('error', () => forget(thread));
    thread.on('exit', () => forget(thread));
    await once(thread, 'message');
    thread.unref();
    return thread;
  }

  function forget(thread: Worker): void {
    all.delete(thread);
    if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
  }

  return {
    check: (content, contentType) =>
      new Promise((settle, fail) => {
        // A copy: what is handed to the thread is transferred, and the caller still has to store its own.
        waiting.push({ content: Uint8Array.from(content), contentType, settle, fail });
        next();
      }),
    async close() {
      await Promise.all([...all].map((thread) => thread.terminate()));
      all.clear();
      idle.length = 0;
    },
  };
}

/** Once it answers with too_complex the thread is over. */
async function resultWithin(
  thread: Worker,
  { content, contentType }: CheckTask,
  limits: CheckLimits,
): Promise<CheckResult> {
  const settled = new AbortController();
  thread.ref();
  try {
    const answered = once(thread, 'message', { signal: settled.signal });
    thread.postMessage({ content, contentType } satisfies CheckTask, [content.buffer]);
    const answer: CheckResult[] | 'too_complex' = await Promise.race([answered, tooMuch(limits, settled.signal)]);
    const result = answer === 'too_complex' ? answer : answer[0];
    if (result && result !== 'too_complex') return result;
  } catch {
    // Its heap was full, or the reader itself fell over what it read: the same to whoever sent it.
  } finally {
    settled.abort();
    thread.unref();
  }
  await thread.terminate();
  return { unreadable: 'too_complex' };
}

/** Resolves when time or memory is used up. */
async function tooMuch({ withinMs, growsBytes }: CheckLimits, signal: AbortSignal): Promise<'too_complex'> {
  const until = performance.now() + withinMs;
  const mostBytes = process.memoryUsage.rss() + growsBytes;
  for await (const _ of setInterval(LOOK_EVERY_MS, undefined, { signal })) {
    if (performance.now() > until || process.memoryUsage.rss() > mostBytes) break;
  }
  return 'too_complex';
}

function sanityOf(result: CheckResult): Sanity {
  if ('unreadable' in result) return { flags: [result.unreadable] };
  if ('pdf' in result) return { pages: result.pdf.pages, flags: pdfFlags(result.pdf) };
  return { ...result.picture, flags: pictureFlags(result.picture) };
}
