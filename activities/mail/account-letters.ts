/** Writing to people about their accounts: the letters of the outbox, each with the link or code that it carries. */
import { ApplicationFailure } from '@temporalio/activity';
import {
  findLetter,
  findRecipient,
  type LetterRecipient,
  markTaken,
  type StoredLetter,
  strangerAt,
  waitingLetters,
} from '../../db/account-letters.ts';
import { stopAdvertisingUrl } from '../../db/advertising.ts';
import { createLink } from '../../db/link-tokens.ts';
import { sentCode } from '../../db/one-time-secrets.ts';
import { type ReceiptToTellOf, receiptOf } from '../../db/receipts.ts';
import { formatInZone } from '../../domain/calendar.ts';
import {
  type AccountLetter,
  LINK_OF_LETTER,
  LINK_PAGES,
  LOGIN_CODE_HOLDS_MS,
  type MailMoney,
  type MailVariables,
} from '../../domain/mail.ts';
import type { Money } from '../../domain/money.ts';
import { startOfDay } from '../../domain/reconciliation.ts';
import type { ActivityDeps } from '../deps.ts';
import { type Attachments, type DeliveryDeps, sendOnce } from './delivery.ts';
import { creditVariables, orderVariables, returnVariables, type ShopLinks, shopLinksOf } from './shop-letters.ts';

type Deps = DeliveryDeps & Pick<ActivityDeps, 'files' | 'personalData' | 'secretKey'>;

export interface SendAccountLetter {
  readonly letterId: string;
  readonly at: string;
}

export function createAccountLetterActivities(deps: Deps) {
  return {
    async sendAccountLetter({ letterId, at }: SendAccountLetter): Promise<{ sent: boolean }> {
      const letter = await findLetter(deps.db, letterId);
      if (!letter)
        throw ApplicationFailure.nonRetryable(`there is no account letter ${letterId}`, 'account_letter_missing');
      const to = await recipientOf(deps, letter);
      // A reset for an address without an account, or an account that was closed meanwhile: nobody to write to.
      if (!to?.active) return { sent: false };
      // Nothing to forget: an invited person has the link of the invitation, which tells that somebody joined.
      if (letter.template === 'password_reset' && !to.hasPassword) return { sent: false };
      const carried = await carriedBy(deps, letter, to);
      const receipt =
        letter.template === 'subscription_payment_received' ? await receiptOf(deps.db, letter.data.paymentId) : null;
      return sendOnce(
        deps,
        {
          key: `account-letter/${letterId}`,
          template: letter.template,
          locale: to.locale,
          userId: to.userId,
          applicationId: null,
          email: to.email,
          office: to,
          at,
          expiresAt: carried?.expiresAt ?? null,
        },
        async () => ({
          variables: variablesFor(letter, to, carried, {
            publicUrl: deps.publicUrl,
            absenteeName: await absenteeOf(deps, letter),
            receipt,
            stopUrl: letter.userId ? stopAdvertisingUrl(deps.publicUrl, deps.secretKey, letter.userId) : deps.publicUrl,
            links: await shopLinksOf(deps, letter),
          }),
          attachments: receipt ? [await enclosed(deps, receipt)] : [],
        }),
      );
    },

    waitingAccountLetters: ({ before, limit }: { before: string; limit: number }): Promise<string[]> =>
      waitingLetters(deps.db, new Date(before), limit),

    async takeAccountLetters({ letterIds, at }: { letterIds: readonly string[]; at: string }): Promise<void> {
      await markTaken(deps.db, letterIds, new Date(at));
    },
  };
}

async function recipientOf({ db, personalData }: Deps, letter: StoredLetter): Promise<LetterRecipient | null> {
  if (letter.userId) return findRecipient(db, { userId: letter.userId });
  if (!letter.addressEncrypted) throw new Error(`account letter ${letter.id} says neither a person nor an address`);
  const email = personalData.open(letter.addressEncrypted, 'account_letters.address');
  const known = await findRecipient(db, { email });
  return known || letter.template === 'password_reset' ? known : strangerAt(db, email);
}

/** A link's URL, or a code; made from the letter's ID, so each try writes the same. */
interface Carried {
  readonly secret: string;
  readonly expiresAt: Date;
}

async function carriedBy(
  { db, secretKey, publicUrl }: Deps,
  letter: StoredLetter,
  to: LetterRecipient,
): Promise<Carried | null> {
  if (letter.template === 'login_code') {
    return {
      secret: sentCode(secretKey, letter.id),
      expiresAt: new Date(letter.createdAt.getTime() + LOGIN_CODE_HOLDS_MS),
    };
  }
  const purpose = LINK_OF_LETTER[letter.template];
  if (!purpose) return null;
  const subjectId = letter.template === 'join_company' ? letter.data.invitationId : null;
  const { token, expiresAt } = await createLink(db, secretKey, {
    id: letter.id,
    purpose,
    userId: subjectId === null ? to.userId : null,
    subjectId,
    createdAt: letter.createdAt,
  });
  return { secret: `${publicUrl}${LINK_PAGES[purpose]}?token=${token}`, expiresAt };
}

/** What a letter tells that the outbox does not keep. */
interface LookedUp {
  readonly publicUrl: string;
  readonly absenteeName: string | null;
  readonly receipt: ReceiptToTellOf | null;
  /** Of a cart's reminder. */
  readonly stopUrl: string;
  readonly links: ShopLinks;
}

async function enclosed({ files }: Deps, { number, pdf }: ReceiptToTellOf): Promise<Attachments[number]> {
  const content = pdf && (await files.read(pdf));
  if (!content) throw new Error(`the PDF of receipt ${number} is missing; restore it from the backup`);
  return { filename: `${number.replaceAll('/', '-')}.pdf`, contentType: 'application/pdf', content };
}

const mailMoney = ({ amountMinor, currency }: Money): MailMoney => ({ amountMinor: amountMinor.toString(), currency });

/** By name, which the outbox does not keep. */
async function absenteeOf({ db }: Deps, letter: StoredLetter): Promise<string | null> {
  if (letter.template !== 'absence_of_staff') return null;
  return (await findRecipient(db, { userId: letter.data.absentee }))?.name ?? null;
}

function variablesFor(
  letter: StoredLetter,
  to: LetterRecipient,
  carried: Carried | null,
  { absenteeName, receipt, publicUrl, stopUrl, links }: LookedUp,
): MailVariables[AccountLetter] {
  const { name: recipientName, email, zone, locale } = to;
  const inZone = (iso: string): string => formatInZone(Date.parse(iso), zone);
  const good = (): { secret: string; expiresAt: string } => {
    if (!carried) throw new Error(`the letter ${letter.template} carries nothing`);
    return { secret: carried.secret, expiresAt: formatInZone(carried.expiresAt.getTime(), zone) };
  };
  switch (letter.template) {
    case 'welcome':
      return { recipientName, email } satisfies MailVariables['welcome'];
    case 'verify_email': {
      const { secret, expiresAt } = good();
      return { recipientName, email, expiresAt, verifyUrl: secret } satisfies MailVariables['verify_email'];
    }
    case 'password_reset': {
      const { secret, expiresAt } = good();
      return { recipientName, expiresAt, resetUrl: secret } satisfies MailVariables['password_reset'];
    }
    case 'password_changed':
      return {
        recipientName,
        ...letter.data,
        at: inZone(letter.data.at),
      } satisfies MailVariables['password_changed'];
    case 'sign_in_reused':
    case 'new_device':
      return { recipientName, ...letter.data, at: inZone(letter.data.at) } satisfies MailVariables['new_device'];
    case 'account_locked': {
      const { secret, expiresAt } = good();
      const { lockedUntil, address } = letter.data;
      return {
        recipientName,
        address,
        expiresAt,
        lockedUntil: inZone(lockedUntil),
        unlockUrl: secret,
      } satisfies MailVariables['account_locked'];
    }
    case 'second_factor_changed':
      return {
        recipientName,
        ...letter.data,
        at: inZone(letter.data.at),
      } satisfies MailVariables['second_factor_changed'];
    case 'license_suspended': {
      const { licenseName, at, reason, ...data } = letter.data;
      return {
        recipientName,
        ...data,
        licenseName: licenseName[locale],
        refunded: reason === 'refunded',
        at: inZone(at),
      } satisfies MailVariables['license_suspended'];
    }
    case 'license_reinstated': {
      const { licenseName, at, ...data } = letter.data;
      return {
        recipientName,
        ...data,
        licenseName: licenseName[locale],
        at: inZone(at),
      } satisfies MailVariables['license_reinstated'];
    }
    case 'license_renewal_open':
    case 'license_renewal_reminder': {
      const { licenseName, validUntil, ...data } = letter.data;
      return {
        recipientName,
        ...data,
        licenseName: licenseName[locale],
        validUntil: inZone(validUntil),
      } satisfies MailVariables['license_renewal_open'];
    }
    case 'license_suspended_by_office':
    case 'license_reinstated_by_office':
    case 'license_revoked':
    case 'license_expired':
    case 'license_superseded':
    case 'license_suspension_proposed': {
      const { licenseName, at, ...data } = letter.data;
      return {
        recipientName,
        ...data,
        licenseName: licenseName[locale],
        at: inZone(at),
      } satisfies MailVariables['license_revoked'];
    }
    case 'onboarding_reminder':
    case 'onboarding_asked_again':
    case 'onboarding_completed':
    case 'onboarding_expired': {
      const { suggested, eraseAt, ...data } = letter.data;
      return {
        recipientName,
        ...data,
        eraseAt: eraseAt === null ? null : inZone(eraseAt),
        suggested: suggested.map((name) => name[locale]).join(', '),
      } satisfies MailVariables['onboarding_completed'];
    }
    case 'subscription_payment_received': {
      if (!receipt?.subjectName) throw new Error(`the letter ${letter.id} tells of no receipt of a subscription`);
      return {
        recipientName,
        planName: receipt.subjectName[locale],
        invoiceNumber: receipt.invoiceNumber,
        receiptNumber: receipt.number,
        paid: mailMoney(receipt.amount),
        total: mailMoney(receipt.total),
        outstanding: mailMoney(receipt.outstanding),
      } satisfies MailVariables['subscription_payment_received'];
    }
    case 'subscription_started':
    case 'subscription_reminder':
    case 'subscription_invoice':
    case 'subscription_payment_due':
    case 'subscription_grace':
    case 'subscription_suspended':
    case 'subscription_renewed':
    case 'subscription_cancelled': {
      const { planName, invoiceId, at, until, nextAt, dueAt, ...data } = letter.data;
      return {
        recipientName,
        ...data,
        planName: planName[locale],
        at: inZone(at),
        until: inZone(until),
        nextAt: nextAt === null ? null : inZone(nextAt),
        dueAt: dueAt === null ? null : inZone(dueAt),
        payUrl: invoiceId === null ? publicUrl : `${publicUrl}/pay/${invoiceId}`,
      } satisfies MailVariables['subscription_invoice'];
    }
    case 'stock_low':
      return {
        recipientName,
        ...letter.data,
        productName: letter.data.productName[locale],
      } satisfies MailVariables['stock_low'];
    case 'cart_reminder': {
      const { companyName, items } = letter.data;
      return {
        recipientName,
        companyName,
        items: items.map(({ name: product, quantity }) => ({ text: `${quantity} × ${product[locale]}` })),
        shopUrl: publicUrl,
        stopUrl,
      } satisfies MailVariables['cart_reminder'];
    }
    case 'finance_daily':
      return {
        recipientName,
        ...letter.data,
        dayStart: inZone(new Date(startOfDay(letter.data.day, zone)).toISOString()),
        totals: letter.data.totals.map(({ currency, capturedMinor, refundedMinor, settledMinor }) => ({
          captured: { amountMinor: capturedMinor, currency },
          refunded: { amountMinor: refundedMinor, currency },
          settled: { amountMinor: settledMinor, currency },
        })),
      };
    case 'login_code': {
      const { secret, expiresAt } = good();
      return { recipientName, expiresAt, code: secret } satisfies MailVariables['login_code'];
    }
    case 'join_staff': {
      const { secret, expiresAt } = good();
      return { recipientName, ...letter.data, expiresAt, joinUrl: secret } satisfies MailVariables['join_staff'];
    }
    case 'money_stuck': {
      const { count, paid, unclear } = letter.data;
      return {
        recipientName,
        count,
        paid: listed(paid),
        unclear: listed(unclear),
        at: formatInZone(letter.createdAt.getTime(), zone),
      } satisfies MailVariables['money_stuck'];
    }
    case 'calendar_incomplete': {
      const { officeName: calendarOffice, year } = letter.data;
      return { recipientName, calendarOffice, year } satisfies MailVariables['calendar_incomplete'];
    }
    case 'tasks_moved':
      return {
        recipientName,
        ...letter.data,
        at: formatInZone(letter.createdAt.getTime(), zone),
      } satisfies MailVariables['tasks_moved'];
    case 'absence_began':
      return {
        recipientName,
        ...letter.data,
        from: inZone(letter.data.from),
        to: inZone(letter.data.to),
      } satisfies MailVariables['absence_began'];
    case 'absence_of_staff': {
      const { absentee, from, to, ...counts } = letter.data;
      return {
        recipientName,
        absenteeName: absenteeName ?? absentee,
        ...counts,
        from: inZone(from),
        to: inZone(to),
      } satisfies MailVariables['absence_of_staff'];
    }
    case 'join_company': {
      const { secret, expiresAt } = good();
      const { inviterName, companyName } = letter.data;
      return {
        recipientName,
        inviterName,
        companyName,
        expiresAt,
        joinUrl: secret,
      } satisfies MailVariables['join_company'];
    }
    case 'refund_requested':
    case 'refund_approved':
    case 'refund_destination_needed':
    case 'refund_succeeded':
    case 'refund_delayed':
    case 'refund_refused':
    case 'refund_to_approve':
    case 'refund_to_transfer':
    case 'refund_without_destination':
      return { recipientName, ...letter.data } satisfies MailVariables['refund_requested'];
    case 'order_confirmed':
    case 'order_on_hold':
    case 'order_backordered':
    case 'order_shipped':
    case 'order_delivered':
    case 'order_cancelled':
    case 'order_edited':
    case 'order_unpaid_reminder':
    case 'order_hold_reminder':
    case 'order_lost':
    case 'order_sent_back':
    case 'order_arrived_late':
    case 'order_parcel_failed':
    case 'order_review_request':
    case 'order_link':
      return orderVariables(letter.data, to, { ...links, publicUrl });
    case 'return_requested':
    case 'return_approved':
    case 'return_approved_keep':
    case 'return_refused':
    case 'return_info_requested':
    case 'return_reminder':
    case 'return_expired':
    case 'return_received':
    case 'return_inspected':
    case 'return_disputed':
    case 'return_dispute_decided':
    case 'return_resolution_reminder':
    case 'return_resolution_defaulted':
    case 'return_refund_sent':
    case 'return_refund_done':
    case 'return_store_credit':
    case 'return_replacement_sent':
    case 'return_lost':
    case 'return_cancelled':
    case 'return_reopened':
    case 'return_photo_infected':
    case 'return_link':
    case 'return_to_staff':
      return returnVariables(letter.data, to, links);
    case 'credit_expiring':
    case 'credit_expired':
      return creditVariables(letter.data, to);
  }
}

const listed = (references: readonly string[]): string => (references.length > 0 ? references.join(', ') : '–');
