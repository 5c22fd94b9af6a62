import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { checkLedger } from '../../db/ledger-check.ts';
import type { Role } from '../../domain/roles.ts';
import { aBookedInvoice, aCapture } from '../builders/books.ts';
import { aCompany } from '../builders/licensing.ts';
import { ask, type Problem } from '../builders/requests.ts';
import { OPEN_ACCESS, startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

interface Refund {
  readonly id: string;
  readonly state: string;
  readonly needsApproval: boolean;
}

const ACCOUNT = {
  channel: 'bank_transfer',
  bankCode: '014',
  accountNumber: '1234567890',
  accountHolder: 'CV Uji Coba',
};
const TRANSFERRED = { bankReference: 'TRF 42', transferredAt: '2026-11-21T10:00:00+07:00' };

describe('who gives money back', () => {
  let system: TestSystem;
  /** Of an office that requires a second factor of its staff, and a second person for every refund. */
  let strict: TestApi;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    const { client: temporal, taskQueue, database, api } = system;
    strict = await startApi(database, {
      temporal,
      taskQueue,
      tokens: api.deps.tokens,
      access: { ...OPEN_ACCESS, staffSecondFactor: 'required' },
      money: { ...MONEY_POLICY, refundApprovalAbove: {} },
    });
  });
  after(async () => {
    await strict?.close();
    await system?.close();
  });

  const db = () => system.database.db;
  const person = (...roles: Role[]) => system.api.person(...roles);
  /** With a second factor just given. */
  const fresh = async (...roles: Role[]) => {
    const found = await person(...roles);
    await system.api.stepUp(found);
    return found;
  };
  /** Money of this person's company that no gateway takes back. */
  const paid = async (by: TestPerson): Promise<string> => {
    const { id } = await aCapture(db(), await aBookedInvoice(db(), await aCompany(db(), by.id)));
    await db()('payments').where({ id }).update({ method: 'bca_va' });
    return id;
  };
  const asked = async (by: TestPerson, body: object, api = system.api): Promise<Refund> => {
    const answer = await ask<Refund>(api, by, 'POST', '/refunds', { body });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body;
  };
  const say = (
    api: TestApi,
    by: TestPerson,
    { id }: Pick<Refund, 'id'>,
    what: string,
    body: object = {},
    key?: string,
  ) =>
    ask<Refund & Problem>(api, by, 'POST', `/refunds/${id}/${what}`, {
      body,
      headers: { 'idempotency-key': key ?? randomUUID() },
    });
  const refused = async (status: number, code: string, answer: Promise<{ status: number; body: Problem }>) => {
    const { status: got, body } = await answer;
    assert.deepEqual([got, body.code], [status, code], JSON.stringify(body));
  };
  const stateOf = async ({ id }: Pick<Refund, 'id'>): Promise<string> =>
    (await db()('refunds').where({ id }).first('state')).state;
  const due = async (): Promise<Refund> => {
    const owner = await person('owner');
    const refund = await asked(owner, { paymentId: await paid(owner), amountMinor: 9_000, destination: ACCOUNT });
    assert.equal((await say(system.api, await person('finance'), refund, 'approve')).status, 200);
    await eventually('the transfer to be due', async () => (await stateOf(refund)) === 'transfer_due');
    return refund;
  };

  it('agrees with a fresh second factor where the office requires one', async () => {
    const owner = await person('owner');
    const refund = await asked(owner, { paymentId: await paid(owner) });
    const finance = await person('finance');
    await refused(403, 'step_up_required', say(strict, finance, refund, 'approve'));
    assert.equal(await stateOf(refund), 'requested');
    await system.api.stepUp(finance);
    assert.equal((await say(strict, finance, refund, 'approve')).status, 200);
  });

  it('or who has one, where it does not; else without', async () => {
    const owner = await person('owner');
    const refund = await asked(owner, { paymentId: await paid(owner), amountMinor: 1_000 });
    const [careful, plain] = [await person('finance'), await person('supervisor')];
    await system.api.giveFactor(careful);
    await refused(403, 'step_up_required', say(system.api, careful, refund, 'approve'));
    assert.equal((await say(system.api, plain, refund, 'approve')).status, 200);
  });

  it('agrees to none of their own, and nobody who acts for the payer does', async () => {
    const finance = await fresh('finance');
    const paymentId = await paid(await person('owner'));
    const refund = await asked(finance, { paymentId, amountMinor: 1_000 }, strict);
    assert.deepEqual([refund.state, refund.needsApproval], ['requested', true]);
    await refused(403, 'own_refund', say(strict, finance, refund, 'approve'));
    await refused(403, 'own_refund', say(strict, finance, refund, 'reject', { note: 'no' }));
    const member = await fresh('supervisor');
    const { company_id } = await db()('refunds').where({ id: refund.id }).first('company_id');
    await db()('company_members').insert({ company_id, user_id: member.id });
    await refused(403, 'own_refund', say(strict, member, refund, 'approve'));
    assert.equal(await stateOf(refund), 'requested');
    assert.equal((await say(strict, await fresh('supervisor'), refund, 'approve')).status, 200);
  });

  it('who acts for the payer asks as a payer, whatever their office', async () => {
    const both = await person('owner', 'finance');
    const refund = await asked(both, { paymentId: await paid(both), amountMinor: 1_000 });
    assert.deepEqual([refund.state, refund.needsApproval], ['requested', true]);
  });

  it('reads the account in clear with a fresh second factor, and each reading is in the audit', async () => {
    const owner = await person('owner');
    const refund = await asked(owner, { paymentId: await paid(owner), destination: ACCOUNT });
    const read = (by: TestPerson, id = refund.id) => ask<Problem>(system.api, by, 'GET', `/refunds/${id}/destination`);
    const finance = await person('finance');
    await refused(403, 'step_up_required', read(finance));
    await refused(403, 'forbidden', read(await fresh('supervisor')));
    await system.api.stepUp(finance);
    const clear = await read(finance);
    assert.deepEqual([clear.status, clear.headers.get('cache-control')], [200, 'no-store']);
    const { bankCode, accountNumber, accountHolder, nameMatches }: Readonly<Record<string, unknown>> = {
      ...clear.body,
    };
    assert.deepEqual(
      { bankCode, accountNumber, accountHolder, nameMatches },
      { bankCode: '014', accountNumber: '1234567890', accountHolder: 'CV Uji Coba', nameMatches: true },
    );
    assert.equal((await read(finance)).status, 200);
    const events = await db()('events').where({ type: 'personal_data.read', subject: `refund/${refund.id}` });
    assert.deepEqual(
      events.map(({ actor_id, data }) => [actor_id, data.fields]),
      Array.from({ length: 2 }, () => [finance.id, ['account_number', 'account_holder']]),
    );
    assert.doesNotMatch(JSON.stringify(events.map(({ data }) => data)), /1234567890|Uji Coba/);
    const without = await asked(await person('finance'), { paymentId: await paid(owner), amountMinor: 1_000 });
    await refused(409, 'refund_needs_destination', read(finance, without.id));
  });

  it('reports a transfer once: the second is told who was first, and a repeat hears what it heard', async () => {
    const refund = await due();
    const [one, other] = [await person('finance'), await person('finance')];
    const keys = [randomUUID(), randomUUID()] as const;
    const answers = await Promise.all([
      say(system.api, one, refund, 'transferred', TRANSFERRED, keys[0]),
      say(system.api, other, refund, 'transferred', { ...TRANSFERRED, bankReference: 'TRF 43' }, keys[1]),
    ]);
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 409]);
    assert.equal(answers.find(({ status }) => status === 409)?.body.code, 'refund_not_open');
    const [by, key, reference] = answers[0].status === 200 ? [one, keys[0], 'TRF 42'] : [other, keys[1], 'TRF 43'];
    const again = await say(system.api, by, refund, 'transferred', { ...TRANSFERRED, bankReference: reference }, key);
    assert.deepEqual([again.status, again.body.state], [200, 'succeeded']);
    const stored = await db()('refunds').where({ id: refund.id }).first('transferred_by', 'transfer_reference');
    assert.deepEqual({ ...stored }, { transferred_by: by.id, transfer_reference: reference });
    assert.equal((await db()('credit_notes').where({ refund_id: refund.id })).length, 1);
    for (const { name, findings } of (await checkLedger(db())).proofs) assert.deepEqual(findings, [], name);
  });
});
