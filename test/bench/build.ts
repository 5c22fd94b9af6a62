/** What is measured is plain JavaScript with its workflows bundled, as in production; built aside, `dist/` stays as it is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { REPOSITORY } from '../../local/paths.ts';

const buildConfig = z.object({ include: z.array(z.string()) });

/** @returns the directory that holds `api/main.js`, `worker/main.js` and `test/bench/programs/*.js` */
export async function buildPrograms(directory: string): Promise<string> {
  await mkdir(directory);
  // Both are looked for from the importing file upwards.
  await symlink(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'));
  await symlink(join(REPOSITORY, 'package.json'), join(directory, 'package.json'));
  const { include } = buildConfig.parse(JSON.parse(await readFile(join(REPOSITORY, 'tsconfig.build.json'), 'utf8')));
  const config = {
    extends: join(REPOSITORY, 'tsconfig.build.json'),
    // Types are checked elsewhere; here only the code is wanted.
    compilerOptions: { outDir: directory, rootDir: REPOSITORY, noCheck: true },
    include: [...include, 'test/bench/programs'].map((path) => join(REPOSITORY, path)),
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
  await run(join(REPOSITORY, 'node_modules', '.bin', 'tsc'), ['-p', directory]);
  await Promise.all(include.filter((path) => !path.includes('.')).map((folder) => copyAssets(folder, directory)));
  await run(process.execPath, [join(directory, 'worker', 'bundle.js')]);
  return directory;
}

/** Fonts and the like, which lie beside the sources. */
const copyAssets = (folder: string, directory: string): Promise<void> =>
  cp(join(REPOSITORY, folder), join(directory, folder), { recursive: true, filter: (file) => !/\.tsx?$/.test(file) });

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { cwd: REPOSITORY, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code]: unknown[] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}`);
}
