/** A sandbox's records: kept by json-store, found again by any of their names, listed by time. */
import type { z } from 'zod';
import { createJsonStore } from './json-store.ts';
import { createTimeline, type Stretch, type Timeline } from './timeline.ts';

export interface Entry {
  /** One of the record's names. */
  readonly name: string;
  /** ISO 8601 in UTC. */
  readonly at: string;
}

export interface BookOptions<T, L extends string> {
  /** null = memory only. */
  readonly dir: string | null;
  readonly schema: z.ZodType<T>;
  readonly idOf: (record: T) => string;
  readonly createdAt: (record: T) => string;
  /** Everything else by which it is asked for: the merchant's reference, its payment, its refunds, their keys. */
  readonly namesOf: (record: T) => readonly string[];
  /** What of it stands in which list. */
  readonly lists: Record<L, (record: T) => readonly Entry[]>;
}

export interface Book<T, L extends string> {
  get(id: string): T | undefined;
  /** By its ID or another name; oldest first. */
  named(name: string): T[];
  /** Oldest first. */
  all(): T[];
  /** Newest first; each entry with its record. @param name only of records that have this name: their own entries. */
  walk(list: L, stretch?: Stretch, name?: string): Iterable<readonly [string, T]>;
  has(list: L, name: string): boolean;
  save(record: T): void;
  /** In memory only: for measuring with many. */
  hold(records: Iterable<T>): void;
}

export function createBook<T, L extends string>(options: BookOptions<T, L>): Book<T, L> {
  const { dir, schema, idOf, createdAt, namesOf } = options;
  const store = createJsonStore(dir, schema);
  const records = new Map<string, T>();
  const names = new Map<string, readonly string[]>();
  const created = createTimeline();
  const lists = new Map<string, readonly [Timeline, (record: T) => readonly Entry[]]>();
  for (const [list, entriesOf] of Object.entries<(record: T) => readonly Entry[]>(options.lists)) {
    lists.set(list, [createTimeline(), entriesOf]);
  }

  const learn = (record: T): void => {
    const id = idOf(record);
    records.set(id, record);
    created.put(id, createdAt(record));
    for (const name of namesOf(record)) {
      const known = names.get(name) ?? [];
      if (!known.includes(id)) names.set(name, [...known, id]);
    }
    for (const [timeline, entriesOf] of lists.values()) {
      for (const { name, at } of entriesOf(record)) timeline.put(name, at);
    }
  };
  const named = (name: string): T[] =>
    [name, ...(names.get(name) ?? [])].flatMap((id) => {
      const record = records.get(id);
      return record === undefined ? [] : [record];
    });

  function* walk(list: L, stretch?: Stretch): Generator<readonly [string, T]> {
    for (const name of lists.get(list)?.[0].newestFirst(stretch) ?? []) {
      const [record] = named(name);
      if (record !== undefined) yield [name, record];
    }
  }
  const walkOne = (list: L, name: string, { from = '', to = '~', after }: Stretch = {}): (readonly [string, T])[] => {
    const entries = named(name).flatMap((record) => options.lists[list](record).map((entry) => ({ ...entry, record })));
    const newest = entries.toReversed().toSorted((a, b) => b.at.localeCompare(a.at));
    const begin = after === undefined ? 0 : newest.findIndex((entry) => entry.name === after) + 1;
    return newest.slice(begin).flatMap(({ name: own, at, record }) => (at >= from && at < to ? [[own, record]] : []));
  };

  for (const record of store.all().toSorted((a, b) => createdAt(a).localeCompare(createdAt(b)))) learn(record);
  return {
    get: (id) => records.get(id),
    named,
    all: () => created.oldestFirst().flatMap((id) => records.get(id) ?? []),
    walk: (list, stretch, name) => (name === undefined ? walk(list, stretch) : walkOne(list, name, stretch)),
    has: (list, name) => lists.get(list)?.[0].has(name) ?? false,
    save: (record) => {
      store.put(idOf(record), record);
      learn(record);
    },
    hold: (many) => {
      for (const record of many) learn(record);
    },
  };
}
