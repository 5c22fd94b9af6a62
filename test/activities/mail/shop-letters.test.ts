import assert from 'node:assert/strict';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createAccountLetterActivities } from '../../../activities/mail/account-letters.ts';
import { createMailTransport, type MailTransport } from '../../../activities/mail/transport.ts';
import { userOfStopToken } from '../../../db/advertising.ts';
import { createFileStore, type FileStore } from '../../../db/files.ts';
import { writeOrderLetter } from '../../../db/order-letters.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { writeReturnLetter } from '../../../db/return-letters.ts';
import { openReturn } from '../../../db/returns.ts';
import { findShopLink } from '../../../db/shop-links.ts';
import { namedUuid } from '../../../db/uuids.ts';
import { asId, type ReturnId } from '../../../domain/ids.ts';
import { DEFAULT_RETURN_POLICY } from '../../../domain/returns.ts';
import { type Mailbox, startMailbox } from '../../../local/mailbox.ts';
import { aUser } from '../../builders/licensing.ts';
import { aDeliveredOrder, anOrder } from '../../builders/orders.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../../support/database.ts';
import { removeDirectory, temporaryDirectory } from '../../support/temporary.ts';

const publicUrl = 'https://alur.example.id';
const AT = '2026-11-22T03:00:00.000Z';

describe('letters of the shop, as they arrive', () => {
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

  /** Sends the one letter of this kind to this person, as a worker would. */
  async function sent(template: string, to: string) {
    const deps = {
      db: database.db,
      files,
      mail,
      publicUrl,
      personalData: createPersonalData([PERSONAL_DATA_KEY]),
      secretKey: PERSONAL_DATA_KEY,
    };
    const { id } = await database.db('account_letters').where({ template, user_id: to }).first('id');
    const { sendAccountLetter } = createAccountLetterActivities(deps);
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    await environment.run(sendAccountLetter, { letterId: id, at: AT });
    const { email } = await database.db('users').where({ id: to }).first('email');
    const message = box.messages().findLast((one) => one.to.includes(email));
    assert.ok(message);
    return { ...message, letterId: id };
  }
  const tokenIn = (text: string, page: string): string => {
    const [, token] = new RegExp(`${publicUrl}/${page}/([\\w-]{43})\\n`).exec(text) ?? [];
    assert.ok(token, text);
    return token;
  };

  it('of an order carry a link to its page, which is the same when the letter is sent twice', async () => {
    const { orderId, by, number } = await anOrder(database.db);
    await database.db('users').where({ id: by }).update({ locale: 'en' });
    await writeOrderLetter(database.db, 'order_confirmed', { orderId, at: AT });
    const letter = await sent('order_confirmed', by);
    assert.equal(letter.subject, `Order ${number} is confirmed`);
    assert.match(letter.text, /Items:\n- 2 × Test goods\n- 1 × Test goods\n\nWe are packing it now/);
    const link = await findShopLink(database.db, tokenIn(letter.text, 'orders'));
    assert.deepEqual(link?.subject, { kind: 'order', id: orderId });
    assert.equal(link?.userId, by);
    assert.equal(link?.expiresAt.toISOString(), '2027-02-20T03:00:00.000Z');
    const token = tokenIn(letter.text, 'orders');
    assert.equal(await database.db('shop_links').where({ token_hash: token }).first('id'), undefined);
    await sent('order_confirmed', by);
    assert.deepEqual(await findShopLink(database.db, token), link);
  });

  it('remind of a payment with the page on which to pay', async () => {
    const { orderId, by, invoiceId } = await anOrder(database.db);
    await writeOrderLetter(database.db, 'order_unpaid_reminder', { orderId, at: AT });
    const { text } = await sent('order_unpaid_reminder', by);
    assert.match(text, new RegExp(`Bayar sekarang: ${publicUrl}/pay/${invoiceId}\\n`));
    assert.match(text, /Mohon bayar paling lambat \d+ \w+ \d{4}/);
  });

  it('that ask how it was say how to get no more of them', async () => {
    const { orderId, by } = await aDeliveredOrder(database.db);
    await writeOrderLetter(database.db, 'order_review_request', { orderId, at: AT });
    const { text } = await sent('order_review_request', by);
    const [, token = ''] = /\?token=(\S+)/.exec(text) ?? [];
    assert.equal(userOfStopToken(PERSONAL_DATA_KEY, token), by);
  });

  it('of a return carry a link to its page; those to staff say why in words, and where the API has it', async () => {
    const order = await aDeliveredOrder(database.db);
    const seller = await aUser(database.db, 'seller');
    const [coffee] = order.items;
    assert.ok(coffee);
    const returnId = asId<ReturnId>(namedUuid('a return'));
    await database.db.transaction((tx) =>
      openReturn(tx, {
        ...{ returnId, orderId: order.orderId, companyId: order.companyId, by: order.by, at: AT },
        items: [{ orderItemId: coffee.id, quantity: 1, reason: 'damaged' }],
        wanted: 'replacement',
        policy: DEFAULT_RETURN_POLICY,
      }),
    );
    const { text } = await sent('return_requested', order.by);
    assert.match(text, /Yang Anda inginkan: penggantian dengan barang yang sama\n/);
    const link = await findShopLink(database.db, tokenIn(text, 'returns'));
    assert.deepEqual(link?.subject, { kind: 'return', id: returnId });
    await writeReturnLetter(database.db, 'return_to_staff', {
      returnId,
      to: 'staff',
      at: AT,
      data: { reasons: ['review_due'] },
    });
    const toStaff = await sent('return_to_staff', seller);
    assert.match(toStaff.text, /Sebab:\n- Permintaan ini menunggu keputusan\n/);
    assert.match(
      toStaff.text,
      new RegExp(
        `In the API: https?://[^/\\s]+/api/v1/returns/${returnId}\n|Di API: https?://[^/\\s]+/api/v1/returns/${returnId}\n`,
      ),
    );
    assert.doesNotMatch(toStaff.text, /[^1]\/returns\//);
    assert.equal(await database.db('shop_links').where({ id: toStaff.letterId }).first('id'), undefined);
  });

  it('remind of a parcel in the words of where it is: none is asked for that the carrier has', async () => {
    const order = await aDeliveredOrder(database.db);
    const [coffee] = order.items;
    assert.ok(coffee);
    const returnId = asId<ReturnId>(namedUuid('a return that is reminded of'));
    await database.db.transaction((tx) =>
      openReturn(tx, {
        ...{ returnId, orderId: order.orderId, companyId: order.companyId, by: order.by, at: AT },
        items: [{ orderItemId: coffee.id, quantity: 2, reason: 'damaged' }],
        wanted: 'refund',
        policy: DEFAULT_RETURN_POLICY,
      }),
    );
    const units = database.db('return_units').where({ return_id: returnId });
    await units.clone().update({ state: 'authorised' });
    let minutes = 0;
    const told = async (state: string, locale: string) => {
      minutes += 1;
      const at = Date.parse(AT) + minutes * 60_000;
      await database.db('returns').where({ id: returnId }).update({ state, state_since: AT, rungs: '[]' });
      if (state === 'inspecting') await units.clone().where({ number: 1 }).update({ state: 'accepted' });
      await database.db('users').where({ id: order.by }).update({ locale });
      await database.db('account_letters').where({ template: 'return_reminder', user_id: order.by }).delete();
      await writeReturnLetter(database.db, 'return_reminder', { returnId, to: 'customer', at });
      const { subject, text } = await sent('return_reminder', order.by);
      return `${subject}\n${text}`;
    };
    const closed = { en: /return is closed, and nothing is refunded/, id: /ditutup dan tidak ada uang yang kembali/ };
    for (const [locale, words, lost, rest, one] of [
      [
        'en',
        closed.en,
        /has not arrived yet\n[\s\S]*we take it for lost/,
        /still missing: send it by[\s\S]*refunded for the rest/,
        /1 × /,
      ],
      [
        'id',
        closed.id,
        /belum tiba\n[\s\S]*kami anggap hilang/,
        /belum tiba, kirim paling lambat[\s\S]*untuk sisanya/,
        /1 × /,
      ],
    ] as const) {
      await units.clone().update({ state: 'authorised' });
      assert.match(await told('awaiting_shipment', locale), words);
      const onItsWay = await told('in_transit', locale);
      assert.match(onItsWay, lost);
      assert.doesNotMatch(onItsWay, words);
      const partly = await told('inspecting', locale);
      assert.match(partly, rest);
      assert.match(partly, one);
      assert.doesNotMatch(partly, words);
    }
  });
});
