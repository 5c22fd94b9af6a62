import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createAccountLetterActivities } from '../../../activities/mail/account-letters.ts';
import { createMailTransport, MailError, type MailTransport } from '../../../activities/mail/transport.ts';
import { type NewAccountLetter, writeLetter } from '../../../db/account-letters.ts';
import { userOfStopToken } from '../../../db/advertising.ts';
import { createFileStore, type FileStore } from '../../../db/files.ts';
import { peekLinkToken } from '../../../db/link-tokens.ts';
import { sentCode } from '../../../db/one-time-secrets.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { asId, type UserId } from '../../../domain/ids.ts';
import type { AccountLetter, LinkPurpose } from '../../../domain/mail.ts';
import { type Mailbox, startMailbox } from '../../../local/mailbox.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../../support/database.ts';
import { removeDirectory, temporaryDirectory } from '../../support/temporary.ts';

const personalData = createPersonalData([PERSONAL_DATA_KEY]);
const publicUrl = 'https://alur.example.id';
const MINUTE = 60_000;

interface Person {
  readonly id: UserId;
  readonly email: string;
}

const ABOUT_LICENSE = {
  licenseNumber: 'UMKM-X/1',
  licenseName: { id: 'Kios', en: 'Kiosk' },
  companyName: 'CV Maju',
  at: '2026-11-21T03:14:00Z',
};

const ABOUT_ONBOARDING = {
  companyName: 'CV Maju',
  companyId: '3f0e2f0a-7a54-4a63-9a0e-5f1b1c9d7e21',
  note: null,
  eraseAt: null,
  suggested: [],
};

const ABSENCE = { from: '2026-11-30T17:00:00Z', to: '2026-12-07T17:00:00Z' };

describe('letters about an account', () => {
  let database: TestDatabase;
  let box: Mailbox;
  let mail: MailTransport;
  let directory: string;
  let files: FileStore;

  before(async () => {
    directory = await temporaryDirectory();
    files = createFileStore(directory);
    database = await createTestDatabase();
    box = await startMailbox({ httpPort: 0, smtpPort: 0, directory: null });
    mail = createMailTransport({ smtpUrl: box.smtpUrl, from: 'Alur <no-reply@alur.example>' });
  });
  after(async () => {
    mail?.close();
    await box?.close();
    await database?.drop();
    await removeDirectory(directory);
  });

  async function person(changes: Record<string, unknown> = {}): Promise<Person> {
    const id = asId<UserId>(randomUUID());
    const email = `${id}@example.test`;
    const row = {
      id,
      email,
      password_hash: 'none',
      name: 'Sari Wulandari',
      roles: ['owner'],
      locale: 'en',
      ...changes,
    };
    await database.db('users').insert(row);
    return { id, email };
  }
  const sealed = (email: string) => ({ addressEncrypted: personalData.seal(email, 'account_letters.address') });
  async function write(letter: NewAccountLetter): Promise<string> {
    await writeLetter(database.db, letter);
    return letter.id;
  }
  /** Runs the activity once, as a worker would. */
  const send = (letterId: string, transport: MailTransport = mail): Promise<{ sent: boolean }> => {
    const deps = { db: database.db, files, mail: transport, publicUrl, personalData, secretKey: PERSONAL_DATA_KEY };
    const { sendAccountLetter } = createAccountLetterActivities(deps);
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    return environment.run(sendAccountLetter, { letterId, at: new Date().toISOString() });
  };
  const received = (email: string) => box.messages().filter(({ to }) => to.includes(email));
  const only = (email: string) => {
    const [message, ...more] = received(email);
    assert.ok(message && more.length === 0, `${received(email).length} letters came to ${email}`);
    return message;
  };
  const delivery = (letterId: string) =>
    database
      .db('mail_deliveries')
      .where({ key: `account-letter/${letterId}` })
      .first('state', 'tries', 'last_answer', 'user_id', 'message_id');
  const tokenIn = (text: string, page: string): string => {
    const [, token] = new RegExp(`${publicUrl}/account/${page}\\?token=([\\w-]{43})\n`).exec(text) ?? [];
    assert.ok(token, text);
    return token;
  };

  it('cart_reminder names what was left, in the reader’s language, and carries a link that ends such letters', async () => {
    const { id: userId, email } = await person();
    const items = [{ name: { id: 'Papan QR', en: 'QR plate' }, quantity: 2 }];
    const letter = { id: randomUUID(), template: 'cart_reminder', userId, at: new Date() } as const;
    await send(await write({ ...letter, data: { companyName: 'CV Maju', items } }));
    const { text } = only(email);
    assert.match(text, /2 × QR plate/);
    const [, token = ''] = /https:\/\/alur\.example\.id\/account\/advertising\?token=(\S+)/.exec(text) ?? [];
    assert.equal(userOfStopToken(PERSONAL_DATA_KEY, token), userId);
  });

  it('stock_low tells a seller how many are left of what', async () => {
    const { id: userId, email } = await person();
    const data = { sku: 'QR-PLATE', productName: { id: 'Papan QR', en: 'QR plate' }, free: 3, threshold: 10 };
    const letter = { id: randomUUID(), template: 'stock_low', userId, at: new Date() } as const;
    await send(await write({ ...letter, data: { ...data, isRepeat: true } }));
    const { subject, text } = only(email);
    assert.equal(subject, 'Still running out: QR plate');
    assert.match(text, /Only 3 of QR plate are free.+below 10/);
  });

  const carriers = [
    { template: 'verify_email', data: {}, page: 'verify-email', purpose: 'verify_email', minutes: 24 * 60 },
    { template: 'password_reset', data: {}, page: 'reset-password', purpose: 'reset_password', minutes: 30 },
    {
      template: 'account_locked',
      data: { lockedUntil: '2026-11-21T03:29:00Z', address: '203.0.113.7' },
      page: 'unlock',
      purpose: 'unlock_account',
      minutes: 24 * 60,
    },
    {
      template: 'join_staff',
      data: { inviterName: 'Budi', roles: ['verifier', 'finance'] },
      page: 'join',
      purpose: 'join_staff',
      minutes: 7 * 24 * 60,
    },
  ] as const satisfies readonly {
    template: AccountLetter;
    data: unknown;
    page: string;
    purpose: LinkPurpose;
    minutes: number;
  }[];
  for (const { page, purpose, minutes, ...letter } of carriers) {
    it(`${letter.template} carries a link that is good for ${minutes} minutes from when it was written`, async () => {
      const { id: userId, email } = await person();
      const at = new Date(Date.now() - 5 * MINUTE);
      const to = letter.template === 'password_reset' ? sealed(email) : { userId };
      const id = await write({ id: randomUUID(), at, ...letter, ...to });
      assert.deepEqual(await send(id), { sent: true });
      const token = tokenIn(only(email).text, page);
      const link = { id, userId, subjectId: null };
      const end = at.getTime() + minutes * MINUTE;
      assert.deepEqual(await peekLinkToken(database.db, purpose, token, new Date(end - 1)), link);
      assert.equal(await peekLinkToken(database.db, purpose, token, new Date(end)), null);
    });
  }

  it('an invitation to a company goes to an address without an account, about that invitation', async () => {
    const [email, invitationId] = [`${randomUUID()}@example.test`, randomUUID()];
    const data = { inviterName: 'Budi', companyName: 'Warung Sejahtera', invitationId };
    const id = await write({ id: randomUUID(), template: 'join_company', data, at: new Date(), ...sealed(email) });
    assert.deepEqual(await send(id), { sent: true });
    const { text, subject } = only(email);
    assert.equal(subject, 'Undangan mewakili Warung Sejahtera');
    const token = tokenIn(text, 'join-company');
    const link = { id, userId: null, subjectId: invitationId };
    assert.deepEqual(await peekLinkToken(database.db, 'join_company', token, new Date()), link);
    assert.equal((await delivery(id))?.user_id, null);
  });

  it('an invitation to a company speaks the language of who has an account there', async () => {
    const { email } = await person();
    const data = { inviterName: 'Budi', companyName: 'Warung Sejahtera', invitationId: randomUUID() };
    const id = await write({ id: randomUUID(), template: 'join_company', data, at: new Date(), ...sealed(email) });
    await send(id);
    assert.equal(only(email).subject, 'Invitation to act for Warung Sejahtera');
  });

  it('a code is the one whose hash is kept, and is said to hold for ten minutes', async () => {
    const { id: userId, email } = await person();
    const at = new Date('2026-11-21T03:00:00Z');
    const soon = new Date(Date.now() - MINUTE);
    const id = await write({ id: randomUUID(), template: 'login_code', data: {}, at: soon, userId });
    await send(id);
    const { text } = only(email);
    assert.match(text, new RegExp(`Enter this code to go on: ${sentCode(PERSONAL_DATA_KEY, id)}\n`));
    const late = await write({ id: randomUUID(), template: 'login_code', data: {}, at, userId });
    assert.deepEqual(await send(late), { sent: false });
    assert.equal(received(email).length, 1);
    const { state, tries, last_answer } = (await delivery(late)) ?? {};
    assert.deepEqual({ state, tries }, { state: 'expired', tries: 0 });
    assert.match(String(last_answer), /over at 2026-11-21T03:10:00\.000Z/);
  });

  it('a reset that would come too late is not sent', async () => {
    const { email } = await person();
    const at = new Date(Date.now() - 31 * MINUTE);
    const id = await write({ id: randomUUID(), template: 'password_reset', data: {}, at, ...sealed(email) });
    assert.deepEqual(await send(id), { sent: false });
    assert.equal(received(email).length, 0);
    assert.equal((await delivery(id))?.state, 'expired');
  });

  it('a reset for an address without an account that has a password is no letter, no link and no error', async () => {
    const gone = await person({ status: 'disabled' });
    const invited = await person({ password_hash: null });
    for (const email of [`${randomUUID()}@example.test`, gone.email, invited.email]) {
      const id = await write({
        id: randomUUID(),
        template: 'password_reset',
        data: {},
        at: new Date(),
        ...sealed(email),
      });
      assert.deepEqual(await send(id), { sent: false });
      assert.equal(received(email).length, 0);
      assert.equal(await delivery(id), undefined);
      assert.deepEqual(await database.db('link_tokens').where({ id }), []);
    }
  });

  const told = [
    { template: 'welcome', data: {}, says: [/registered under the e-mail address \S+@example\.test/] },
    {
      template: 'password_changed',
      data: { at: '2026-11-21T03:14:00Z', address: '203.0.113.7' },
      says: [/changed on 21 November 2026, 10:14 WIB/, /IP address: 203\.0\.113\.7/],
    },
    {
      template: 'sign_in_reused',
      data: { at: '2026-11-21T03:14:00Z', device: 'Chrome on Android', address: '203.0.113.7' },
      says: [/second time on 21 November 2026, 10:14 WIB/, /Device: Chrome on Android/],
    },
    {
      template: 'new_device',
      data: { at: '2026-11-21T03:14:00Z', device: 'Firefox on Linux', address: '203.0.113.7' },
      says: [/on 21 November 2026, 10:14 WIB/, /Device: Firefox on Linux/, /IP address: 203\.0\.113\.7/],
    },
    {
      template: 'second_factor_changed',
      data: { at: '2026-11-21T03:14:00Z', change: 'removed' },
      says: [/21 November 2026, 10:14 WIB: two-step verification was removed/],
    },
    {
      template: 'license_suspended',
      data: { ...ABOUT_LICENSE, reason: 'payment_reversed' },
      says: [/suspended since 21 November 2026, 10:14 WIB, because the payment of its fee was taken back/, /UMKM-X\/1/],
    },
    {
      template: 'license_suspended',
      data: { ...ABOUT_LICENSE, reason: 'refunded' },
      says: [/The licence Kiosk of CV Maju .* because its fee was refunded in full/],
    },
    {
      template: 'license_reinstated',
      data: ABOUT_LICENSE,
      says: [/in force again since 21 November 2026, 10:14 WIB/],
    },
    {
      template: 'license_superseded',
      data: { ...ABOUT_LICENSE, note: null, successorNumber: 'UMKM-X/2', audited: false },
      says: [/UMKM-X\/2 has taken the place/, /Reason: Renewal/],
    },
    {
      template: 'onboarding_completed',
      data: { ...ABOUT_ONBOARDING, suggested: [ABOUT_LICENSE.licenseName] },
      says: [/begin with: Kiosk/, /licences above fit/],
    },
    {
      template: 'onboarding_completed',
      data: ABOUT_ONBOARDING,
      says: [/begin with: none by your KBLI/, /begin an application\. By the business classification/],
    },
    {
      template: 'finance_daily',
      data: {
        day: '2026-11-20',
        walks: [
          { gateway: 'xendit', state: 'finished', compared: 12, differences: 1, failure: null },
          { gateway: 'billplz', state: 'failed', compared: 0, differences: 0, failure: 'unauthorized' },
        ],
        openCases: [{ kind: 'missing_here', count: 2, oldestHours: 31 }],
        refunds: { awaitingApproval: 3, awaitingTransfer: 4 },
        totals: [{ currency: 'IDR', capturedMinor: '1250000', refundedMinor: '250000', settledMinor: '0' }],
      },
      says: [
        /of 20 November 2026 compare/,
        /received Rp1\.250\.000, refunded Rp250\.000, paid out Rp0/,
        /xendit: 12 compared, 1 differences; billplz: COULD NOT BE COMPARED \(unauthorized\)/,
        /not in the books: 2, the oldest for 31 h/,
        /3 for approval, 4 for a transfer/,
      ],
    },
    {
      template: 'join_staff',
      data: { inviterName: 'Budi Santoso', roles: ['verifier', 'finance'] },
      says: [/Budi Santoso has invited you/, /Role: verifier, finance/],
    },
    {
      template: 'tasks_moved',
      data: { count: 7 },
      says: [/7 of them are now yours/],
    },
    {
      template: 'absence_began',
      data: { ...ABSENCE, moved: 7, queued: 2, stayed: 1 },
      says: [
        /absent from 1 December 2026, 00:00 WIB until 8 December 2026, 00:00 WIB/,
        /handed to others: 7/,
        /stayed with you: 1/,
      ],
    },
  ] as const;
  for (const { says, ...letter } of told) {
    it(`${letter.template} says what happened, to the person that it happened to`, async () => {
      const { id: userId, email } = await person();
      const id = await write({ id: randomUUID(), at: new Date(), userId, ...letter });
      assert.deepEqual(await send(id), { sent: true });
      const { text } = only(email);
      assert.match(text, /Dear Sari Wulandari,/);
      for (const sentence of says) assert.match(text, sentence);
    });
  }

  it('absence_of_staff says by name who is away, and keeps no name in the outbox', async () => {
    const { id: absentee } = await person({ name: 'Budi Santoso' });
    const { id: userId, email } = await person();
    const data = { ...ABSENCE, absentee, moved: 7, queued: 2, stayed: 1 };
    const id = await write({ id: randomUUID(), template: 'absence_of_staff', data, userId, at: new Date() });
    assert.deepEqual(await send(id), { sent: true });
    const { text, subject } = only(email);
    assert.equal(subject, 'Budi Santoso is absent: 7 tasks moved');
    assert.match(text, /Of these, nobody was free for \(your queue\): 2/);
    const row = await database.db('account_letters').where({ id }).first('data');
    assert.doesNotMatch(JSON.stringify(row), /Budi/);
  });

  it('are signed by the office of the person, in its zone', async () => {
    const office = { id: randomUUID(), name: 'DPMPTSP Jayapura', address: 'Jl. Pantai', zone: 'Asia/Jayapura' };
    await database
      .db('offices')
      .insert({ ...office, workdays: [1, 2, 3, 4, 5], opens_at_minute: 480, closes_at_minute: 960 });
    const { id: userId, email } = await person({ office_id: office.id });
    const data = { at: '2026-11-21T03:14:00Z', address: '203.0.113.7' };
    const id = await write({ id: randomUUID(), template: 'password_changed', data, at: new Date(), userId });
    await send(id);
    const { text } = only(email);
    assert.match(text, /12:14 WIT/);
    assert.match(text, /Kind regards,\nDPMPTSP Jayapura/);
  });

  it('are sent once, however often the activity is repeated', async () => {
    const { id: userId, email } = await person();
    const id = await write({ id: randomUUID(), template: 'verify_email', data: {}, at: new Date(), userId });
    assert.deepEqual([await send(id), await send(id)], [{ sent: true }, { sent: true }]);
    only(email);
  });

  it('keep their link and Message-ID when the server took the mail and its answer was lost', async () => {
    const { id: userId, email } = await person();
    const id = await write({ id: randomUUID(), template: 'verify_email', data: {}, at: new Date(), userId });
    const deaf: MailTransport = {
      ...mail,
      send: async (letter) => {
        await mail.send(letter);
        throw new MailError('temporary', 'no reply', null);
      },
    };
    await assert.rejects(send(id, deaf), (error) => error instanceof ApplicationFailure && error.nonRetryable !== true);
    assert.equal((await delivery(id))?.state, 'queued');
    assert.deepEqual(await send(id), { sent: true });
    const [first, second] = received(email);
    assert.ok(first && second);
    assert.equal(second.messageId, first.messageId);
    assert.equal(tokenIn(second.text, 'verify-email'), tokenIn(first.text, 'verify-email'));
  });

  it('end where the server refuses the address for good', async () => {
    const { id: userId } = await person();
    const id = await write({ id: randomUUID(), template: 'verify_email', data: {}, at: new Date(), userId });
    const refusing: MailTransport = {
      ...mail,
      send: () => Promise.reject(new MailError('permanent', '550 no such mailbox', 550)),
    };
    assert.deepEqual(await send(id, refusing), { sent: false });
    assert.deepEqual(await send(id), { sent: false });
    assert.equal((await delivery(id))?.state, 'refused');
  });

  it('leave neither token, code nor address in the outbox and the delivery log', async () => {
    const { email } = await person();
    const id = await write({
      id: randomUUID(),
      template: 'password_reset',
      data: {},
      at: new Date(),
      ...sealed(email),
    });
    await send(id);
    const token = tokenIn(only(email).text, 'reset-password');
    const { rows }: { rows: unknown[] } = await database.db.raw(
      `select l.*, encode(l.address_encrypted, 'escape'), d.* from account_letters l join mail_deliveries d on d.key = ?
        where l.id = ?`,
      [`account-letter/${id}`, id],
    );
    const kept = JSON.stringify(rows);
    assert.ok(kept.includes(id));
    for (const secret of [token, email]) assert.ok(!kept.includes(secret), kept);
  });
});
