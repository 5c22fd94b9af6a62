/** Names in the order of their times: lists of a hundred thousand are walked page by page without sorting them again. */

export interface Stretch {
  /** ISO 8601 in UTC as `toISOString` writes it; this and later. */
  readonly from?: string | undefined;
  /** Before this. */
  readonly to?: string | undefined;
  /** Begin behind this name, whatever `to` says. */
  readonly after?: string | undefined;
}

export interface Timeline {
  /** Puts a name at a time, or moves it there. Names of one instant keep the order in which they came. */
  put(name: string, at: string): void;
  has(name: string): boolean;
  newestFirst(stretch?: Stretch): Generator<string>;
  oldestFirst(): string[];
}

interface Place {
  readonly key: string;
  readonly name: string;
}

export function createTimeline(): Timeline {
  const keys = new Map<string, string>();
  const places: Place[] = [];
  let isSorted = true;
  let count = 0;

  // Nearly everything comes in its order, so this is seldom needed, and cheap where it is.
  const sorted = (): Place[] => {
    if (!isSorted) places.sort((a, b) => (a.key < b.key ? -1 : 1));
    isSorted = true;
    return places;
  };
  const firstFrom = (key: string): number => {
    const list = sorted();
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((list[middle]?.key ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    put: (name, at) => {
      const before = keys.get(name);
      if (before?.startsWith(at)) return;
      if (before !== undefined) places.splice(firstFrom(before), 1);
      count += 1;
      const key = `${at}#${String(count).padStart(10, '0')}`;
      keys.set(name, key);
      isSorted &&= (places.at(-1)?.key ?? '') < key;
      places.push({ key, name });
    },
    has: (name) => keys.has(name),
    oldestFirst: () => sorted().map(({ name }) => name),
    newestFirst: function* ({ from = '', to, after } = {}) {
      const end = after === undefined ? to : keys.get(after);
      let at = end === undefined ? places.length : firstFrom(end);
      for (let place = sorted()[--at]; place !== undefined && place.key >= from; place = sorted()[--at]) {
        yield place.name;
      }
    },
  };
}
