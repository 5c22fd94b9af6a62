import assert from 'node:assert/strict';
import { z } from 'zod';
import { certificateFacts } from '../../db/printed.ts';
import { asId, type CompanyId, type LicenseId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { activationId, licenseFollowingId } from '../../workflows/ids.ts';
import {
  aCompany,
  aLicenseType,
  aPolicy,
  aUser,
  GOOD_FORM,
  type LicenseTypeRow,
  policy,
} from '../builders/licensing.ts';
import { anEndingLicense, aStoredDocument, daysFromNow, type EndingLicense } from '../builders/renewals.ts';
import { type Call, type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

const named = z.object({ id: z.string(), number: z.string() });
const licenseShape = z.looseObject({
  id: z.string(),
  number: z.string(),
  status: z.string(),
  validFrom: z.string(),
  validUntil: z.string().nullable(),
  notYetValid: z.boolean(),
  verifyUrl: z.string(),
  supersededBy: named.nullable(),
  renews: named.nullable(),
  renewedBy: named.nullable(),
  renewal: z.object({
    state: z.string(),
    opensAt: z.string().nullable(),
    closesAt: z.string().nullable(),
    applicationId: z.string().optional(),
    lateFee: z.looseObject({ amountMinor: z.number() }).optional(),
  }),
});
const applicationShape = z.looseObject({
  id: z.string(),
  state: z.string(),
  renewal: z.string().nullable(),
  renewsLicenseId: z.string().nullable(),
  form: z.record(z.string(), z.unknown()),
  documents: z.array(z.looseObject({ id: z.string(), kind: z.string(), sha256: z.string() })),
});
const problemShape = z.looseObject({
  code: z.string(),
  detail: z.string(),
  applicationId: z.string().optional(),
  opensAt: z.string().optional(),
});

describe('the renewal of a licence over HTTP', () => {
  let system: TestSystem;
  let story: Story;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  const applicantId = demoUserId('owner');

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
    companyId = asId<CompanyId>(await story.companyId());
    type = await aLicenseType(system.database.db, { validityMonths: 12 });
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const ending = (endsInDays: number, changes: Partial<Parameters<typeof anEndingLicense>[1]> = {}) =>
    anEndingLicense(db(), { companyId, applicantId, type, endsInDays, ...changes });
  const renew = (id: string, body?: unknown, more: Call = {}) =>
    story.call('POST', `licenses/${id}/renew`, { as: 'owner', ...(body === undefined ? {} : { body }), ...more });
  const renewed = async (id: string, body?: unknown) =>
    applicationShape.parse((await story.expect(201, renew(id, body))).body);
  const refused = async (id: string, body?: unknown) =>
    problemShape.parse((await story.expect(409, renew(id, body, { headers: { 'accept-language': 'en' } }))).body);
  const read = async (id: string) =>
    licenseShape.parse((await story.expect(200, story.call('GET', `licenses/${id}`, { as: 'owner' }))).body);
  const paid = async (applicationId: string) => {
    await story.sandbox((await story.openPayment(applicationId)).reference, 'pay');
    const { license } = await story.reaches(applicationId, 'active');
    assert.ok(license);
    return read(license.id);
  };
  const total = async (applicationId: string) =>
    (await db()('invoices').where({ application_id: applicationId }).first('total_minor')).total_minor;
  const verified = async (url: string, accept: string) =>
    (await story.call('GET', new URL(url).pathname, { headers: { accept, 'accept-language': 'en' } })).body;
  const letters = async (applicationId: string, template: string) =>
    (await db()('mail_deliveries').where({ application_id: applicationId, template, state: 'sent' })).length;
  const following = (id: string) =>
    system.client.workflow.getHandle(licenseFollowingId(asId<LicenseId>(id))).describe();
  const processOf = (id: string) => system.client.workflow.getHandle(id);
  const follow = (id: string) =>
    system.client.workflow.start('licenseFollowing', {
      workflowId: licenseFollowingId(asId<LicenseId>(id)),
      taskQueue: system.taskQueue,
      args: [{ licenseId: id }],
    });
  const invoiceOf = (applicationId: string): Promise<{ id: string; state: string }> =>
    db()('invoices').where({ application_id: applicationId }).first('id', 'state');
  const attemptOf = (reference: string): Promise<{ state: string }> =>
    db()('payments').where({ gateway_reference: reference }).first('state');
  const withdrawn = (id: string, headers: Call['headers'] = {}) =>
    story.call('POST', `licenses/applications/${id}/withdraw`, {
      as: 'owner',
      body: { reason: 'tidak jadi' },
      headers: headers ?? {},
    });
  const isAhead = (iso: string | null | undefined) => new Date(iso ?? 0) > new Date();
  const sameMoment = (a: string | null, b: string) => assert.equal(new Date(a ?? 0).toISOString(), b);

  together({
    'goes straight to payment when nothing has changed, and its term begins where the old one ends': async () => {
      const old = await ending(30);
      assert.equal((await read(old.id)).renewal.state, 'open');
      const application = await renewed(old.id);
      assert.deepEqual([application.renewal, application.renewsLicenseId], ['unchanged', old.id]);
      assert.deepEqual(application.form, GOOD_FORM);
      await story.reaches(application.id, 'pending_payment');
      assert.equal(await total(application.id), 361_000n);
      assert.deepEqual((await db()('tasks').where({ application_id: application.id })).length, 0);
      const underWay = (await read(old.id)).renewal;
      assert.deepEqual([underWay.state, underWay.applicationId], ['under_way', application.id]);

      const next = await paid(application.id);
      sameMoment(next.validFrom, old.validUntil);
      const years = (iso: string) => new Date(iso).getUTCFullYear();
      assert.equal(years(next.validUntil ?? '') - years(next.validFrom), 1);
      assert.deepEqual([next.status, next.notYetValid, next.renews?.number], ['active', true, old.number]);
      assert.equal(next.renewal.state, 'not_open');
      const before = await read(old.id);
      assert.deepEqual([before.status, before.renewedBy?.id, before.supersededBy], ['active', next.id, null]);
      assert.deepEqual([before.renewal.state, before.renewal.applicationId], ['renewed', application.id]);

      const record = z
        .looseObject({ valid: z.boolean(), notYetValid: z.boolean(), renewsNumber: z.string().nullable() })
        .parse(await verified(next.verifyUrl, 'application/json'));
      assert.deepEqual([record.valid, record.notYetValid, record.renewsNumber], [false, true, old.number]);
      assert.match(String(await verified(next.verifyUrl, 'text/html')), /NOT YET VALID[\s\S]*Renewal of/);
      assert.match(
        String(await verified(`${system.api.url}/verify/${old.verifyCode}`, 'text/html')),
        /VALID[\s\S]*Renewed by/,
      );
      const facts = await certificateFacts(db(), asId<LicenseId>(next.id));
      assert.deepEqual([facts.renews, facts.validFrom.toISOString()], [old.number, old.validUntil]);
      await eventually('its letter', async () => (await letters(application.id, 'license_renewed')) === 1);
      assert.equal((await following(next.id)).status.name, 'RUNNING');
    },

    'supersedes the earlier licence at the very instant of its end, before any record says so': async () => {
      const old = await ending(3);
      const next = await paid((await renewed(old.id)).id);
      const over = daysFromNow(-0.0001);
      await db()('licenses').where({ id: old.id }).update({ valid_until: over });
      await db()('licenses').where({ id: next.id }).update({ valid_from: over });
      const before = await read(old.id);
      assert.deepEqual([before.status, before.supersededBy?.id], ['superseded', next.id]);
      assert.equal((await db()('licenses').where({ id: old.id }).first('status')).status, 'active');
      const [now, page] = [await read(next.id), await verified(next.verifyUrl, 'text/html')];
      assert.deepEqual([now.status, now.notYetValid], ['active', false]);
      assert.match(String(page), /VALID/);
      assert.match(String(await verified(`${system.api.url}/verify/${old.verifyCode}`, 'text/html')), /SUPERSEDED/);
    },

    'is reviewed when the form has changed, with the documents of before': async () => {
      const old = await ending(30);
      const application = await renewed(old.id, { form: { ...GOOD_FORM, area: 90 } });
      assert.equal(application.renewal, 'changed');
      const copied = await db()('documents').where({ id: old.documentId }).first('sha256');
      assert.deepEqual(
        application.documents.map(({ kind, sha256, id }) => [kind, sha256, id === old.documentId]),
        [['ktp', copied.sha256, false]],
      );
      await story.reaches(application.id, 'document_verification');
    },

    'is reviewed when the company is another than on the certificate, or says so': async () => {
      const [declared, moved] = [await ending(30), await ending(30)];
      assert.equal((await renewed(declared.id, { companyProfileChanged: true })).renewal, 'changed');
      await db()('licenses')
        .where({ id: moved.id })
        .update({ holder: '{"name":"CV Lama","address":"Jalan 1","kbli":["47111"]}' });
      assert.equal((await renewed(moved.id)).renewal, 'changed');
    },

    'is a draft on request, and what is added to it makes it a change': async () => {
      const [same, more] = [await ending(30), await ending(30)];
      const [first, second] = [await renewed(same.id, { submit: false }), await renewed(more.id, { submit: false })];
      assert.deepEqual([first.state, first.renewal], ['draft', 'unchanged']);
      await aStoredDocument(db(), asId(second.id), applicantId, 'site_plan');
      for (const { id } of [first, second])
        await story.expect(200, story.call('POST', `licenses/applications/${id}/submit`, { as: 'owner' }));
      await story.reaches(first.id, 'pending_payment');
      await story.reaches(second.id, 'document_verification');
      const kinds = await db()('applications').whereIn('id', [first.id, second.id]).orderBy('renewal').pluck('renewal');
      assert.deepEqual(kinds, ['changed', 'unchanged']);
    },

    'that asks for a document which is not there any more creates nothing, and can be a draft': async () => {
      const old = await ending(30);
      await db()('documents')
        .where({ id: old.documentId })
        .update({ purged_at: daysFromNow(-1) });
      const answer = await story.expect(422, renew(old.id, { companyProfileChanged: true }));
      assert.match(JSON.stringify(answer.body), /documents\/ktp/);
      assert.equal((await db()('applications').where({ renews_id: old.id })).length, 0);
      const draft = await renewed(old.id, { companyProfileChanged: true, submit: false });
      assert.deepEqual(draft.documents, []);
    },

    'costs a quarter more when it is late; the term is continuous, and what had expired is superseded': async () => {
      const old = await ending(-10, { status: 'expired' });
      const late = (await read(old.id)).renewal;
      assert.deepEqual([late.state, late.lateFee?.amountMinor], ['late', 87_500]);
      const application = await renewed(old.id);
      await story.reaches(application.id, 'pending_payment');
      assert.equal(await total(application.id), 448_500n);
      const next = await paid(application.id);
      sameMoment(next.validFrom, old.validUntil);
      assert.equal(next.notYetValid, false);
      const before = await read(old.id);
      assert.deepEqual([before.status, before.supersededBy?.id], ['superseded', next.id]);
      assert.equal((await db()('events').where({ key: `license/${old.id}/superseded/renewal` })).length, 1);
    },

    'is refused too early, and says from when on it can be asked': async () => {
      const old = await ending(91);
      const { code, opensAt } = await refused(old.id);
      assert.equal(code, 'renewal_not_open');
      assert.ok(isAhead(opensAt) && opensAt === (await read(old.id)).renewal.opensAt);
    },

    'is refused of what is suspended, revoked, superseded, for life, or over for too long': async () => {
      const standing = async (license: EndingLicense) => [
        (await refused(license.id)).code,
        (await read(license.id)).renewal.state,
      ];
      for (const status of ['suspended', 'revoked', 'superseded'])
        assert.deepEqual(await standing(await ending(30, { status })), ['renewal_not_possible', 'not_possible']);
      assert.deepEqual(await standing(await ending(-31, { status: 'expired' })), ['renewal_not_possible', 'closed']);
      const forLife = await ending(30);
      await db()('licenses').where({ id: forLife.id }).update({ valid_until: null });
      assert.deepEqual(await standing(forLife), ['renewal_not_possible', 'not_possible']);
    },

    'is refused where licences of the type are not issued any more': async () => {
      const other = await aLicenseType(db());
      const old = await ending(30, { type: other });
      await db()('license_types').where({ code: other.code }).update({ active: false });
      assert.equal((await refused(old.id)).code, 'renewal_not_possible');
    },

    'is one, however many ask for it at once; the others are told which': async () => {
      const old = await ending(30);
      const answers = await Promise.all(Array.from({ length: 5 }, () => renew(old.id)));
      const made = answers.filter(({ status }) => status === 201);
      const rest = answers.filter(({ status }) => status === 409).map(({ body }) => problemShape.parse(body));
      assert.deepEqual([made.length, rest.length], [1, 4]);
      const { id } = applicationShape.parse(made[0]?.body);
      for (const { code, applicationId } of rest) assert.deepEqual([code, applicationId], ['renewal_under_way', id]);
      assert.equal((await db()('applications').where({ renews_id: old.id })).length, 1);
    },

    'is the same for a request that is repeated': async () => {
      const old = await ending(30);
      const headers = { 'idempotency-key': `renew-${old.id}` };
      const [first, again] = [await renew(old.id, undefined, { headers }), await renew(old.id, undefined, { headers })];
      assert.deepEqual([first.status, again.status], [201, 201]);
      assert.equal(applicationShape.parse(again.body).id, applicationShape.parse(first.body).id);
    },

    'can be asked again once the first one came to nothing': async () => {
      const old = await ending(30);
      const { id } = await renewed(old.id, { submit: false });
      await story.expect(
        200,
        story.call('POST', `licenses/applications/${id}/withdraw`, { as: 'owner', body: { reason: 'later' } }),
      );
      assert.equal((await read(old.id)).renewal.state, 'open');
      assert.notEqual((await renewed(old.id)).id, id);
    },

    'ends with the licence when that is revoked: nothing is to pay, its page closes, money that comes all the same is a case':
      async () => {
        const old = await ending(30);
        await follow(old.id);
        const { id } = await renewed(old.id);
        await story.reaches(id, 'pending_payment');
        const { reference } = await story.openPayment(id);
        const { id: invoiceId } = await invoiceOf(id);
        await story.expect(
          200,
          story.call('POST', `licenses/${old.id}/revoke`, { as: 'head', body: { reason: 'dokumen palsu' } }),
        );
        const { state, closing_reason } = await db()('applications').where({ id }).first('state', 'closing_reason');
        assert.deepEqual([state, closing_reason], ['cancelled', 'dokumen palsu']);
        assert.equal((await invoiceOf(id)).state, 'lapsed');
        assert.equal((await story.call('POST', `invoices/${invoiceId}/pay`, { as: 'owner', body: {} })).status, 409);
        await eventually('its page to be closed', async () => (await attemptOf(reference)).state === 'expired');
        await eventually('its letter', async () => (await letters(id, 'application_cancelled')) === 1);
        assert.equal((await processOf(activationId(asId(id))).result())?.state, 'cancelled');
        await story.sandbox(reference, 'pay-late');
        await eventually('a case for finance', async () =>
          db()('payment_cases').where({ invoice_id: invoiceId, kind: 'late' }).first('id'),
        );
        assert.equal((await story.status(id)).state, 'cancelled');
      },

    'is withdrawn by its owner while it is to be paid, and can be asked for again': async () => {
      const old = await ending(30);
      const { id } = await renewed(old.id);
      await story.reaches(id, 'pending_payment');
      const { reference } = await story.openPayment(id);
      const { id: invoiceId } = await invoiceOf(id);
      const headers = { 'idempotency-key': `withdraw-${id}` };
      assert.equal((await withdrawn(id, headers)).status, 200);
      assert.equal((await withdrawn(id, headers)).status, 200);
      assert.equal((await story.status(id)).state, 'withdrawn');
      const { closing_reason } = await db()('applications').where({ id }).first('closing_reason');
      assert.equal(closing_reason, 'tidak jadi');
      assert.equal((await invoiceOf(id)).state, 'lapsed');
      assert.equal((await db()('events').where({ application_id: id, type: 'application.withdrawn' })).length, 1);
      assert.equal((await read(old.id)).renewal.state, 'open');
      await eventually('its page to be closed', async () => (await attemptOf(reference)).state === 'expired');
      await eventually('its letter', async () => (await letters(id, 'application_withdrawn')) === 1);
      const again = await renewed(old.id);
      assert.notEqual(again.id, id);
      await story.reaches(again.id, 'pending_payment');
      await story.sandbox(reference, 'pay-late');
      await eventually('a case for finance', async () =>
        db()('payment_cases').where({ invoice_id: invoiceId, kind: 'late' }).first('id'),
      );
      assert.equal((await story.status(again.id)).state, 'pending_payment');
    },

    'is not withdrawn once it is paid, though nobody has heard of the payment yet': async () => {
      const old = await ending(30);
      const { id } = await renewed(old.id);
      await story.reaches(id, 'pending_payment');
      await paid(id);
      const answer = await withdrawn(id);
      assert.deepEqual([answer.status, problemShape.parse(answer.body).code], [409, 'already_closed']);
    },

    'is either paid or withdrawn, when both come at the same instant': async () => {
      for (const first of ['pay', 'withdraw'] as const) {
        const old = await ending(30);
        const { id } = await renewed(old.id);
        await story.reaches(id, 'pending_payment');
        const { reference } = await story.openPayment(id);
        const pay = () => story.sandbox(reference, 'pay');
        const [, answer] =
          first === 'pay'
            ? await Promise.all([pay(), withdrawn(id)])
            : (await Promise.all([withdrawn(id), pay()])).toReversed();
        const isWithdrawn = typeof answer === 'object' && 'status' in answer && answer.status === 200;
        await story.reaches(id, isWithdrawn ? 'withdrawn' : 'active');
        const { id: invoiceId, state } = await invoiceOf(id);
        assert.equal(state, isWithdrawn ? 'lapsed' : 'paid');
        if (isWithdrawn)
          await eventually('a case for finance', async () =>
            db()('payment_cases').where({ invoice_id: invoiceId, kind: 'late' }).first('id'),
          );
        assert.equal((await db()('licenses').where({ application_id: id })).length, isWithdrawn ? 0 : 1);
      }
    },

    'that was approved after its licence was revoked asks nobody to pay': async () => {
      const old = await ending(30);
      const numbers = await db().transaction();
      // Nobody gets a number meanwhile: the approval waits with its invoice.
      await numbers.raw(
        `insert into counters (name, value) select 'invoice/' || y, 0
           from generate_series(extract(year from now())::int, extract(year from now())::int + 1) y
         on conflict (name) do update set value = counters.value`,
      );
      const { id } = await renewed(old.id).finally(async () => {
        await db()('licenses').where({ id: old.id }).update({ status: 'revoked', status_reason: 'dokumen palsu' });
        await numbers.commit();
      });
      await story.reaches(id, 'cancelled');
      assert.equal((await invoiceOf(id)).state, 'lapsed');
      await eventually('its letter', async () => (await letters(id, 'application_cancelled')) === 1);
      assert.equal(await letters(id, 'invoice_issued'), 0);
    },

    'is for an application of the first term not withdrawn any more: the office has decided it': async () => {
      const id = await story.submitted('retail_kiosk');
      await story.reaches(id, 'pending_payment');
      const answer = await withdrawn(id);
      assert.deepEqual([answer.status, problemShape.parse(answer.body).code], [409, 'already_decided']);
    },

    'is judged by the rules in force, whichever the licence was given under': async () => {
      const other = await aLicenseType(db(), { validityMonths: 12 });
      const old = await ending(30, { type: other });
      const fee = { statutoryMinor: '500000', serviceMinor: '0', currency: 'IDR' } as const;
      const renewal = { opensDaysBefore: 10, remindDaysBefore: [], lateDays: 0, lateFeePercent: 0 };
      const rules = policy({ fee, renewal, validityMonths: 6 });
      await aPolicy(db(), other.code, { version: 2, effectiveFrom: daysFromNow(-1), policy: rules });
      assert.equal((await refused(old.id)).code, 'renewal_not_open');
      const soon = await ending(9, { type: other });
      const { id } = await renewed(soon.id);
      await story.reaches(id, 'pending_payment');
      assert.equal(await total(id), 500_000n);
    },

    'is for the people of its company alone': async () => {
      const stranger = await aUser(db(), 'owner');
      const old = await ending(30, { companyId: await aCompany(db(), stranger), applicantId: stranger });
      assert.equal((await renew(old.id)).status, 404);
      assert.equal((await renew(old.id, undefined, { as: 'supervisor' })).status, 403);
    },

    'stands in the list of licences as well': async () => {
      const old = await ending(45);
      const { items } = z
        .object({ items: z.array(licenseShape) })
        .parse((await story.call('GET', 'users/licenses?limit=100', { as: 'owner' })).body);
      assert.equal(items.find(({ id }) => id === old.id)?.renewal.state, 'open');
    },
  });
});
