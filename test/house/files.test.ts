/** What the repository's files may hold, whatever their language. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from '../../workflows/search-attributes.ts';
import { ROOT } from './support.ts';

const SKIPPED = new Set(['.git', 'node_modules', 'dist', '.local', '.cache', 'coverage']);
const ENTRY_POINTS = new Set(['config.ts', 'api/main.ts', 'worker/main.ts', 'db/migrate.ts']);

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const inner = entries
    .filter(({ name }) => !SKIPPED.has(name))
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    });
  return (await Promise.all(inner)).flat();
}

/** Every line of the named files that matches, as `path:line`. */
async function linesWith(pattern: RegExp, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const lines = (await readFile(join(ROOT, path), 'utf8')).split('\n');
      return lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : []));
    }),
  );
  return found.flat();
}

describe('the files of the repository', function () {
  this.timeout(30_000);
  let all: string[];
  let sources: string[];
  before(async () => {
    all = (await filesUnder(ROOT)).map((path) => relative(ROOT, path)).filter((path) => path !== '.env');
    sources = all.filter((path) => /\.(?:ts|mts|mjs|js)$/.test(path));
    assert.ok(sources.length > 20, 'the walk over the repository found next to nothing');
  });

  it('read the environment only in entry points, local and test', async () => {
    const others = sources.filter((path) => !ENTRY_POINTS.has(path) && !/^(?:local|test)\//.test(path));
    assert.deepEqual(await linesWith(/\bprocess\s*\.\s*env\b|\benv\b.*from 'node:process'/, others), []);
  });

  it('name no package registry: the client of the machine knows its own', async () => {
    const hosts = /https?:\/\/[\w.-]*(?:npm|yarn|pypi|pythonhosted|golang|maven|debian)[\w.-]*\/|["']resolved["']:/;
    const self = relative(ROOT, import.meta.filename);
    const others = all.filter((path) => path !== self);
    assert.deepEqual(await linesWith(hosts, others), []);
  });

  it('leave nothing marked to be done', async () => {
    const marks = new RegExp(
      `\\b(?:${['TO', 'FIX', 'X'].map((half, i) => half + ['DO', 'ME', 'XX'][i]).join('|')})\\b`,
    );
    assert.deepEqual(
      await linesWith(
        marks,
        all.filter((path) => path !== 'package-lock.json'),
      ),
      [],
    );
  });

  it('silence neither the compiler nor the import table', async () => {
    const silencers = new RegExp(
      ['@ts-(?:ignore|nocheck|expect-error)', 'biome-ignore(?:-all|-start)? lint/?(?:plugin|:|$)'].join('|'),
    );
    const self = relative(ROOT, import.meta.filename);
    assert.deepEqual(
      await linesWith(
        silencers,
        sources.filter((path) => path !== self),
      ),
      [],
    );
  });
});

describe('the documents', () => {
  const LINK = /(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)|!\[[^\]]*\]\(([^)\s]+)\)/g;
  /** GitHub's anchor of a heading. */
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');

  const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');

  async function brokenLinks(document: string): Promise<string[]> {
    const text = withoutCode(await readFile(join(ROOT, document), 'utf8'));
    const targets = [...text.matchAll(LINK)].map((match) => match[1] ?? match[2] ?? '');
    const broken: string[] = [];
    for (const target of targets) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
      const [path = '', fragment] = decodeURI(target).split('#');
      const file = path === '' ? document : join(dirname(document), path);
      if (!existsSync(join(ROOT, file))) broken.push(`${document}: ${target}`);
      else if (fragment && file.endsWith('.md') && !(await anchorsOf(file)).has(fragment))
        broken.push(`${document}: ${target}`);
    }
    return broken;
  }

  async function anchorsOf(document: string): Promise<Set<string>> {
    const text = (await readFile(join(ROOT, document), 'utf8')).replace(/^```[\s\S]*?^```/gm, '');
    return new Set([...text.matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, heading = '']) => anchor(heading)));
  }

  it('link to files and headings that exist', async () => {
    const documents = (await filesUnder(ROOT))
      .map((path) => relative(ROOT, path))
      .filter((path) => path.endsWith('.md'));
    assert.ok(documents.includes('README.md'));
    assert.deepEqual((await Promise.all(documents.map(brokenLinks))).flat(), []);
  });

  it('have a line for each dependency', async () => {
    const { dependencies, devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const text = await readFile(join(ROOT, 'docs/dependencies.md'), 'utf8');
    const named = new Set(
      [...text.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1]),
      ),
    );
    const wanted = Object.keys({ ...dependencies, ...devDependencies });
    assert.deepEqual(
      wanted.filter((name) => !named.has(name)),
      [],
    );
    assert.deepEqual(
      [...named].filter((name) => !wanted.includes(String(name))),
      [],
    );
  });

  it('list each setting of config.ts for the deployment', async () => {
    const known = (await readFile(join(ROOT, 'config.ts'), 'utf8')).matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm);
    const wanted = [...new Set([...known].map(([, name]) => name))];
    const listed = (await readFile(join(ROOT, 'ops/env.example'), 'utf8')).matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm);
    const names = new Set([...listed].map(([, name]) => name));
    assert.ok(wanted.length > 10);
    assert.deepEqual(
      wanted.filter((name) => !names.has(name)),
      [],
    );
  });

  it('register in a deployment the search attributes that workflows set', async () => {
    const script = await readFile(join(ROOT, 'ops/temporal/namespace.sh'), 'utf8');
    const registered = [...script.matchAll(/^patiently attribute (\S+) (\S+)$/gm)].map(([, name, type]) => ({
      name,
      type,
    }));
    assert.deepEqual(registered, [...SEARCH_ATTRIBUTE_DEFINITIONS]);
  });

  it('name the test command that the continuous integration runs', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const block = /<!-- ci:test -->\n```sh\n([\s\S]*?)\n```\n<!-- \/ci:test -->/.exec(readme);
    assert.equal(block?.[1], 'npm test');
  });
});
