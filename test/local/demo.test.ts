import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DemoFailure } from '../../local/demo/failure.ts';
import { optionsOf } from '../../local/demo/options.ts';
import { playDemo } from '../../local/demo/play.ts';
import { runningSystem } from '../../local/demo/ready.ts';
import { type ReadyFile, writeReadyFile } from '../../local/ready-file.ts';
import { textRunsOf } from '../activities/documents/pdf-text.ts';
import { demoAccounts } from '../support/database.ts';
import { mailbox } from '../support/machine.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const UI = 'http://localhost:8233';
const ROOT = join(import.meta.dirname, '../..');

describe('the demonstration', () => {
  let system: TestSystem;
  let ready: ReadyFile;
  let directory: string;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    directory = await mkdtemp(join(tmpdir(), 'alur-demo-'));
    ready = {
      api: system.api.url,
      temporal: '127.0.0.1:1',
      temporalUi: UI,
      mailbox: (await mailbox()).httpUrl,
      gateways: system.sandboxUrl,
      postgres: system.database.url,
      accounts: await demoAccounts(),
    };
  });
  after(async () => {
    await system?.close();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  async function play(changes: Partial<ReadyFile> = {}, typeCode?: string) {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const run = { ready: { ...ready, ...changes }, write, directory, ...(typeCode ? { typeCode } : {}) };
    return { lines, played: await playDemo(run) };
  }
  const told = (lines: readonly string[], ...parts: string[]) => {
    let from = 0;
    for (const part of parts) {
      const found = lines.findIndex((line, index) => index >= from && line.includes(part));
      assert.ok(found >= 0, `“${part}” is told, in its place:\n${lines.join('\n')}`);
      from = found + 1;
    }
  };

  it('goes from log-in to the verified licence, and ends with the certificate and the link', async function () {
    this.timeout(60_000);
    const { lines, played } = await play();
    told(
      lines,
      'logs in as owner@alur.example',
      'chooses: Restaurant licence (restaurant), risk medium high',
      'fills in the form',
      'uploads identity_card.pdf',
      'uploads premises_photo.png',
      'submits the application',
      `workflow: ${UI}/namespaces/default/workflows/license-review%2F${played.applicationId}`,
      'verifier   finds it in the inbox',
      '→ compliance_check',
      'examiner   finds it in the inbox',
      '→ approval',
      'finds it in the inbox (seat',
      'votes to approve at the approval → approval',
      'finds it in the inbox (seat',
      'votes to approve at the approval → pending_payment',
      'issues invoice INV',
      `workflows/activation%2F${played.applicationId}`,
      'gets mail:',
      'attached: INV',
      'opens an attempt to pay',
      'workflows/payment%2F',
      'issues licence UMKM-RESTAURANT/',
      'gets mail:',
      'attached: UMKM-RESTAURANT-',
      'downloads the signed certificate',
      'is active',
    );
    const numbers = lines.flatMap((line) => /^ *(\d+) {2}\S/.exec(line)?.[1] ?? []).map(Number);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
    assert.ok(numbers.length > 15);
    for (const line of lines.filter((one) => /^ *\d+ {2}\S/.test(one))) assert.match(line, / \d+\.\d s$/);
    assert.ok(!lines.some((line) => line.includes('\u001b')), 'no colours where nobody asked for them');

    assert.deepEqual(lines.slice(-2), [`Certificate: ${played.certificate}`, `Verify:      ${played.verifyUrl}`]);
    assert.equal(dirname(played.certificate), directory);
    const printed = textRunsOf(await readFile(played.certificate)).map(({ text }) => text);
    assert.match(printed.join(' '), /UMKM-RESTAURANT\/\d{4}\/\d{6}/);
    const verified = await fetch(played.verifyUrl, { headers: { accept: 'application/json' } });
    assert.equal(z.object({ status: z.string() }).parse(await verified.json()).status, 'active');
  });

  it('can be told again and again, of any licence type, and without a mailbox or a Temporal UI', async function () {
    this.timeout(60_000);
    const first = await play({ mailbox: null, temporalUi: null }, 'retail_kiosk');
    const second = await play({ mailbox: null, temporalUi: null }, 'retail_kiosk');
    assert.notEqual(first.played.certificate, second.played.certificate);
    const everything = [...first.lines, ...second.lines].join('\n');
    assert.doesNotMatch(everything, /workflow:|gets mail|inbox/);
    assert.match(everything, /no person decides/);
  });

  it('names the licence types when there is none of that code', () =>
    assert.rejects(
      play({}, 'casino'),
      new DemoFailure(
        'There is no licence type casino; --type takes one of: retail_kiosk, home_food, restaurant, fuel_storage.',
      ),
    ));

  it('tells a refusal in the API’s words, with its code', () => {
    const { owner } = ready.accounts;
    const accounts = { ...ready.accounts, owner: { ...owner, password: 'wrong' } };
    return assert.rejects(play({ accounts }), (error: unknown) => {
      assert.ok(error instanceof DemoFailure);
      assert.match(error.message, /401 \(invalid_credentials\): The e-mail address or the password is wrong\./);
      return true;
    });
  });

  it('says so when the system goes away in the middle', () =>
    assert.rejects(
      play({ api: 'http://127.0.0.1:1' }),
      /127\.0\.0\.1:1 does not answer .*is npm start still running\?/,
    ));

  describe('before it begins', () => {
    it('reads where the system is', async () => {
      const file = join(directory, 'ready.json');
      await writeReadyFile(file, ready);
      assert.deepEqual(await runningSystem(file), ready);
    });
    it('asks for npm start when nothing answers there', async () => {
      const file = join(directory, 'stale.json');
      await writeFile(file, JSON.stringify({ ...ready, api: 'http://127.0.0.1:1' }));
      await assert.rejects(runningSystem(file), /does not answer at http:\/\/127\.0\.0\.1:1: run npm start first/);
    });
    it('ends with one sentence and exit code 1 when nothing was started', async () => {
      const { code, stdout, stderr } = await command();
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^Alur is not running here: run npm start .*\n$/);
    });
    it('takes a type and a pace, and explains them when it is given something else', async () => {
      assert.deepEqual(optionsOf([]), { typeCode: 'restaurant', pauseMs: 0 });
      assert.deepEqual(optionsOf(['--type', 'home_food', '--slow']), { typeCode: 'home_food', pauseMs: 3_000 });
      const { code, stderr } = await command('--fast');
      assert.equal(code, 1);
      assert.match(stderr, /--fast[\s\S]*--type <code of a licence type>, --slow/);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  });

  const command = (...args: string[]) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, ALUR_LOCAL_DIR: join(directory, 'nothing-here') };
      const child = execFile(
        process.execPath,
        ['--import', 'tsx', 'local/demo.ts', ...args],
        { cwd: ROOT, env },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
});
