import assert from 'node:assert/strict';
import { z } from 'zod';
import { mailbox } from '../support/machine.ts';
import { storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

describe('a licence from application to activation', () => {
  let system: TestSystem;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
  });
  after(() => system?.close());

  it('goes through every stage, payment, certificate, mail and public verification', async () => {
    const story = storyOf(system);
    const id = await story.approved('restaurant');
    await story.reaches(id, 'pending_payment');
    const { reference } = await story.openPayment(id);
    await story.sandbox(reference, 'pay');
    const { license, invoice } = await story.reaches(id, 'active');
    assert.ok(license && invoice);
    assert.match(license.number, /^UMKM-RESTAURANT\/\d{4}\/000001$/);

    const mail = await (await mailbox()).waitForMessage(
      (message) =>
        message.subject.includes(license.number) ||
        message.attachments.some(({ filename }) => filename.startsWith('UMKM')),
      15_000,
    );
    assert.deepEqual(mail.to, ['owner@alur.example']);
    assert.equal(mail.attachments.length, 1);

    const certificate = await story.call('GET', `licenses/${license.id}/certificate`, { as: 'owner' });
    assert.equal(certificate.status, 200);
    assert.match(String(certificate.headers.get('content-type')), /pdf/);

    const verified = await fetch(license.verifyUrl, { headers: { accept: 'application/json' } });
    assert.equal(verified.status, 200);
    assert.equal(z.looseObject({ number: z.string() }).parse(await verified.json()).number, license.number);
  });

  it('takes a low risk from submission to payment without a person', async () => {
    const story = storyOf(system);
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    const { reference } = await story.openPayment(id);
    await story.sandbox(reference, 'pay');
    await story.reaches(id, 'active');
  });
});
