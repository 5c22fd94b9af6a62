/** Records that survive a restart: one JSON file each, replaced whole, so a crash leaves the old one or the new one. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';

export interface JsonStore<T> {
  get(key: string): T | undefined;
  find(test: (record: T) => boolean): T | undefined;
  all(): T[];
  put(key: string, record: T): void;
}

/** @param dir null = memory only. @throws Error with a sentence when a stored file cannot be read. */
export function createJsonStore<T>(dir: string | null, schema: z.ZodType<T>): JsonStore<T> {
  const records = dir === null ? new Map<string, T>() : load(dir, schema);
  return {
    get: (key) => records.get(key),
    find: (test) => [...records.values()].find(test),
    all: () => [...records.values()],
    put: (key, record) => {
      if (dir !== null) write(join(dir, fileName(key)), record);
      records.set(key, record);
    },
  };
}

const fileName = (key: string): string => `${encodeURIComponent(key)}.json`;

function load<T>(dir: string, schema: z.ZodType<T>): Map<string, T> {
  mkdirSync(dir, { recursive: true });
  // A *.tmp is what a crash left of a write that never counted.
  const names = readdirSync(dir).filter((name) => name.endsWith('.json'));
  return new Map(names.map((name) => [decodeURIComponent(name.slice(0, -5)), read(join(dir, name), schema)]));
}

function read<T>(file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(`The gateway sandbox cannot read ${file}; delete it, or empty the folder, and start again.`, {
      cause,
    });
  }
}

function write(file: string, record: unknown): void {
  writeFileSync(`${file}.tmp`, JSON.stringify(record, null, 2));
  renameSync(`${file}.tmp`, file);
}
