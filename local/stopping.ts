/** Stopping in order: API, worker, then the servers they talk to. A second Ctrl-C ends all of it at once. */
import type { KeptChild } from './children.ts';
import type { Screen } from './screen.ts';

export type Stopping = {
  api(child: KeptChild): void;
  worker(child: KeptChild): void;
  server(child: KeptChild): void;
  /**
   * Stops children that were still on their way up when the end came. To be said only by who holds the lock: a second
   * start, which is refused, must not sweep away what the first one runs.
   */
  sweepWith(stop: () => Promise<unknown>): void;
  /** Runs as soon as somebody asks to stop. Synchronous, like the next, so that a hurried end does it too. */
  atFirst(work: () => void): void;
  /** Runs after everything has stopped. */
  atLast(work: () => void): void;
  /** Stops as on Ctrl-C once this is true. */
  whenGone(gone: () => boolean): void;
  /** Whether somebody has asked to stop. */
  requested(): boolean;
  stopAll(): Promise<void>;
};

/** Listens to the signals from here on. */
export function createStopping(screen: Screen): Stopping {
  const groups = { api: new Set<KeptChild>(), worker: new Set<KeptChild>(), server: new Set<KeptChild>() };
  const first: (() => void)[] = [];
  const last: (() => void)[] = [];
  const state = { requested: false };
  const sweep = { run: async (): Promise<unknown> => undefined };

  const stopAll = async () => {
    runAll(first);
    for (const group of [groups.api, groups.worker, groups.server]) {
      await Promise.allSettled([...group].map((child) => child.stop()));
    }
    await sweep.run();
    runAll(last);
  };
  const killAll = () => {
    for (const group of Object.values(groups)) for (const child of group) child.kill();
    runAll([...first, ...last]);
    process.exit(130);
  };
  const request = async () => {
    if (state.requested) return killAll();
    state.requested = true;
    screen.line('\nStopping; press Ctrl-C once more to end at once.');
    await stopAll();
    screen.line('Stopped.');
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void request());

  return {
    api: (child) => void groups.api.add(child),
    worker: (child) => void groups.worker.add(child),
    server: (child) => void groups.server.add(child),
    sweepWith: (stop) => {
      sweep.run = stop;
    },
    atFirst: (work) => void first.push(work),
    atLast: (work) => void last.push(work),
    whenGone: (gone) => {
      setInterval(() => {
        if (gone() && !state.requested) void request();
      }, 250).unref();
    },
    requested: () => state.requested,
    stopAll,
  };
}

function runAll(works: (() => void)[]): void {
  for (const work of works.splice(0)) work();
}
