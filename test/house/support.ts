/** A copy of the house rules in an empty folder, to see what they say of files that must never be written here. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

const BIOME = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');

export interface Finding {
  readonly category: string;
  readonly message: string;
}

interface Report {
  readonly diagnostics: readonly {
    readonly severity: string;
    readonly category: string;
    readonly message: string;
    readonly location: { readonly path: string };
  }[];
}

/**
 * Lints source texts under the repository's own rules.
 * @param files text by path, as if the path lay in the repository
 * @returns the errors (not the warnings) by path; a path without any has none.
 */
export async function lint(files: ReadonlyMap<string, string>): Promise<Map<string, Finding[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'alur-house-'));
  try {
    for (const rule of ['biome.json', 'package.json', 'tsconfig.json', 'local/lint']) {
      await cp(join(ROOT, rule), join(folder, rule), { recursive: true });
    }
    for (const [path, text] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return errorsByPath(await runBiome(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function runBiome(folder: string): Promise<string> {
  const args = [BIOME, 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      // Biome exits 1 when it finds errors, which is what most of these texts are for.
      if (stdout.startsWith('{')) done(stdout);
      else fail(new Error(`biome gave no report: ${stderr}`, { cause: error }));
    });
  });
}

function errorsByPath(stdout: string): Map<string, Finding[]> {
  const report: Report = JSON.parse(stdout);
  const errors = new Map<string, Finding[]>();
  for (const { severity, category, message, location } of report.diagnostics) {
    if (severity !== 'error' && severity !== 'fatal') continue;
    errors.set(location.path, [...(errors.get(location.path) ?? []), { category, message }]);
  }
  return errors;
}
