/** The secrets of the local mode: made up once for this machine, kept in `.local/secrets/`, readable by its owner only. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_SECRET_PREFIX } from '../config.ts';
import { hasCode } from './failure.ts';

export type LocalSecrets = {
  /** PKCS#8 PEM, Ed25519. */
  jwtPrivateKeyPem: string;
  /** PKCS#8 PEM, Ed25519. */
  auditPrivateKeyPem: string;
  /** 32 bytes in base64. */
  secretKey: string;
  /** 32 bytes in base64. */
  personalDataKey: string;
  midtransServerKey: string;
};

export async function ensureLocalSecrets(directory: string): Promise<LocalSecrets> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [jwtPrivateKeyPem, auditPrivateKeyPem, secretKey, personalDataKey, midtransServerKey] = await Promise.all([
    ensureSecret(directory, 'jwt-key.pem', ed25519Pem),
    ensureSecret(directory, 'audit-key.pem', ed25519Pem),
    ensureSecret(directory, 'secret-key', randomKey),
    ensureSecret(directory, 'personal-data-key', randomKey),
    ensureSecret(directory, 'midtrans-server-key', () => LOCAL_SECRET_PREFIX + randomBytes(18).toString('hex')),
  ]);
  return { jwtPrivateKeyPem, auditPrivateKeyPem, secretKey, personalDataKey, midtransServerKey };
}

const randomKey = (): string => randomBytes(32).toString('base64');

function ed25519Pem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function ensureSecret(directory: string, name: string, make: () => string): Promise<string> {
  const file = join(directory, name);
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const secret = make().trim();
  await writeFile(`${file}.unfinished`, `${secret}\n`, { mode: 0o600 });
  await rename(`${file}.unfinished`, file);
  return secret;
}
