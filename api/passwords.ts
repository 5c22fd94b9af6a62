/** Hashing of passwords: argon2id with the library's parameters (19 MiB, 2 passes), off the main thread. */
import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

export const hashPassword = (password: string): Promise<string> => hash(password);

const decoy = hash(randomBytes(16));

/** Takes as long without a hash, so that an address nobody has cannot be told from a wrong password. */
export async function passwordMatches(passwordHash: string | null | undefined, password: string): Promise<boolean> {
  const matches = await verify(passwordHash ?? (await decoy), password);
  return matches && typeof passwordHash === 'string';
}
