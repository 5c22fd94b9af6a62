/**
 * `npm run ledger:check [-- --json]`: proves the books of the database that DATABASE_URL names, or of the running local
 * system. Ends with 0 when everything agrees, with 1 and the rows that do not, with 2 when it cannot read.
 */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { connect } from '../db/connection.ts';
import {
  type AtGateway,
  checkLedger,
  type LedgerFinding,
  type LedgerProof,
  type LedgerReport,
} from '../db/ledger-check.ts';
import { formatMoney, money } from '../domain/money.ts';
import { PATHS } from './paths.ts';

const DAY_MS = 86_400_000;

/** One line a proof, with what contradicts it below; then what waits at each gateway. @param now for the age of what waits */
export function tellOf({ proofs, gateways }: LedgerReport, now: Date): string[] {
  const wrong = proofs.filter((proof) => proof.wrong > 0);
  return [
    ...proofs.flatMap(proofLines),
    ...gateways.map((one) => gatewayLine(one, now)),
    wrong.length === 0
      ? 'The books agree with the records.'
      : `The books do not agree: ${wrong.map(({ name, wrong: rows }) => `${name} (${rows})`).join(', ')}.`,
  ];
}

function proofLines({ name, claim, counts, wrong, findings }: LedgerProof): string[] {
  const counted = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
  return [
    `${wrong === 0 ? 'ok   ' : 'WRONG'} ${name}: ${claim} (${counted.join(', ')})`,
    ...findings.map((finding) => `      ${findingLine(finding)}`),
    ...(wrong > findings.length ? [`      and ${wrong - findings.length} more`] : []),
  ];
}

const findingLine = ({ subject, facts }: LedgerFinding): string =>
  `${subject}: ${Object.entries(facts)
    .filter(([, value]) => value !== null)
    .map(([what, value]) => `${what} ${value}`)
    .join(', ')}`;

function gatewayLine({ gateway, currency, captured, settled, waiting, ...rest }: AtGateway, now: Date): string {
  const { oldestWaiting, waitingMinor } = rest;
  const age = oldestWaiting && Math.floor((now.getTime() - oldestWaiting.getTime()) / DAY_MS);
  const held = formatMoney(money(waitingMinor, currency));
  return (
    `${gateway} ${currency}: ${captured} captured, ${settled} settled, ${waiting} still at the gateway` +
    (oldestWaiting === null ? '' : ` (${held}, the oldest ${age} days)`)
  );
}

export const isProved = ({ proofs }: LedgerReport): boolean => proofs.every(({ wrong }) => wrong === 0);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const url = process.env.DATABASE_URL || (await runningDatabase());
  if (!url) return refuse('No database: set DATABASE_URL, or start the local system with npm start.');
  const db = connect(url, 1, 'alur-ledger-check');
  try {
    const report = await checkLedger(db);
    const told = values.json
      ? JSON.stringify({ proved: isProved(report), ...report }, digits, 2)
      : tellOf(report, new Date()).join('\n');
    process.stdout.write(`${told}\n`);
    return isProved(report) ? 0 : 1;
  } finally {
    await db.destroy();
  }
}

const digits = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

/** Of `.local/ready.json`; null when nothing is running. */
async function runningDatabase(): Promise<string | null> {
  const text = await readFile(PATHS.ready, 'utf8').catch(() => null);
  if (text === null) return null;
  const ready: unknown = JSON.parse(text);
  const isReady = typeof ready === 'object' && ready !== null && 'postgres' in ready;
  return isReady && typeof ready.postgres === 'string' ? ready.postgres : null;
}

function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 2;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main().catch((error: unknown) =>
    refuse(error instanceof Error ? error.message : String(error)),
  );
}
