/** Setting up and taking away what a person has as a second factor. */
import { randomInt, randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { untrustDevices } from '../db/devices.ts';
import { recordEvent } from '../db/events.ts';
import { hashOfCode } from '../db/one-time-secrets.ts';
import {
  backupCodesLeft,
  beginFactor,
  confirmFactor,
  factorsOf,
  queueForPerson,
  removeBackupCodes,
  removeFactor,
  replaceBackupCodes,
  SECRET_COLUMN,
} from '../db/second-factors.ts';
import { noteSecondFactor } from '../db/sessions.ts';
import type { EventType, Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { UserId } from '../domain/ids.ts';
import type { SecondFactorChange } from '../domain/mail.ts';
import { isStaff } from '../domain/roles.ts';
import {
  BACKUP_CODES,
  bareCode,
  type FactorKind,
  maskedPhone,
  mayRemove,
  newBackupCode,
  type SentKind,
  SIX_DIGITS,
} from '../domain/second-factors.ts';
import { dispatchLetter } from './account-letters.ts';
import type { ApiDeps } from './deps.ts';
import { type CodeSent, channelFor } from './second-factor-channels.ts';
import type { ProofDeps } from './second-factor-proof.ts';
import { type Person, requireStepUp } from './step-up.ts';
import { newTotpKey, otpauthUrl, qrSvg, totpStep } from './totp.ts';

/** Of the request that changes something. */
export interface Asked {
  readonly origin: Origin;
  readonly requestKey: string;
}

export interface SetUp {
  readonly factors: readonly {
    readonly kind: FactorKind;
    readonly confirmedAt: Date;
    /** Of SMS, masked. */
    readonly phone: string | null;
  }[];
  readonly backupCodesLeft: number;
}

export async function whatIsSetUp({ db, personalData }: ApiDeps, userId: UserId): Promise<SetUp> {
  const factors = (await factorsOf(db, userId)).flatMap(({ kind, confirmedAt, secretEncrypted }) => {
    if (!confirmedAt) return [];
    const phone =
      kind === 'sms' && secretEncrypted ? maskedPhone(personalData.open(secretEncrypted, SECRET_COLUMN)) : null;
    return [{ kind, confirmedAt, phone }];
  });
  return { factors, backupCodesLeft: await backupCodesLeft(db, userId) };
}

export interface TotpKey {
  readonly secret: string;
  readonly otpauthUrl: string;
  readonly qrSvg: string;
}

/** Counts once it is confirmed; until then another call makes another key. @throws Failure `second_factor_exists`, `step_up_required` */
export async function beginTotp(deps: ProofDeps, person: Person): Promise<TotpKey> {
  const secret = newTotpKey();
  await deps.db.transaction(async (trx) => {
    await queueForPerson(trx, person.user.id);
    await begin(trx, deps, person, 'totp', secret, new Date());
  });
  const url = otpauthUrl(secret, person.user.email);
  return { secret, otpauthUrl: url, qrSvg: await qrSvg(url) };
}

/** Sends the code that confirms it. @param factor E.164 for SMS; for e-mail it is the account's address */
export const beginSent = (
  deps: ProofDeps,
  person: Person,
  { kind, phone }: { readonly kind: SentKind; readonly phone: string | null },
): Promise<CodeSent> =>
  channelFor(kind, deps).send(person.user.id, (trx, at) => begin(trx, deps, person, kind, phone, at));

async function begin(
  trx: Knex.Transaction,
  { personalData }: ProofDeps,
  person: Person,
  kind: FactorKind,
  secret: string | null,
  at: Date,
): Promise<void> {
  await refuseUnlessFresh(trx, person);
  const secretEncrypted = secret === null ? null : personalData.seal(secret, SECRET_COLUMN);
  const begun = await beginFactor(trx, { id: randomUUID(), userId: person.user.id, kind, secretEncrypted, at });
  if (!begun) throw new Failure('second_factor_exists', '');
}

/** The first one needs no other; whoever has one must give it before there is a further one. */
async function refuseUnlessFresh(trx: Knex.Transaction, person: Person): Promise<void> {
  if ((await factorsOf(trx, person.user.id)).some(({ confirmedAt }) => confirmedAt)) await requireStepUp(trx, person);
}

/**
 * Makes it count, with the first one ten backup codes, and counts as a second factor of this session.
 * @returns the backup codes, shown this once; none when there are some already
 * @throws Failure `invalid_code`, `second_factor_missing` when there is nothing to confirm, `step_up_required`
 */
export async function confirm(
  deps: ProofDeps,
  person: Person,
  kind: FactorKind,
  code: string,
  asked: Asked,
): Promise<readonly string[]> {
  const letter = randomUUID();
  const userId = person.user.id;
  const backupCodes = await deps.db.transaction(async (trx) => {
    await queueForPerson(trx, userId);
    await refuseUnlessFresh(trx, person);
    const at = new Date();
    const fits = await checkBegun(trx, deps, userId, kind, bareCode(code), at);
    // Returned and not thrown: the wrong try is counted.
    if (!fits) return null;
    await confirmFactor(trx, userId, kind, { at, ...fits });
    await noteSecondFactor(trx, person.sessionId, at);
    await record(trx, person, 'second_factor.added', { kind }, asked, at);
    await write(trx, letter, person, 'added', at);
    return (await backupCodesLeft(trx, userId)) > 0 ? [] : renew(trx, deps, person, asked, at);
  });
  if (backupCodes === null) throw new Failure('invalid_code', '');
  void dispatchLetter(deps, letter);
  return backupCodes;
}

/** Whether the code is right for what was begun, and of which time step it is, where it has one. */
async function checkBegun(
  trx: Knex.Transaction,
  deps: ProofDeps,
  userId: UserId,
  kind: FactorKind,
  code: string,
  at: Date,
): Promise<{ readonly step?: number } | null> {
  const factor = (await factorsOf(trx, userId)).find((one) => one.kind === kind);
  if (!factor) throw new Failure('second_factor_missing', 'There is nothing to confirm. Begin setting it up first.');
  if (factor.confirmedAt) throw new Failure('second_factor_exists', '');
  if (!SIX_DIGITS.test(code)) return null;
  if (kind !== 'totp') return (await channelFor(kind, deps).verify(trx, userId, code, at)) ? {} : null;
  if (!factor.secretEncrypted) throw new TypeError('a TOTP factor without its key');
  const step = totpStep(deps.personalData.open(factor.secretEncrypted, SECRET_COLUMN), code, at);
  return step === null ? null : { step };
}

/**
 * Takes one away, the backup codes with the last one, and asks on every device again.
 * @throws Failure `second_factor_missing`; `second_factor_needed` for the last one of somebody who must have one
 */
export async function remove(
  deps: ProofDeps & Pick<ApiDeps, 'access'>,
  person: Person,
  kind: FactorKind,
  asked: Asked,
): Promise<void> {
  const letter = randomUUID();
  const { id: userId, roles } = person.user;
  const mustHaveOne = deps.access.staffSecondFactor === 'required' && isStaff(roles);
  await deps.db.transaction(async (trx) => {
    await queueForPerson(trx, userId);
    const at = new Date();
    const confirmed = (await factorsOf(trx, userId)).filter(({ confirmedAt }) => confirmedAt).map((one) => one.kind);
    if (!confirmed.includes(kind)) throw new Failure('second_factor_missing', '');
    if (!mayRemove(confirmed, kind, mustHaveOne)) throw new Failure('second_factor_needed', '');
    await removeFactor(trx, userId, kind);
    if (confirmed.length === 1) await removeBackupCodes(trx, userId);
    await untrustDevices(trx, userId);
    await record(trx, person, 'second_factor.removed', { kind }, asked, at);
    await write(trx, letter, person, 'removed', at);
  });
  void dispatchLetter(deps, letter);
}

/** Ten new ones in place of all others. @throws Failure `second_factor_missing`: alone they are no second factor */
export async function renewBackupCodes(deps: ProofDeps, person: Person, asked: Asked): Promise<readonly string[]> {
  const letter = randomUUID();
  const codes = await deps.db.transaction(async (trx) => {
    await queueForPerson(trx, person.user.id);
    const at = new Date();
    if (!(await factorsOf(trx, person.user.id)).some(({ confirmedAt }) => confirmedAt)) {
      throw new Failure('second_factor_missing', '');
    }
    await write(trx, letter, person, 'backup_codes_renewed', at);
    return renew(trx, deps, person, asked, at);
  });
  void dispatchLetter(deps, letter);
  return codes;
}

async function renew(
  trx: Knex,
  { secretKey }: Pick<ApiDeps, 'secretKey'>,
  person: Person,
  asked: Asked,
  at: Date,
): Promise<readonly string[]> {
  const { id } = person.user;
  const codes = Array.from({ length: BACKUP_CODES }, () => newBackupCode(randomInt));
  await replaceBackupCodes(
    trx,
    id,
    codes.map((code) => hashOfCode(secretKey, id, bareCode(code))),
    at,
  );
  await record(trx, person, 'backup_codes.created', { count: codes.length }, asked, at);
  return codes;
}

async function record(
  trx: Knex,
  { user }: Person,
  type: EventType,
  data: Readonly<Record<string, unknown>>,
  { origin, requestKey }: Asked,
  at: Date,
): Promise<void> {
  await recordEvent(trx, {
    key: `user/${user.id}/${type}/${requestKey}`,
    type,
    by: user.id,
    subject: `user/${user.id}`,
    origin,
    data,
    at: at.toISOString(),
  });
}

const write = (trx: Knex, id: string, { user }: Person, change: SecondFactorChange, at: Date): Promise<void> =>
  writeLetter(trx, {
    id,
    template: 'second_factor_changed',
    userId: user.id,
    data: { at: at.toISOString(), change },
    at,
  });
