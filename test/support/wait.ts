/**
 * Waits for a condition, never for a guess: asks again until it holds, and says what was seen last when it does not.
 * The longer it has waited, the longer it pauses: asking is work, which takes the processor from what is waited for.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | false | undefined>,
  withinMs = 15_000,
): Promise<T> {
  const begun = Date.now();
  for (;;) {
    const found = await ask();
    if (found) return found;
    const waitedMs = Date.now() - begun;
    if (waitedMs > withinMs) throw new Error(`waited ${withinMs} ms for ${what}; it did not come`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(200, 25 + waitedMs / 5)));
  }
}
