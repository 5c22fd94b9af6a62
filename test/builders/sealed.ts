/** Personal numbers and sealed values for tests of what holds them. */
import { createCipheriv, randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { derive, type PersonalData } from '../../db/personal-data.ts';
import { maskAccount } from '../../domain/bank-accounts.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';

/** A tax number of the old form with its 0: no NIK, so nothing about it is odd but its check digit. */
export const someNpwp = (): string => `0${String(randomInt(10 ** 14, 2 ** 48 - 1)).padStart(15, '9')}`;

/** A woman's, born on 17 August 1985 in Jakarta. */
export const someNik = (): string => `317403570885${String(randomInt(1, 9999)).padStart(4, '0')}`;

/** As the first release sealed: the key is not named. */
export function sealedUnnamed(key: Buffer, value: string, column: string): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', derive(key, 'alur/personal-data/seal'), iv).setAAD(Buffer.from(column));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(1), iv, cipher.getAuthTag(), text]);
}

/** A company whose tax number was sealed by `personalData`, with a mask of the old form. */
export async function sealedCompany(
  db: Knex,
  personalData: Pick<PersonalData, 'seal' | 'fingerprint'>,
  npwp = someNpwp(),
): Promise<{ id: string; npwp: string }> {
  const id = randomUUID();
  await db('companies').insert({
    id,
    name: 'CV Lama',
    legal_form: 'CV',
    npwp_encrypted: personalData.seal(npwp, 'companies.npwp'),
    npwp_hash: personalData.fingerprint(npwp, 'companies.npwp'),
    npwp_masked: '************',
    address: 'Jl. Braga 1, Bandung',
    kbli: ['56101'],
    scale: 'micro',
    status: 'active',
  });
  return { id, npwp };
}

/** Gives a person a NIK that was sealed by `personalData`. */
export async function sealNik(
  db: Knex,
  personalData: Pick<PersonalData, 'seal' | 'fingerprint'>,
  id: string,
  nik = someNik(),
): Promise<string> {
  await db('users')
    .where({ id })
    .update({
      nik_encrypted: personalData.seal(nik, 'users.nik'),
      nik_hash: personalData.fingerprint(nik, 'users.nik'),
      nik_masked: maskNumber(nik),
    });
  return nik;
}

/** A refund of a payment whose bank details were sealed by `personalData`. */
export async function sealRefundDestination(
  db: Knex,
  personalData: Pick<PersonalData, 'seal'>,
  refundId: string,
  accountNumber = '1234567890',
): Promise<void> {
  await db('refunds')
    .where({ id: refundId })
    .update({
      channel: 'bank_transfer',
      bank_code: '014',
      account_number_encrypted: personalData.seal(accountNumber, 'refunds.account_number'),
      account_number_masked: maskAccount(accountNumber),
      account_holder_encrypted: personalData.seal('Sari Wulandari', 'refunds.account_holder'),
      name_matches: true,
    });
}
