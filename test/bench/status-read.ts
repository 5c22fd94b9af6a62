import { type Pair, pairOf, type Round } from './figures.ts';
import type { Machine } from './machine.ts';
import { processorMs } from './process-figures.ts';

const ROUNDS = 12;
const CONNECTIONS = 32;
const FIRST_WARM_MS = 3_000;
const WARM_MS = 200;
const MEASURE_MS = 1_500;

/**
 * What owners poll. Alur: the whole API (token, rights, schemas, ETag, headers, log line, metrics). Bare: Express and pg,
 * the same prepared statement on the same database, the row as JSON; nobody is asked who they are.
 */
export async function measureStatusReads(machine: Machine, ids: readonly string[]): Promise<Pair[]> {
  const { apiUrl, bareUrl, openUrl, driver, people, api, bareServer, openApi } = machine;
  const paths = ids.map((id) => `/api/v1/licenses/status/${id}`);
  const read = async (url: string, pid: number, headers: string[], warmMs = WARM_MS): Promise<Reading> => {
    const before = processorMs(pid);
    const order = {
      kind: 'reads',
      url,
      paths,
      headers,
      connections: CONNECTIONS,
      warmMs,
      measureMs: MEASURE_MS,
    } as const;
    const { count, seconds, all } = await driver(order);
    return { perSecond: count / seconds, processorUs: ((processorMs(pid) - before) * 1000) / all };
  };
  const credential = [`Authorization: Bearer ${people.owner.token}`];
  const alur = (warmMs?: number) => read(apiUrl, api.pid, credential, warmMs);
  const open = (warmMs?: number) => read(openUrl, openApi.pid, credential, warmMs);
  const bare = (warmMs?: number) => read(bareUrl, bareServer.pid, [], warmMs);

  await alur(FIRST_WARM_MS);
  await open(FIRST_WARM_MS);
  await bare(FIRST_WARM_MS);
  const rounds: { alur: Reading; open: Reading; bare: Reading }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({ alur: await alur(), open: await open(), bare: await bare() });
  }
  const beside = (other: 'open' | 'bare', figure: keyof Reading): Round[] =>
    rounds.map((round) => ({ alur: round.alur[figure], bare: round[other][figure] }));
  return [
    pairOf(`Status read, ${CONNECTIONS} connections`, 'requests/s', { atLeast: 0.8 }, beside('bare', 'perSecond')),
    // Steadier than the rate where other programs use the machine too.
    pairOf('– processor time of the server', 'µs/request', { atMost: 1.25 }, beside('bare', 'processorUs')),
    pairOf('Access on a status read: with and without', 'requests/s', { atLeast: 0.9 }, beside('open', 'perSecond')),
    pairOf('– processor time of the server', 'µs/request', { atMost: 1.1 }, beside('open', 'processorUs')),
  ];
}

interface Reading {
  readonly perSecond: number;
  readonly processorUs: number;
}
