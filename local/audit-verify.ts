/**
 * `npm run audit:verify -- <file> [--key public.pem …]`: proves an export of the audit, offline and without a database.
 * Ends with 0 when every row is as it was sealed, with 1 and the first row that is not, with 2 when it cannot read.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type AuditCheck, AuditFinding, type AuditSummary, createAuditCheck } from './audit-check.ts';

const PROGRESS_EVERY = 100_000;
const USAGE = 'npm run audit:verify -- <file> [--key <public key, PEM> …]';

/** Reads the file as it checks it: how long it is does not matter. @throws AuditFinding, or what reading the file throws */
export async function verifyFile(
  path: string,
  keys: readonly KeyObject[],
  progress: (line: string) => void,
): Promise<AuditSummary> {
  const check: AuditCheck = createAuditCheck(keys);
  let read = 0;
  const file = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 });
  for await (const line of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line === '') continue;
    check.line(line);
    read += 1;
    if (read % PROGRESS_EVERY === 0) progress(`${read} lines are as they were sealed ...`);
  }
  return check.summary();
}

export function tellOf(summary: AuditSummary, keysGiven: boolean): string[] {
  const { events, batches, firstBatch, lastBatch, lastHash, unsealed, onTrust, keyIds } = summary;
  const sealed = events - unsealed;
  return [
    batches === 0
      ? 'The file holds no sealed event.'
      : `${sealed} events in ${batches} batches (${firstBatch} to ${lastBatch}) are exactly as they were sealed.`,
    ...(lastHash === null
      ? []
      : [
          `The chain ends with batch ${lastBatch}, hash ${lastHash}. Batches after it are not in this file; compare the next export.`,
        ]),
    ...(onTrust
      ? [`Not checked: batch ${firstBatch} is not the first, so that it follows the batch before it is taken on trust.`]
      : []),
    ...(unsealed > 0 ? [`Not checked: ${unsealed} events are in no batch yet. A later export has them sealed.`] : []),
    ...(keyIds.length > 0 && !keysGiven
      ? [
          `The signatures were checked with the key in the file itself (${keyIds.join(', ')}): compare it with` +
            ' /.well-known/audit-keys.json of the office, or give the key with --key.',
        ]
      : []),
  ];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { key: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) return refuse(`One file is needed: ${USAGE}`);
  const keys = await Promise.all((values.key ?? []).map(async (file) => createPublicKey(await readFile(file, 'utf8'))));
  const summary = await verifyFile(path, keys, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(`${tellOf(summary, keys.length > 0).join('\n')}\n`);
  return 0;
}

function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 2;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main().catch((error: unknown) => {
    if (!(error instanceof AuditFinding)) return refuse(error instanceof Error ? error.message : String(error));
    process.stdout.write(`${error.message}\n`);
    return 1;
  });
}
