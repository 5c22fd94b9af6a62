/**
 * What every npm script runs first: plain Node without dependencies, so that it works before anything is installed.
 * `node local/bootstrap.mjs <command> [arguments]`.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [command = 'start', ...rest] = process.argv.slice(2);

/** A failure that is said in one sentence, without a stack. */
function giveUp(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  giveUp(
    `Alur needs Node 20.19 or newer, and this is ${process.version}: install a newer one from https://nodejs.org.`,
  );
}

/** True when node_modules holds, in the locked versions, all that this platform needs. */
function isInstalled() {
  const listed = join(root, 'node_modules', '.package-lock.json');
  // npm writes this file last, so an interrupted installation has none.
  if (!existsSync(listed)) return false;
  const installed = JSON.parse(readFileSync(listed, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(
    ([path, entry]) => path === '' || !isForHere(entry) || installed[path]?.version === entry.version,
  );
}

function isForHere({ os, cpu, libc }) {
  return (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch)) && !libc;
}

async function install() {
  if (isInstalled()) return;
  await withInstallLock(async () => {
    if (!isInstalled()) await runNpmCi();
  });
}

async function runNpmCi() {
  requireSpace(1_000, 'install the dependencies');
  process.stdout.write('Installing the dependencies (npm ci) ...\n');
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1_000);
  const ticking = setInterval(() => process.stdout.write(`  still installing, ${seconds()} s\n`), 10_000);
  // No install script is needed: what they would do is done where it is used, or is for other platforms.
  const npm = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const code = await run(...npmCommand(), npm);
  clearInterval(ticking);
  if (code !== 0) {
    giveUp(`The dependencies could not be installed (npm ci ended with ${code}); what npm wrote above says why.`);
  }
  process.stdout.write(`The dependencies are installed (${seconds()} s).\n`);
}

/** The npm that started this script, else the one on the PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
}

function requireSpace(megabytes, purpose) {
  const disk = statfsSync(root);
  const free = Math.floor((disk.bavail * disk.bsize) / 1e6);
  if (free >= megabytes) return;
  giveUp(
    `Only ${free} MB are free on the disk of ${root}, and ${megabytes} MB are needed to ${purpose}: make room there.`,
  );
}

/** Two commands at once on a bare machine must not install over each other. */
async function withInstallLock(work) {
  const lock = join(root, '.cache', 'install.lock');
  mkdirSync(dirname(lock), { recursive: true });
  while (!takeLock(lock)) await new Promise((resolve) => setTimeout(resolve, 500));
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    process.once('exit', () => rmSync(lock, { force: true }));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isAlive(Number(readFileSync(lock, 'utf8')))) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(pid) {
  // Not written yet: its owner is between making the file and filling it.
  if (!pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs a command in the repository with this terminal; passes on signals; resolves to its exit code. */
function run(file, before, args, env = {}) {
  const child = spawn(file, [...before, ...args], { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  const forward = (signal) => child.kill(signal);
  // Ctrl-C reaches the child by itself, through the terminal; this process only has to wait for it.
  const wait = () => undefined;
  process.on('SIGINT', wait).on('SIGTERM', forward).on('SIGHUP', forward);
  return new Promise((resolve) => {
    child.once('error', (error) => giveUp(`${file} could not be run: ${error.message}`));
    child.once('exit', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', forward).off('SIGHUP', forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

const bin = (name) => join(root, 'node_modules', '.bin', name);
const tsx = (script) => run(process.execPath, ['--import', 'tsx', join(root, script)], rest);

/** In this very process: one less between the terminal and what has to be stopped in order. */
async function start() {
  const { main } = await importTypeScript('./start.ts');
  await main();
}

async function importTypeScript(path) {
  const { register } = await import('tsx/esm/api');
  register();
  return import(path);
}

/** Fetched before the tests start: a download does not fit into a test's time. */
async function withTemporal(work) {
  const { prepareTemporalCli } = await importTypeScript('./prepare.ts');
  return work({ ALUR_TEMPORAL_CLI: await prepareTemporalCli(root).catch((error) => giveUp(error.message)) });
}

const test = () =>
  withTemporal(async (env) => {
    const weigh = rest.length === 1 && rest[0] === '--weigh';
    if (rest.length > 0 && !weigh) return run(bin('mocha'), [], rest, env);
    const { runInLanes } = await importTypeScript('../test/support/lanes.ts');
    return runInLanes(env, { weigh });
  });

const SLOW_TESTS = [
  ...['--no-config', '--import=tsx', '--extension=test.ts', '--recursive', '--fail-zero', '--timeout=600000'],
  ...['--require=./test/support/global-setup.ts', '--reporter=./test/support/reporter.ts'],
];

const testSlow = () =>
  withTemporal((env) =>
    run(bin('mocha'), SLOW_TESTS, rest.some((one) => !one.startsWith('-')) ? rest : [...rest, 'test/slow'], env),
  );

const bench = () => withTemporal((env) => run(process.execPath, ['--import', 'tsx', 'test/bench/main.ts'], rest, env));
const simulate = () =>
  withTemporal((env) => run(process.execPath, ['--import', 'tsx', 'test/simulate/main.ts'], rest, env));

async function build() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const code = await run(bin('tsc'), ['-p', 'tsconfig.build.json'], rest);
  if (code !== 0) return code;
  copyAssets();
  // A worker in production starts from this script and compiles nothing.
  return run(process.execPath, ['dist/worker/bundle.js'], []);
}

/** What is not TypeScript beside the built sources: fonts, style sheets, templates. */
function copyAssets() {
  const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  for (const folder of include.filter((name) => !name.includes('.'))) {
    const filter = (file) => !/\.tsx?$/.test(file);
    if (existsSync(join(root, folder)))
      cpSync(join(root, folder), join(root, 'dist', folder), { recursive: true, filter });
  }
}

const commands = {
  start,
  test,
  'test:slow': testSlow,
  bench,
  simulate,
  build,
  demo: () => tsx('local/demo.ts'),
  reset: () => tsx('local/reset.ts'),
  'audit:verify': () => tsx('local/audit-verify.ts'),
  'ledger:check': () => tsx('local/ledger-check.ts'),
  lint: () =>
    run(bin('biome'), ['ci', '--error-on-warnings', ...(process.stdout.isTTY ? [] : ['--colors=off']), '.'], rest),
  typecheck: () => run(bin('tsc'), ['-p', 'tsconfig.json'], rest),
};

requireNode();
if (!(command in commands)) giveUp(`There is no command ${command}; there are ${Object.keys(commands).join(', ')}.`);
await install();
const code = await commands[command]();
if (code !== undefined) process.exitCode = code;
