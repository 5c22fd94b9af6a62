import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { addCompany } from '../../db/companies.ts';
import { asId, type CompanyId } from '../../domain/ids.ts';
import { afterDays, onboardingPolicy } from '../../domain/onboarding.ts';
import { onboardingId } from '../../workflows/ids.ts';
import {
  cancelOnboardingUpdate,
  completeStepUpdate,
  type OnboardingInput,
  type StepDone,
} from '../../workflows/messages.ts';
import { doneUpTo, newCompany, type OnboardingBody, read, register, say, step } from '../builders/onboarding.ts';
import { aPdf } from '../builders/papers.ts';
import { ask } from '../builders/requests.ts';
import { someNpwp } from '../builders/sealed.ts';
import type { TestApi, TestPerson } from '../support/api.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, HOUR, travel } from '../support/time.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

const policy = onboardingPolicy({ zone: 'Asia/Jakarta', retentionDays: 90 });
const JAKARTA = '+07:00';

describe('the process of an onboarding', () => {
  let system: TestSystem;
  let api: TestApi;
  let owner: TestPerson;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    api = system.api;
    owner = await api.person('owner');
  });
  after(() => system?.close());

  const processOf = (id: CompanyId) => system.client.workflow.getHandle(onboardingId(id));
  const becomes = (id: CompanyId, state: string): Promise<OnboardingBody> =>
    eventually(`${id} to be ${state}`, async () => {
      const now = await read(api, owner, id);
      return now.state === state ? now : null;
    });
  const eventsOf = (id: CompanyId, type: string): Promise<{ key: string; occurred_at: Date }[]> =>
    system.database
      .db('events')
      .where({ company_id: id, type: `onboarding.${type}` })
      .orderBy('id')
      .select('key', 'occurred_at');
  const lettersOf = (id: CompanyId): Promise<string[]> =>
    system.database
      .db('account_letters')
      .whereRaw("data ->> 'companyId' = ?", [id])
      .orderBy('created_at')
      .pluck<string[]>('template');
  const code = (error: unknown): string | null =>
    error instanceof WorkflowUpdateFailedError && error.cause && 'type' in error.cause
      ? String(error.cause.type)
      : null;

  /** As if it had been registered, and its process started, at that instant. */
  async function registeredAt(at: Date): Promise<CompanyId> {
    const id = asId<CompanyId>(randomUUID());
    const { personalData } = system.deps;
    const npwp = someNpwp();
    const { npwp: _npwp, legalForm: _form, ...rest } = newCompany();
    const company = {
      ...rest,
      id,
      legalForm: 'UD' as const,
      npwpEncrypted: personalData.seal(npwp, 'companies.npwp'),
      npwpHash: personalData.fingerprint(npwp, 'companies.npwp'),
      npwpMasked: '0123••••••••4567',
      nib: null,
      capitalMinor: null,
      annualSalesMinor: null,
      scale: 'micro' as const,
    };
    const origin = { address: null, requestId: null };
    const expiresAt = new Date(afterDays(at.getTime(), 30));
    await addCompany(system.database.db, company, owner.id, at, { zone: policy.zone, expiresAt, origin });
    const input: OnboardingInput = { companyId: id, owner: owner.id, startedAt: at.toISOString(), run: 1, policy };
    await system.client.workflow.start('onboarding', {
      workflowId: onboardingId(id),
      taskQueue: system.taskQueue,
      args: [input],
    });
    await eventually('its process to wait for the owner', async () => {
      const { raw } = await processOf(id).describe();
      return raw.pendingActivities?.length === 0 && (raw.workflowExecutionInfo?.historyLength?.toNumber() ?? 0) > 8;
    });
    return id;
  }

  /** The last time that it was so late in Jakarta, before now. */
  function lastTimeOf(hour: string): Date {
    const today = new Date(Date.now() + 7 * HOUR * 1000).toISOString().slice(0, 10);
    const at = Date.parse(`${today}T${hour}${JAKARTA}`);
    return new Date(at > Date.now() ? at - DAY * 1000 : at);
  }
  const localHour = (at: Date): string => new Date(at.getTime() + 7 * HOUR * 1000).toISOString().slice(11, 16);

  together({
    'reminds three times by day, then expires, and reminds no more': async () => {
      const at = lastTimeOf('23:00:00');
      const id = await registeredAt(at);
      await travel(system.client, onboardingId(id), 9 * DAY);
      const reminders = await eventsOf(id, 'reminded');
      assert.deepEqual(
        reminders.map(({ occurred_at }) => localHour(occurred_at)),
        ['08:00', '08:00', '08:00'],
      );
      assert.deepEqual(
        reminders.map(({ occurred_at }) => Math.round((occurred_at.getTime() - at.getTime()) / (HOUR * 1000))),
        [33, 81, 177],
      );
      assert.equal((await read(api, owner, id)).remindersSent, 3);
      await travel(system.client, onboardingId(id), 25 * DAY).catch(() => undefined);
      const expired = await becomes(id, 'expired');
      assert.equal(expired.companyStatus, 'expired');
      const [end] = await eventsOf(id, 'expired');
      assert.equal((end?.occurred_at.getTime() ?? 0) - at.getTime() >= 30 * DAY * 1000, true);
      assert.deepEqual(await lettersOf(id), [
        'onboarding_reminder',
        'onboarding_reminder',
        'onboarding_reminder',
        'onboarding_expired',
      ]);
      await processOf(id).result();
    },

    'reminds at the hour of the last step when that is by day': async () => {
      const at = lastTimeOf('10:30:00');
      const id = await registeredAt(at);
      await travel(system.client, onboardingId(id), 2.1 * DAY);
      const [first] = await eventsOf(id, 'reminded');
      assert.equal(first ? localHour(first.occurred_at) : null, '10:30');
    },

    'counts from the last step anew': async () => {
      const id = await registeredAt(new Date());
      await travel(system.client, onboardingId(id), 1.9 * DAY);
      assert.equal((await read(api, owner, id)).remindersSent, 1);
      const { body } = await step(api, owner, id, 'business_profile');
      assert.equal(body.remindersSent, 0);
      await travel(system.client, onboardingId(id), 1.9 * DAY);
      assert.equal((await read(api, owner, id)).remindersSent, 1);
      assert.equal((await eventsOf(id, 'reminded')).length, 2);
    },

    'never reminds of what is complete': async () => {
      const id = await registeredAt(new Date());
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'completed');
      assert.deepEqual(await processOf(id).result(), { state: 'completed' });
      assert.deepEqual(await lettersOf(id), ['onboarding_completed']);
    },

    'is taken up again by its owner after it has expired, as another run': async () => {
      const id = await registeredAt(new Date());
      await step(api, owner, id, 'business_profile');
      await travel(system.client, onboardingId(id), 31 * DAY).catch(() => undefined);
      await becomes(id, 'expired');
      await processOf(id).result();
      const answers = await Promise.all([say(api, owner, id, 'reopen'), say(api, owner, id, 'reopen')]);
      assert.ok(
        answers.some(({ status, body }) => status === 200 && body.state === 'in_progress' && body.percent === 40),
      );
      assert.equal((await eventsOf(id, 'reopened')).length, 1);
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'completed');
    },

    'gives up what has expired without any process': async () => {
      const id = await registeredAt(new Date());
      await travel(system.client, onboardingId(id), 31 * DAY).catch(() => undefined);
      await becomes(id, 'expired');
      await processOf(id).result();
      const { status, body } = await say(api, owner, id, 'cancel');
      assert.deepEqual([status, body.state, body.companyStatus], [200, 'cancelled', 'cancelled']);
    },

    'takes the same message three times as one': async () => {
      const id = await registeredAt(new Date());
      await doneUpTo(api, owner, id, 'business_profile');
      const said: StepDone = { step: 'identity', by: owner.id };
      const updateId = randomUUID();
      const answers = await Promise.all(
        [updateId, updateId, updateId, randomUUID()].map((key) =>
          processOf(id).executeUpdate(completeStepUpdate, { updateId: key, args: [said] }),
        ),
      );
      assert.deepEqual(
        answers.map(({ percent }) => percent),
        [60, 60, 60, 60],
      );
      const keys = (await eventsOf(id, 'step_completed')).map(({ key }) => key);
      assert.deepEqual(
        keys.filter((key) => key.includes('/identity/')),
        [`onboarding/${id}/step/identity/1`],
      );
    },

    'is cancelled or completed, and never both, when both come in the same instant': async () => {
      for (const order of ['step first', 'cancel first'] as const) {
        const id = await registeredAt(new Date());
        await doneUpTo(api, owner, id, 'identity');
        await system.database
          .db('onboarding_steps')
          .where({ company_id: id, step: 'documents' })
          .update({ metadata: '{}' });
        const last = () =>
          processOf(id).executeUpdate(completeStepUpdate, {
            args: [{ step: 'documents' as const, by: owner.id }],
          });
        const cancel = () => processOf(id).executeUpdate(cancelOnboardingUpdate, { args: [{ by: owner.id }] });
        const both = order === 'step first' ? [last(), cancel()] : [cancel(), last()];
        const settled = await Promise.allSettled(both);
        const { state } = await processOf(id).result();
        const refused = settled.flatMap((each) => (each.status === 'rejected' ? [code(each.reason)] : []));
        assert.ok(state === 'cancelled' || state === 'completed', String(state));
        const [completed, cancelled] = [await eventsOf(id, 'completed'), await eventsOf(id, 'cancelled')];
        assert.equal(completed.length + cancelled.length, 1);
        assert.ok(
          refused.length <= 1 && refused.every((each) => each === 'onboarding_not_open' || each === null),
          order,
        );
        const { companyStatus } = await read(api, owner, id);
        assert.equal(companyStatus, state === 'completed' ? 'active' : 'cancelled');
      }
    },

    'ends by itself when its company never comes': async () => {
      const id = asId<CompanyId>(randomUUID());
      const startedAt = new Date().toISOString();
      const input: OnboardingInput = { companyId: id, owner: owner.id, startedAt, run: 1, policy };
      await system.client.workflow.start('onboarding', {
        workflowId: onboardingId(id),
        taskQueue: system.taskQueue,
        args: [input],
      });
      await travel(system.client, onboardingId(id), 600).catch(() => undefined);
      assert.deepEqual(await processOf(id).result(), { state: 'never_recorded' });
    },

    'goes on with the record where its own history is lost': async () => {
      const id = await register(api, owner);
      await doneUpTo(api, owner, id, 'business_profile');
      await processOf(id).terminate('a test');
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'completed');
      assert.equal((await eventsOf(id, 'started')).length, 1);
    },

    'erases what was entered once its time is over, and nothing before': async () => {
      const id = await register(api, owner, { legalForm: 'UD' });
      await doneUpTo(api, owner, id, 'documents');
      const done = await becomes(id, 'completed');
      assert.equal(done.eraseAt, null);
      const given = await register(api, owner, { legalForm: 'koperasi' });
      await doneUpTo(api, owner, given, 'documents');
      await say(api, owner, given, 'cancel');
      const { db } = system.database;
      const { sha256 } = await db('company_documents').where({ company_id: given }).first('sha256');
      // The same content is somebody else's as well.
      const others = await db('company_documents').where({ sha256 }).whereNot({ company_id: given });
      assert.ok(others.length > 0);
      const sweep = async () => {
        const workflowId = `onboarding-erasure-${randomUUID()}`;
        await system.client.workflow.start('onboardingErasure', { workflowId, taskQueue: system.taskQueue });
        return system.client.workflow.getHandle(workflowId).result();
      };
      await sweep();
      assert.equal((await db('company_documents').where({ company_id: given })).length, 3);
      await db('onboardings')
        .where({ company_id: given })
        .update({ erase_at: new Date(Date.now() - 1000) });
      await sweep();
      await sweep();
      const company = await db('companies').where({ id: given }).first();
      assert.deepEqual(
        [company.name, company.address, company.npwp_encrypted, company.npwp_hash, company.npwp_masked, company.nib],
        ['–', '–', null, null, '–', null],
      );
      assert.deepEqual(await db('company_numbers').where({ company_id: given }), []);
      assert.deepEqual(await db('company_documents').where({ company_id: given }), []);
      assert.ok(await system.deps.files.read(sha256), 'the file is still named by the other company');
      assert.equal((await eventsOf(given, 'erased')).length, 1);
      assert.equal((await say(api, owner, given, 'reopen')).body.code, 'not_reopenable');
      const erased = await read(api, owner, given);
      assert.ok(erased.steps.every(({ metadata }) => Object.keys(metadata).length === 0));
    },

    'erases the drafts of who never applied, with their documents, and the name in its letters': async () => {
      const { db } = system.database;
      const id = await registeredAt(new Date());
      const types = await ask<{ items: { code: string; exampleForm: object }[] }>(api, owner, 'GET', '/licenses/types');
      const { exampleForm: form } = types.body.items.find(({ code }) => code === 'restaurant') ?? {};
      const body = { companyId: id, typeCode: 'restaurant', form };
      const drafts = [
        await ask(api, owner, 'POST', '/licenses/applications', { body }),
        await ask(api, owner, 'POST', '/licenses/applications', { body }),
      ].map((draft) => `/licenses/applications/${String(draft.body['id'])}`);
      const card = new FormData();
      card.set('kind', 'identity_card');
      card.set('file', new Blob([new Uint8Array(aPdf({ mark: id }))], { type: 'application/pdf' }), 'card.pdf');
      const uploaded = await ask(api, owner, 'POST', `${drafts[0]}/documents`, { body: card });
      assert.equal(uploaded.status, 201);
      const withdrawn = await ask(api, owner, 'POST', `${drafts[1]}/withdraw`, { body: { reason: 'Tidak jadi' } });
      assert.equal(withdrawn.status, 200);
      await travel(system.client, onboardingId(id), 31 * DAY);
      const letters = () =>
        db('account_letters')
          .whereRaw("data ->> 'companyId' = ?", [id])
          .select(db.raw("data ->> 'companyName' as name"));
      assert.ok((await letters()).some(({ name }) => name === newCompany().name));
      await db('onboardings')
        .where({ company_id: id })
        .update({ erase_at: new Date(Date.now() - 1000) });
      await system.client.workflow.execute('onboardingErasure', {
        workflowId: `onboarding-erasure-${randomUUID()}`,
        taskQueue: system.taskQueue,
      });
      for (const draft of drafts) assert.deepEqual((await ask(api, owner, 'GET', draft)).body['form'], {});
      const document = await db('documents')
        .where({ id: String(uploaded.body['id']) })
        .first();
      assert.ok(document.purged_at !== null && document.removed_at !== null);
      assert.equal(await system.deps.files.read(document.sha256), null);
      assert.equal((await db('companies').where({ id }).first('name')).name, '–');
      assert.ok((await letters()).every(({ name }) => name === '–'));
    },
  });

  it('takes a registration while every worker is down', async function () {
    this.timeout(60_000);
    await system.stopWorker();
    const id = await register(api, owner);
    assert.equal((await read(api, owner, id)).state, 'in_progress');
    await system.startWorker();
    await doneUpTo(api, owner, id, 'documents');
    await becomes(id, 'completed');
  });
});
