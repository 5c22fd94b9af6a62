/** The lint rules beside the import table that the house leans on: each refuses what it is there for. */
import assert from 'node:assert/strict';
import { type Finding, lint } from './support.ts';

const PROXY = `import { condition, proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { issueLicense } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });
const mail = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });

`;
const story = (body: string) => `${PROXY}export async function story(): Promise<unknown> {\n  ${body}\n}\n`;
const use = 'await condition(() => true);\n  await mail.send();\n  await issueLicense();\n  return sleep(1);';

interface Case {
  readonly says: string;
  readonly path: string;
  readonly rule: string | null;
  readonly text: string;
}

const CASES: readonly Case[] = [
  {
    says: 'keeps the clock out of domain',
    path: 'domain/a.ts',
    rule: 'plugin',
    text: 'export const now = () => new Date();\n',
  },
  {
    says: 'keeps Date.now out of domain',
    path: 'domain/b.ts',
    rule: 'plugin',
    text: 'export const now = () => Date.now();\n',
  },
  {
    says: 'keeps dice out of domain',
    path: 'domain/c.ts',
    rule: 'plugin',
    text: 'export const die = () => Math.random();\n',
  },
  {
    says: 'lets domain read a given instant',
    path: 'domain/d.ts',
    rule: null,
    text: 'export const at = (iso: string) => new Date(iso);\n',
  },
  {
    says: 'keeps the network out of domain',
    path: 'domain/e.ts',
    rule: 'noRestrictedGlobals',
    text: "export const page = () => fetch('http://localhost');\n",
  },
  {
    says: 'keeps the process out of workflows',
    path: 'workflows/a.ts',
    rule: 'noRestrictedGlobals',
    text: 'export const here = () => process.cwd();\n',
  },
  {
    says: 'keeps the environment out of rooms',
    path: 'activities/a.ts',
    rule: 'noProcessEnv',
    text: 'export const home = () => process.env.HOME;\n',
  },
  {
    says: 'lets an entry point read the environment',
    path: 'worker/main.ts',
    rule: null,
    text: 'export const home = () => process.env.HOME;\n',
  },
  {
    says: 'sees an activity that nobody awaits',
    path: 'workflows/b.ts',
    rule: 'plugin',
    text: story(`issueLicense();\n  ${use}`),
  },
  {
    says: 'sees it on a proxy object too',
    path: 'workflows/c.ts',
    rule: 'plugin',
    text: story(`mail.send();\n  ${use}`),
  },
  {
    says: 'sees a timer that nobody awaits',
    path: 'workflows/d.ts',
    rule: 'plugin',
    text: story(`sleep('1 day');\n  ${use}`),
  },
  {
    says: 'accepts awaited and marked ones',
    path: 'workflows/e.ts',
    rule: null,
    text: story(`void issueLicense();\n  ${use}`),
  },
  {
    says: 'sees a promise that nobody awaits',
    path: 'api/a.ts',
    rule: 'noFloatingPromises',
    text: 'async function save(): Promise<void> {}\nexport function route(): void {\n  save();\n}\n',
  },
  {
    says: 'sees a missing case',
    path: 'domain/f.ts',
    rule: 'useExhaustiveSwitchCases',
    text: "export function f(x: 'a' | 'b'): number | undefined {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return undefined;\n}\n",
  },
  {
    says: 'keeps development packages out of the image',
    path: 'worker/a.ts',
    rule: 'noUndeclaredDependencies',
    text: "import { Server } from 'smtp-server';\nexport const s = Server;\n",
  },
  { says: 'refuses any', path: 'api/b.ts', rule: 'noExplicitAny', text: 'export const f = (x: any): unknown => x;\n' },
  {
    says: 'wants type imports marked',
    path: 'api/c.ts',
    rule: 'useImportType',
    text: "import { Money } from '../domain/money.ts';\nexport type Price = Money;\n",
  },
  {
    says: 'refuses a skipped test',
    path: 'test/a.test.ts',
    rule: 'noSkippedTests',
    text: "describe.skip('deciding', () => {});\n",
  },
];

describe('the house rules', function () {
  this.timeout(60_000);
  let errors: Map<string, Finding[]>;
  before(async () => {
    errors = await lint(new Map(CASES.map(({ path, text }) => [path, text])));
  });

  for (const { says, path, rule } of CASES) {
    it(says, () => {
      const found = (errors.get(path) ?? []).map(({ category }) => category.split('/').at(-1));
      assert.deepEqual(found, rule === null ? [] : [rule]);
    });
  }
});
