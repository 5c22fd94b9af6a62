/** Waits for a condition, never for a guess: asks again until it holds, and says what was seen last when it does not. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | false | undefined>,
  withinMs = 15_000,
): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > until) throw new Error(`waited ${withinMs} ms for ${what}; it did not come`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
