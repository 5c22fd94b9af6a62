/** What happens next in the simulated year. The same entries come out in the same order, whenever each was put in. */

export interface Entry<Happening> {
  /** Epoch milliseconds, a whole minute. */
  readonly at: number;
  /** Of what falls into the same minute, the lower one comes first. */
  readonly rank: number;
  /** Then the lower number: of the case, or of the person. */
  readonly number: number;
  readonly what: Happening;
}

export interface Agenda<Happening> {
  add(entry: Entry<Happening>): void;
  /** Takes the first one off; undefined = nothing will happen any more. */
  next(): Entry<Happening> | undefined;
}

export function createAgenda<Happening>(): Agenda<Happening> {
  const entries: Entry<Happening>[] = [];
  return {
    add: (entry) => {
      // The latest first, so that what comes next is taken off the end.
      const after = entries.findIndex((other) => compare(other, entry) <= 0);
      entries.splice(after === -1 ? entries.length : after, 0, entry);
    },
    next: () => entries.pop(),
  };
}

const compare = (a: Entry<unknown>, b: Entry<unknown>): number => a.at - b.at || a.rank - b.rank || a.number - b.number;
