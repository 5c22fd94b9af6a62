import { randomUUID } from 'node:crypto';
import { createAccessTokens } from '../../api/tokens.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { newPrivateKey } from '../support/database.ts';
import { type Absolute, absoluteOf, percentile } from './figures.ts';

const ROUNDS = 5;
const TOKENS = 1_000;
/** 2 ms. */
const GOAL = { atMost: 2_000 };

/** What a request waits for its token: one that was never seen (signature, claims), and one seen a moment ago. */
export async function measureTokenChecks(): Promise<Absolute[]> {
  const tokens = await createAccessTokens({ privateKeyPem: newPrivateKey(), publicUrl: 'http://localhost:3000' });
  const issue = () => tokens.issue({ userId: asId<UserId>(randomUUID()), roles: ['owner'], sessionId: randomUUID() });
  const check = async (token: string): Promise<number> => {
    const startedAt = performance.now();
    const caller = tokens.known(token) ?? (await tokens.verify(token));
    const us = (performance.now() - startedAt) * 1000;
    if (!caller) throw new Error('a good token was refused');
    return us;
  };
  const rounds: { unseen: number; known: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const unseen: number[] = [];
    const known: number[] = [];
    for (let index = 0; index < TOKENS; index += 1) {
      const token = await issue();
      unseen.push(await check(token));
      known.push(await check(token));
    }
    rounds.push({ unseen: percentile(unseen, 0.95), known: percentile(known, 0.95) });
  }
  return [
    absoluteOf(
      'Token check, never seen before, p95',
      'µs',
      GOAL,
      rounds.map(({ unseen }) => unseen),
    ),
    absoluteOf(
      'Token check, seen before, p95',
      'µs',
      GOAL,
      rounds.map(({ known }) => known),
    ),
  ];
}
