import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createMailActivities, type SendMail } from '../../../activities/mail/send.ts';
import { createMailTransport } from '../../../activities/mail/transport.ts';
import { type ApplicationId, asId, type OfficeId } from '../../../domain/ids.ts';
import { demoUserId } from '../../../local/demo-data.ts';
import { type Mailbox, startMailbox } from '../../../local/mailbox.ts';
import {
  aLicense,
  aLicenseType,
  anEvidencePack,
  anInvoice,
  aPayment,
  aReceipt,
  policy,
} from '../../builders/licensing.ts';
import { type Story, storyOf } from '../../support/story.ts';
import { startSystem, type TestSystem } from '../../support/system.ts';

describe('sending a letter', () => {
  let system: TestSystem;
  let story: Story;
  let box: Mailbox;
  let applicationId: ApplicationId;

  before(async function () {
    this.timeout(60_000);
    system = await startSystem({ worker: false });
    story = storyOf(system);
    box = await startMailbox({ httpPort: 0, smtpPort: 0, directory: null });
    applicationId = asId<ApplicationId>(await story.draft('retail_kiosk'));
  });
  after(async () => {
    await box?.close();
    await system?.close();
  });

  const send = (key: string): Promise<{ sent: boolean }> =>
    dispatch({
      key,
      template: 'application_withdrawn',
      to: demoUserId('owner'),
      applicationId,
      at: '2026-11-21T10:00:00.000Z',
    });
  /** Runs the activity once, as a worker would, against the mailbox of this file. */
  const dispatch = async (letter: SendMail): Promise<{ sent: boolean }> => {
    const mail = createMailTransport({ smtpUrl: box.smtpUrl, from: 'Alur <no-reply@alur.example>' });
    try {
      const { sendMail } = createMailActivities({ ...system.deps, mail });
      return await new MockActivityEnvironment().run(sendMail, letter);
    } finally {
      mail.close();
    }
  };
  const delivery = (key: string) =>
    system.database.db('mail_deliveries').where({ key }).first('state', 'tries', 'message_id');

  it('sends nothing when it is repeated after it was sent', async () => {
    const key = `test/${randomUUID()}`;
    const before = box.messages().length;
    assert.deepEqual([await send(key), await send(key)], [{ sent: true }, { sent: true }]);
    assert.equal(box.messages().length, before + 1);
    assert.deepEqual({ ...(await delivery(key)), message_id: '' }, { state: 'sent', tries: 1, message_id: '' });
  });

  it('keeps the letter and its Message-ID while the mail server is away', async () => {
    const key = `test/${randomUUID()}`;
    await box.setAvailable(false);
    await assert.rejects(send(key), (error) => error instanceof ApplicationFailure && error.nonRetryable !== true);
    const queued = await delivery(key);
    assert.equal(queued?.state, 'queued');
    await box.setAvailable(true);
    assert.deepEqual(await send(key), { sent: true });
    assert.deepEqual(await delivery(key), { state: 'sent', tries: 2, message_id: queued?.message_id });
  });

  it('acknowledges a payment with its receipt attached, and what is still owed', async () => {
    const { db } = system.database;
    const { company_id: companyId } = await db('applications').where({ id: applicationId }).first('company_id');
    const invoiceId = await anInvoice(db, { companyId, applicationId });
    const { id: paymentId } = await aPayment(db, { invoiceId, state: 'paid' });
    const letter = {
      key: `test/${randomUUID()}`,
      template: 'payment_received',
      to: demoUserId('owner'),
      applicationId,
      at: '2026-11-21T10:00:00.000Z',
      paymentId,
    } as const;
    await assert.rejects(dispatch(letter), /has no receipt/);
    const receiptId = await aReceipt(db, { invoiceId, paymentId });
    await assert.rejects(dispatch(letter), /needs the PDF of the receipt/);
    const { sha256 } = await system.deps.files.put(Buffer.from('%PDF-1.7 receipt'));
    await db('receipts').where({ id: receiptId }).update({ pdf_sha256: sha256, outstanding_minor: 5_000 });
    assert.deepEqual(await dispatch(letter), { sent: true });
    const sent = box.messages().at(-1);
    const { number } = await db('receipts').where({ id: receiptId }).first('number');
    assert.ok(sent?.subject.includes(number) && sent.subject.includes('Rp361.000'), sent?.subject);
    assert.match(sent?.text ?? '', /Rp5\.000/);
    assert.deepEqual(
      sent?.attachments.map(({ filename, content }) => [filename, content.toString()]),
      [[`${number.replaceAll('/', '-')}.pdf`, '%PDF-1.7 receipt']],
    );
  });

  it('brings a licence that the law has granted in words of its own, with its certificate', async () => {
    const { db } = system.database;
    const id = asId<ApplicationId>(await story.draft('retail_kiosk'));
    const { company_id: companyId, type_code: code } = await db('applications').where({ id }).first();
    const { sha256 } = await system.deps.files.put(Buffer.from('%PDF-1.7 certificate'));
    const { policy_id: policyId } = await db('applications').where({ id }).first('policy_id');
    const type = { code, policyId, officeId: asId<OfficeId>(randomUUID()), policy: policy() };
    const { number } = await aLicense(db, { applicationId: id, companyId, type, certificate: sha256 });
    const letter = { template: 'license_issued', to: demoUserId('owner'), applicationId: id } as const;
    const at = '2026-11-21T10:00:00.000Z';
    await dispatch({ ...letter, key: `test/${randomUUID()}`, at });
    const usual = box.messages().at(-1);
    await db('evidence_packs').insert({ application_id: id, pack: '{}', created_at: at });
    await dispatch({ ...letter, key: `test/${randomUUID()}`, at });
    const byLaw = box.messages().at(-1);
    assert.doesNotMatch(usual?.text ?? '', /fiktif positif/);
    assert.match(byLaw?.text ?? '', /dikabulkan menurut hukum \(Pasal 53 UU 30\/2014, fiktif positif\)/);
    assert.deepEqual(
      byLaw?.attachments.map(({ filename }) => filename),
      [`${number.replaceAll('/', '-')}.pdf`],
    );
  });

  it('tells of a voided invoice by its own number, of the one in its place by both, and of an approval by law as such', async () => {
    const { db } = system.database;
    const id = asId<ApplicationId>(await story.draft('retail_kiosk'));
    const { company_id: companyId } = await db('applications').where({ id }).first('company_id');
    const old = await anInvoice(db, { companyId, applicationId: id, state: 'void' });
    const letter = { to: demoUserId('owner'), applicationId: id, at: '2026-11-21T10:00:00.000Z' };
    const about = async (rest: Pick<SendMail, 'template' | 'paymentId' | 'paid'>): Promise<string> => {
      await dispatch({ ...letter, key: `test/${randomUUID()}`, ...rest });
      return box.messages().at(-1)?.text ?? '';
    };
    const numberOf = async (invoice: string) => (await db('invoices').where({ id: invoice }).first('number')).number;
    assert.ok((await about({ template: 'invoice_voided' })).includes(await numberOf(old)));

    const { sha256 } = await system.deps.files.put(Buffer.from('%PDF-1.7 invoice'));
    const other = await anInvoice(db, { companyId, applicationId: id, pdf: sha256 });
    await db('invoices').where({ id: other }).update({ replaces_id: old });
    const issued = await about({ template: 'invoice_issued' });
    assert.ok(issued.includes(`menggantikan ${await numberOf(old)}`) && issued.includes(await numberOf(other)), issued);

    assert.ok(!issued.includes('menurut hukum'), issued);
    await db('invoices').where({ id: other }).update({ replaces_id: null });
    assert.match(await about({ template: 'invoice_issued' }), /disetujui\. Tagihannya/);
    await anEvidencePack(db, { applicationId: id, companyId, type: await aLicenseType(db) });
    const byLaw = await about({ template: 'invoice_issued' });
    assert.match(byLaw, /dikabulkan menurut hukum.*Tagihannya/s);
    assert.ok(!byLaw.includes('disetujui'), byLaw);

    const { id: paymentId } = await aPayment(db, { invoiceId: old, state: 'paid' });
    const paid = { amount: { amountMinor: '361000', currency: 'IDR' }, gateway: 'midtrans' } as const;
    const late = await about({ template: 'payment_late', paymentId, paid });
    assert.ok(late.includes(await numberOf(old)) && !late.includes(await numberOf(other)), late);
  });

  it('writes in the recipient’s language, under the key of that letter alone', async () => {
    const [first, second] = [`test/${randomUUID()}`, `test/${randomUUID()}`];
    await system.database
      .db('users')
      .where({ id: demoUserId('owner') })
      .update({ locale: 'en' });
    await send(first);
    await system.database
      .db('users')
      .where({ id: demoUserId('owner') })
      .update({ locale: 'id' });
    await send(second);
    const [english, indonesian] = box.messages().slice(-2);
    assert.ok(english && indonesian);
    assert.notEqual(english.subject, indonesian.subject);
    assert.match(indonesian.subject, /Kios Eceran/);
  });
});
