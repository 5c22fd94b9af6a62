/** `.local/ready.json`: where everything is, for scripts and tests. There while the machine is ready, and only then. */
import { rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { DemoAccounts } from './demo-data.ts';

export type ReadyFile = {
  api: string;
  temporal: string;
  /** null where a real server is used that this machine has no page of; likewise the next two. */
  temporalUi: string | null;
  mailbox: string | null;
  gateways: string | null;
  postgres: string;
  accounts: DemoAccounts;
};

/** Owner-only: it holds passwords. Renamed into place, so nobody reads half of it. */
export async function writeReadyFile(file: string, content: ReadyFile): Promise<void> {
  const unfinished = `${file}.unfinished`;
  await writeFile(unfinished, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, file);
}

export function removeReadyFile(file: string): void {
  rmSync(file, { force: true });
}
