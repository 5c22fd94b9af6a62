/** Stories that have nothing to do with each other, told at the same time: most of each is waiting. */

type Tale = () => Promise<void>;

/**
 * Declares an `it` for each story. All of them begin when the first is due, so many at once, and each `it` waits for its own.
 * Only for stories that touch nothing that they share: no faults at the gateway, no mailbox that is away.
 */
export function together(stories: Readonly<Record<string, Tale>>, atOnce = 6): void {
  const told = new Map<string, Promise<void>>();
  const begin = () => {
    const lanes: Promise<void>[] = Array.from({ length: atOnce }, () => Promise.resolve());
    for (const [index, [name, tell]] of Object.entries(stories).entries()) {
      const lane = index % atOnce;
      const story = (lanes[lane] ?? Promise.resolve()).then(tell);
      // The next story of the lane begins whatever became of this one, which its own `it` tells.
      lanes[lane] = story.catch(() => undefined);
      told.set(name, story);
    }
  };
  for (const name of Object.keys(stories))
    it(name, async function () {
      this.timeout(90_000);
      if (told.size === 0) begin();
      await told.get(name);
    });
}
