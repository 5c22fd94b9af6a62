import { type Pair, pairOf, type Round } from './figures.ts';
import type { Machine } from './machine.ts';

const ROUNDS = 5;
const CONNECTIONS = 32;
const FIRST_WARM_MS = 3_000;
const WARM_MS = 500;
const MEASURE_MS = 3_000;

/**
 * What owners poll. Alur: the whole API (token, rights, schemas, ETag, headers, log line, metrics). Bare: Express and pg,
 * the same prepared statement on the same database, the row as JSON; nobody is asked who they are.
 */
export async function measureStatusReads(machine: Machine, ids: readonly string[]): Promise<Pair> {
  const { apiUrl, bareUrl, driver, people } = machine;
  const paths = ids.map((id) => `/api/v1/licenses/status/${id}`);
  const read = async (url: string, headers: string[], warmMs = WARM_MS): Promise<number> => {
    const order = {
      kind: 'reads',
      url,
      paths,
      headers,
      connections: CONNECTIONS,
      warmMs,
      measureMs: MEASURE_MS,
    } as const;
    const { count, seconds } = await driver(order);
    return count / seconds;
  };
  const alur = (warmMs?: number) => read(apiUrl, [`Authorization: Bearer ${people.owner.token}`], warmMs);
  const bare = (warmMs?: number) => read(bareUrl, [], warmMs);

  await alur(FIRST_WARM_MS);
  await bare(FIRST_WARM_MS);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push({ alur: await alur(), bare: await bare() });
  return pairOf(`Status read, ${CONNECTIONS} connections`, 'requests/s', { atLeast: 0.8 }, rounds);
}
