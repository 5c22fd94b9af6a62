/** The stored histories: events of real executions, in the JSON form in which the Temporal CLI shows and takes them. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const DIRECTORY = join(import.meta.dirname, 'histories');

const startShape = z.looseObject({
  workflowExecutionStartedEventAttributes: z.looseObject({
    workflowId: z.string(),
    workflowType: z.looseObject({ name: z.string() }),
  }),
});

const jsonShape = z.object({ events: z.tuple([startShape], z.looseObject({ eventId: z.string() })) });
export type HistoryJson = z.infer<typeof jsonShape>;

export interface StoredHistory {
  /** `<workflow>-<case>`, the file without its ending. */
  readonly name: string;
  /** The process, by the name under which workflows/index.ts exports it. */
  readonly workflow: string;
  /** Processes make keys from their own ID, so a replay has to run under the one that was recorded. */
  readonly workflowId: string;
  readonly json: HistoryJson;
}

/** @throws z.ZodError when this is no history, or one that does not say which workflow it is of */
export function toStoredHistory(name: string, json: unknown): StoredHistory {
  const parsed = jsonShape.parse(json);
  const [{ workflowExecutionStartedEventAttributes: start }] = parsed.events;
  return { name, workflow: start.workflowType.name, workflowId: start.workflowId, json: parsed };
}

export async function storedHistories(): Promise<StoredHistory[]> {
  const files = (await readdir(DIRECTORY)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) =>
      toStoredHistory(file.slice(0, -'.json'.length), JSON.parse(await readFile(join(DIRECTORY, file), 'utf8'))),
    ),
  );
}

/** Writes over the ones of the same name and leaves the others alone. One event a line, for readable diffs. */
export async function storeHistories(histories: readonly StoredHistory[]): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true });
  for (const { name, json } of histories) {
    const lines = json.events.map((event) => JSON.stringify(event));
    await writeFile(join(DIRECTORY, `${name}.json`), `{"events":[\n${lines.join(',\n')}\n]}\n`);
  }
}
