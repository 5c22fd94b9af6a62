import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { asId, type CompanyId, type LicenseId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { licenseFollowingId } from '../../workflows/ids.ts';
import { aLicenseType, type LicenseTypeRow } from '../builders/licensing.ts';
import { anEndingLicense, type EndingLicense } from '../builders/renewals.ts';
import { idShape, type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const WHEN = ['before', 'after'] as const;
/** Steps until it is payable, and from the payment on. */
const ASKING = ['receiveSubmission', 'approveAutomatically', 'printInvoice'] as const;
const PAYING = ['confirmPayment', 'issueLicense', 'storeCertificate'] as const;

interface Renewal {
  readonly old: EndingLicense;
  readonly applicationId: string;
}

describe('a worker that is killed at each step of a renewal', function () {
  this.timeout(240_000);
  let system: TestSystem;
  let story: Story;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  const applicantId = demoUserId('owner');
  const renewals = new Map<string, Renewal>();

  const db = () => system.database.db;
  const ending = (endsInDays: number) => anEndingLicense(db(), { companyId, applicantId, type, endsInDays });
  const asked = async (old: EndingLicense): Promise<Renewal> => {
    const answer = await story.expect(201, story.call('POST', `licenses/${old.id}/renew`, { as: 'owner' }));
    return { old, applicationId: idShape.parse(answer.body).id };
  };
  const follow = (id: LicenseId) =>
    system.client.workflow.start('licenseFollowing', {
      workflowId: licenseFollowingId(id),
      taskQueue: system.taskQueue,
      args: [{ licenseId: id }],
    });

  // One worker after the other dies at a renewal of its own; the last one finds what each has left behind.
  before(async () => {
    system = await startSystem({ worker: false });
    story = storyOf(system);
    companyId = asId<CompanyId>(await story.companyId());
    type = await aLicenseType(db(), { validityMonths: 12 });
    for (const activity of ASKING)
      for (const when of WHEN) {
        const made = await asked(await ending(30));
        renewals.set(`${when} ${activity}`, made);
        await system.workUntilDeath({ activity, when, inputContains: made.applicationId });
      }
    await system.startWorker();
    const payable = await Promise.all(
      PAYING.flatMap((activity) =>
        WHEN.map(async (when) => {
          const made = await asked(await ending(30));
          renewals.set(`${when} ${activity}`, made);
          await story.reaches(made.applicationId, 'pending_payment', 60_000);
          return { activity, when, ...made, ...(await story.openPayment(made.applicationId)) };
        }),
      ),
    );
    await system.stopWorker();
    for (const { activity, when, applicationId, reference } of payable) {
      const inputContains = activity === 'confirmPayment' ? reference : applicationId;
      const death = system.workUntilDeath({ activity, when, inputContains });
      await story.sandbox(reference, 'pay');
      await death;
    }
    await system.startWorker();
  });
  after(() => system?.close());

  for (const name of [...ASKING, ...PAYING].flatMap((activity) => WHEN.map((when) => `${when} ${activity}`))) {
    it(`${name}: one invoice, one payment page, one licence, one letter of each kind`, async () => {
      const { old, applicationId } = renewals.get(name) ?? assert.fail();
      await story.reaches(
        applicationId,
        ASKING.some((one) => name.endsWith(one)) ? 'pending_payment' : 'active',
        90_000,
      );
      if ((await story.status(applicationId)).state === 'pending_payment') {
        const { reference } = await story.openPayment(applicationId);
        assert.equal((await story.openPayment(applicationId)).reference, reference);
        await story.sandbox(reference, 'pay');
        await story.reaches(applicationId, 'active', 60_000);
      }
      const invoices = await db()('invoices').where({ application_id: applicationId }).select('id', 'state');
      assert.deepEqual(
        invoices.map(({ state }) => state),
        ['paid'],
      );
      assert.equal((await db()('payments').where({ invoice_id: invoices[0]?.id })).length, 1);
      const [next, ...more] = await db()('licenses').where({ renews_id: old.id });
      assert.deepEqual([next.valid_from.toISOString(), more], [old.validUntil, []]);
      const sent = () =>
        db()('mail_deliveries').where({ application_id: applicationId, state: 'sent' }).pluck('template');
      await eventually('the letter', async () => (await sent()).includes('license_renewed'), 60_000);
      const templates: string[] = await sent();
      assert.equal(new Set(templates).size, templates.length, templates.join());
      const { status } = await system.client.workflow.getHandle(licenseFollowingId(next.id)).describe();
      assert.equal(status.name, 'RUNNING');
    });
  }

  it('or of the calendar: each letter once', async () => {
    await system.stopWorker();
    const licenses = [];
    for (const [days, when] of [60.5, 0.00001].flatMap((day) => WHEN.map((one) => [day, one] as const))) {
      const license = await ending(days);
      licenses.push({ license, days });
      await follow(license.id);
      await system.workUntilDeath({ activity: 'followLicense', when, inputContains: license.id });
    }
    await system.startWorker();
    for (const { license, days } of licenses) {
      const letters = () => db()('account_letters').whereRaw("data ->> 'licenseNumber' = ?", [license.number]);
      const process = system.client.workflow.getHandle(licenseFollowingId(license.id));
      if (days < 1) await process.result();
      else
        await eventually(
          'the process to sleep',
          async () => ((await process.describe()).raw.pendingActivities ?? []).length === 0,
          60_000,
        );
      const isDay = z.coerce.number().parse((await letters()).length);
      assert.ok(isDay === 1 || (days > 1 && isDay === 0 && isNight()), `${isDay} letters`);
    }
  });

  it('or of an adoption: each licence has its process and its event once', async () => {
    const licenses = await Promise.all(Array.from({ length: 4 }, () => ending(200)));
    await system.stopWorker();
    const adopted = system.client.workflow.execute('licenseAdoption', {
      workflowId: `license-adoption-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [{ page: 2 }],
    });
    await system.workUntilDeath({ activity: 'adoptLicenses', when: 'after', inputContains: '"limit":2' });
    await system.startWorker();
    await adopted;
    for (const { id } of licenses) {
      const { status } = await system.client.workflow.getHandle(licenseFollowingId(id)).describe();
      assert.equal(status.name, 'RUNNING');
      assert.equal((await db()('events').where({ key: `license/${id}/followed` })).length, 1);
    }
  });
});

/** In Jakarta: no letter is written then. */
function isNight(): boolean {
  const hour = (new Date().getUTCHours() + 7) % 24;
  return hour < 8 || hour >= 20;
}
