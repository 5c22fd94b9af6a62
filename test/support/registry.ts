/**
 * What this test run has to stop. Kept on the global object: mocha may load a file once by `require` and once by
 * `import`, and the teardown in one copy must know what a test started through the other.
 */
declare global {
  var alurTestStops: (() => Promise<void>)[] | undefined;
}

/** Runs at the end of the run; what was registered last is stopped first. */
export function stopAtEnd(stop: () => Promise<void>): void {
  globalThis.alurTestStops ??= [];
  globalThis.alurTestStops.push(stop);
}

/** Stops all that was started. Goes on when one cannot be stopped, and throws the first reason at the end. */
export async function stopAll(): Promise<void> {
  const failures: unknown[] = [];
  const stops = globalThis.alurTestStops?.splice(0).reverse() ?? [];
  for (const stop of stops) await stop().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Makes a function that does its work once, however often it is called. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
