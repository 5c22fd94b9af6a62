/** The outbox of letters about accounts: written with the change they tell of, taken over by a workflow each. */
import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { UserId } from '../domain/ids.ts';
import type {
  AccountLetter,
  AccountLetterData,
  LicenseLetter,
  LicenseNewsData,
  Locale,
  OnboardingLetter,
  OnboardingNewsData,
  RefundLetter,
  RefundNews,
  SubscriptionLetter,
  SubscriptionNewsData,
} from '../domain/mail.ts';
import type {
  CreditLetter,
  CreditNews,
  OrderLetter,
  OrderNewsData,
  ReturnLetter,
  ReturnNewsData,
} from '../domain/shop-mail.ts';
import { FIRST_OFFICE } from './offices.ts';

/** To a person, or to an address that may be nobody's: sealed as column `account_letters.address`. */
type Recipient = { readonly userId: UserId } | { readonly addressEncrypted: Buffer };

/** A letter to write; `id` is a UUID of the caller's making, the same when the change is repeated. */
export type NewAccountLetter =
  | {
      [Template in AccountLetter]: {
        readonly id: string;
        readonly template: Template;
        readonly data: AccountLetterData[Template];
        readonly at: Date;
      } & Recipient;
    }[AccountLetter]
  // Letters about refunds are all told the same: which of them it is, is decided while running.
  | ({
      readonly id: string;
      readonly template: RefundLetter;
      readonly data: RefundNews;
      readonly at: Date;
    } & Recipient)
  // And so are those about the life of a licence.
  | ({
      readonly id: string;
      readonly template: LicenseLetter;
      readonly data: LicenseNewsData;
      readonly at: Date;
    } & Recipient)
  // And those about the onboarding of a company.
  | ({
      readonly id: string;
      readonly template: OnboardingLetter;
      readonly data: OnboardingNewsData;
      readonly at: Date;
    } & Recipient)
  // And those about a subscription.
  | ({
      readonly id: string;
      readonly template: SubscriptionLetter;
      readonly data: SubscriptionNewsData;
      readonly at: Date;
    } & Recipient)
  // And those of the shop.
  | ({
      readonly id: string;
      readonly template: OrderLetter;
      readonly data: OrderNewsData;
      readonly at: Date;
    } & Recipient)
  | ({
      readonly id: string;
      readonly template: ReturnLetter;
      readonly data: ReturnNewsData;
      readonly at: Date;
    } & Recipient)
  | ({
      readonly id: string;
      readonly template: CreditLetter;
      readonly data: CreditNews;
      readonly at: Date;
    } & Recipient);

/** One of `userId` and `addressEncrypted` is there. */
export type StoredLetter = {
  [Template in AccountLetter]: {
    readonly id: string;
    readonly template: Template;
    readonly data: AccountLetterData[Template];
    readonly userId: UserId | null;
    readonly addressEncrypted: Buffer | null;
    readonly createdAt: Date;
  };
}[AccountLetter];

/** Belongs into the transaction of what it tells of; `dispatchLetter` comes after the commit. A second time does nothing. */
export async function writeLetter(trx: Knex, letter: NewAccountLetter): Promise<void> {
  await trx('account_letters')
    .insert({
      id: letter.id,
      template: letter.template,
      user_id: 'userId' in letter ? letter.userId : null,
      address_encrypted: 'addressEncrypted' in letter ? letter.addressEncrypted : null,
      data: JSON.stringify(letter.data),
      created_at: letter.at,
    })
    .onConflict('id')
    .ignore();
}

export async function findLetter(db: Knex, id: string): Promise<StoredLetter | null> {
  const found: StoredLetter | undefined = await db('account_letters').where({ id }).first({
    id: 'id',
    template: 'template',
    data: 'data',
    userId: 'user_id',
    addressEncrypted: 'address_encrypted',
    createdAt: 'created_at',
  });
  return found ?? null;
}

/** A workflow has these in hand from now on. */
export async function markTaken(db: Knex, ids: readonly string[], at: Date): Promise<void> {
  await db('account_letters')
    .whereIn('id', [...ids])
    .whereNull('taken_at')
    .update({ taken_at: at });
}

/** Letters written before this moment that no workflow has in hand, the oldest first. */
export async function waitingLetters(db: Knex, before: Date, limit: number): Promise<string[]> {
  return db('account_letters')
    .whereNull('taken_at')
    .where('created_at', '<', before)
    .orderBy('created_at')
    .limit(limit)
    .pluck<string[]>('id');
}

/** Whom a letter goes to, and the office that signs it: the person's own, else the first. */
export interface LetterRecipient {
  /** Null: an address without an account. */
  readonly userId: UserId | null;
  readonly email: string;
  readonly name: string;
  readonly locale: Locale;
  readonly active: boolean;
  /** Not before an invitation was accepted, and never for who comes through an identity provider. */
  readonly hasPassword: boolean;
  readonly officeName: string;
  readonly zone: OfficeZone;
}

/** @param who an account's ID, or an address in lower case. @returns null when there is no such account */
export async function findRecipient(
  db: Knex,
  who: { readonly userId: UserId } | { readonly email: string },
): Promise<LetterRecipient | null> {
  const found: LetterRecipient | undefined = await db('users as u')
    .joinRaw(`join offices o on o.id = coalesce(u.office_id, (${FIRST_OFFICE}))`)
    .where('userId' in who ? { 'u.id': who.userId } : { 'u.email': who.email })
    .first({
      userId: 'u.id',
      email: 'u.email',
      name: 'u.name',
      locale: 'u.locale',
      active: db.raw("u.status = 'active'"),
      hasPassword: db.raw('u.password_hash is not null'),
      officeName: 'o.name',
      zone: 'o.zone',
    });
  return found ?? null;
}

/** Somebody without an account is called by the address and written to in Indonesian. */
export async function strangerAt(db: Knex, email: string): Promise<LetterRecipient> {
  const office: Pick<LetterRecipient, 'officeName' | 'zone'> | undefined = await db('offices')
    .whereRaw(`id = (${FIRST_OFFICE})`)
    .first({ officeName: 'name', zone: 'zone' });
  if (!office) throw new Error('no letter can be written: there is no office to sign it');
  return { userId: null, email, name: email, locale: 'id', active: true, hasPassword: false, ...office };
}
