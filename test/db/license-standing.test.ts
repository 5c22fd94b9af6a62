import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { revokeLicense } from '../../db/license-revocation.ts';
import {
  type ByOffice,
  expireLicense,
  licensesToExpire,
  reinstateLicense,
  reinstateLicenseOf,
  supersedeLicense,
  suspendLicense,
  suspendLicenseOf,
} from '../../db/license-standing.ts';
import { down, up } from '../../db/migrations/0008-review.ts';
import { Failure, type FailureCode } from '../../domain/failures.ts';
import { type ApplicationId, asId, type CompanyId, type LicenseId, type UserId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  aUser,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const revoke = (tx: Knex, asked: ByOffice) => revokeLicense(tx, { refundApprovalAbove: {} }, asked);

describe('the standing of a licence whose money is gone', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
    type = await aLicenseType(database.db);
  });
  after(() => database?.drop());

  const licensed = async (
    given: { applicantId?: UserId; status?: string; companyId?: CompanyId; validUntil?: string } = {},
  ) => {
    const { applicantId = owner, ...rest } = given;
    const about = { companyId, type, ...rest };
    const applicationId = await anApplication(database.db, { ...about, applicantId, state: 'active' });
    const { id, number } = await aLicense(database.db, { applicationId, ...about });
    return { applicationId, id, number };
  };
  const changeOf = (applicationId: ApplicationId, reason: 'payment_reversed' | 'refunded' = 'payment_reversed') => ({
    applicationId,
    reason,
    key: `test/${randomUUID()}`,
    at: MONDAY,
  });
  const statusOf = async (applicationId: ApplicationId) =>
    (await database.db('licenses').where({ application_id: applicationId }).first('status'))?.status;
  const lettersOf = async (number: string) =>
    database.db('account_letters').whereRaw("data->>'licenseNumber' = ?", [number]).select('template', 'user_id');

  it('is suspended once for a key, though five ask at once, and the owner is written to once', async () => {
    const { applicationId, number } = await licensed();
    const asked = changeOf(applicationId);
    const done = await Promise.all(
      Array.from({ length: 5 }, () => database.db.transaction((tx) => suspendLicenseOf(tx, asked))),
    );
    assert.equal(done.filter(Boolean).length, 1);
    assert.equal(await statusOf(applicationId), 'suspended');
    assert.deepEqual(await lettersOf(number), [{ template: 'license_suspended', user_id: owner }]);
  });

  it('is restored for the same reason only', async () => {
    const { applicationId, number } = await licensed();
    await suspendLicenseOf(database.db, changeOf(applicationId, 'refunded'));
    assert.equal(await reinstateLicenseOf(database.db, changeOf(applicationId, 'payment_reversed')), false);
    assert.equal(await statusOf(applicationId), 'suspended');
    assert.equal(await reinstateLicenseOf(database.db, changeOf(applicationId, 'refunded')), true);
    assert.equal(await statusOf(applicationId), 'active');
    const templates = (await lettersOf(number)).map(({ template }: { template: string }) => template);
    assert.deepEqual(templates, ['license_suspended', 'license_reinstated']);
  });

  it('does not change where there is no licence, or one that counts no more for another reason', async () => {
    const without = await anApplication(database.db, { companyId, type, applicantId: owner, state: 'activating' });
    assert.equal(await suspendLicenseOf(database.db, changeOf(without)), false);
    const { applicationId } = await licensed({ status: 'revoked' });
    assert.equal(await suspendLicenseOf(database.db, changeOf(applicationId)), false);
    assert.equal(await reinstateLicenseOf(database.db, changeOf(applicationId)), false);
    assert.equal(await statusOf(applicationId), 'revoked');
  });

  it('is told to a member of the company where the applicant has left it', async () => {
    const { applicationId, number } = await licensed({ applicantId: await aUser(database.db, 'owner') });
    await suspendLicenseOf(database.db, changeOf(applicationId));
    assert.deepEqual(await lettersOf(number), [{ template: 'license_suspended', user_id: owner }]);
  });

  describe('by the office', () => {
    let head: UserId;
    before(async () => {
      head = await aUser(database.db, 'head');
    });

    const by = (licenseId: LicenseId, reason = 'denah berbeda') => ({
      licenseId,
      reason,
      by: head,
      key: `test/${randomUUID()}`,
      at: MONDAY,
    });
    const change = <Asked>(how: (tx: Knex, asked: Asked) => Promise<void>, asked: Asked) =>
      database.db.transaction((tx) => how(tx, asked));
    const suspend = (id: LicenseId) => change(suspendLicense, { ...by(id), cause: 'office' });
    const isRefused = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code;
    const row = (id: LicenseId) =>
      database.db('licenses').where({ id }).first('status', 'status_reason', 'status_changed_at', 'superseded_by');
    const open = (id: LicenseId): Promise<string[]> =>
      database.db('license_suspensions').where({ license_id: id, to_at: null }).orderBy('id').pluck('cause');
    const templatesOf = async (number: string) =>
      (await lettersOf(number)).map(({ template }: { template: string }) => template);

    it('is suspended and reinstated with words for its owner, and an event that says what it was and is', async () => {
      const { id, number } = await licensed();
      await suspend(id);
      assert.deepEqual(await row(id), {
        status: 'suspended',
        status_reason: 'denah berbeda',
        status_changed_at: new Date(MONDAY),
        superseded_by: null,
      });
      await change(reinstateLicense, by(id, 'denah diperbaiki'));
      assert.equal((await row(id)).status, 'active');
      assert.deepEqual(await templatesOf(number), ['license_suspended_by_office', 'license_reinstated_by_office']);
      const events = await database
        .db('events')
        .where({ subject: `license/${id}` })
        .orderBy('id')
        .select('type', 'actor_id', 'data');
      assert.deepEqual(events, [
        {
          type: 'license.suspended',
          actor_id: head,
          data: { reason: 'office', before: { status: 'active' }, after: { status: 'suspended' } },
        },
        {
          type: 'license.reinstated',
          actor_id: head,
          data: { reason: 'office', before: { status: 'suspended' }, after: { status: 'active' } },
        },
      ]);
    });
    it('is changed once by a request that is repeated', async () => {
      const { id, number } = await licensed();
      const asked = { ...by(id), cause: 'office' } as const;
      await Promise.all(Array.from({ length: 4 }, () => change(suspendLicense, asked)));
      await change(reinstateLicense, by(id));
      await change(suspendLicense, asked);
      assert.equal((await row(id)).status, 'active');
      assert.equal((await templatesOf(number)).length, 2);
    });
    it('is not suspended twice for the same cause, nor reinstated when the office did not suspend it', async () => {
      const { id } = await licensed();
      await assert.rejects(change(reinstateLicense, by(id)), isRefused('license_not_suspended'));
      await suspend(id);
      await assert.rejects(suspend(id), isRefused('license_not_active'));
    });
    it('stays suspended until every reason is gone, whichever goes first', async () => {
      const first = await licensed();
      await suspendLicenseOf(database.db, changeOf(first.applicationId));
      await assert.rejects(change(reinstateLicense, by(first.id)), isRefused('license_not_suspended'));
      await suspend(first.id);
      assert.deepEqual(await open(first.id), ['payment_reversed', 'office']);
      assert.equal((await row(first.id)).status_reason, 'denah berbeda');
      await change(reinstateLicense, by(first.id));
      assert.deepEqual(
        [(await row(first.id)).status, (await row(first.id)).status_reason],
        ['suspended', 'payment_reversed'],
      );
      assert.equal(await reinstateLicenseOf(database.db, changeOf(first.applicationId)), true);
      assert.equal((await row(first.id)).status, 'active');

      const other = await licensed();
      await suspend(other.id);
      assert.equal(await suspendLicenseOf(database.db, changeOf(other.applicationId)), true);
      assert.equal(await reinstateLicenseOf(database.db, changeOf(other.applicationId)), true);
      assert.equal((await row(other.id)).status, 'suspended');
      await change(reinstateLicense, by(other.id));
      assert.equal((await row(other.id)).status, 'active');
      // It is in force again once, so that is what the owner hears once.
      assert.deepEqual(await templatesOf(other.number), [
        'license_suspended_by_office',
        'license_suspended',
        'license_reinstated_by_office',
      ]);
    });
    it('is revoked for good: nothing brings it back, not the money either', async () => {
      const { id, applicationId, number } = await licensed();
      await suspendLicenseOf(database.db, changeOf(applicationId));
      await change(revoke, by(id, 'dokumen palsu'));
      assert.deepEqual([(await row(id)).status, (await row(id)).status_reason], ['revoked', 'dokumen palsu']);
      assert.deepEqual(await open(id), []);
      assert.equal(await reinstateLicenseOf(database.db, changeOf(applicationId)), false);
      for (const how of [revoke, reinstateLicense]) {
        await assert.rejects(change(how, by(id)), isRefused('license_ended'));
      }
      await assert.rejects(suspend(id), isRefused('license_ended'));
      assert.deepEqual(await templatesOf(number), ['license_suspended', 'license_revoked']);
    });
    it('is superseded by another of the same company and type only', async () => {
      const [old, newer] = [await licensed(), await licensed()];
      const company = await aCompany(database.db, await aUser(database.db, 'owner'));
      const others = [
        old.id,
        (await licensed({ companyId: company })).id,
        (await licensed({ status: 'revoked' })).id,
        asId<LicenseId>(randomUUID()),
      ];
      for (const successorId of others)
        await assert.rejects(change(supersedeLicense, { ...by(old.id), successorId }), isRefused('invalid_request'));
      await change(supersedeLicense, { ...by(old.id), successorId: newer.id });
      assert.deepEqual([(await row(old.id)).status, (await row(old.id)).superseded_by], ['superseded', newer.id]);
      assert.equal((await row(newer.id)).status, 'active');
      assert.deepEqual(await templatesOf(old.number), ['license_superseded']);
    });
    it('two that shall supersede each other do not both end', async () => {
      const [one, other] = [await licensed(), await licensed()];
      const outcomes = await Promise.allSettled([
        change(supersedeLicense, { ...by(one.id), successorId: other.id }),
        change(supersedeLicense, { ...by(other.id), successorId: one.id }),
      ]);
      // In order, and not because PostgreSQL ended one of two that waited for each other.
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      assert.equal(refused.length, 1);
      assert.ok(refused[0] instanceof Failure, String(refused[0]));
    });
    it('is not changed by somebody who acts for its company', async () => {
      const { id } = await licensed();
      const asked = { ...by(id), by: owner };
      await assert.rejects(change(revoke, asked), isRefused('own_application'));
    });

    it('expires once, at the instant that its validity ends, suspended or not', async () => {
      const validUntil = '2026-03-02T01:00:00.000Z';
      const [active, suspended] = [await licensed(), await licensed()];
      for (const { id } of [active, suspended])
        await database
          .db('licenses')
          .where({ id })
          .update({ valid_from: '2020-01-01T00:00:00Z', valid_until: validUntil });
      await database.db('licenses').where({ id: suspended.id }).update({ valid_until: '2099-01-01' });
      await suspend(suspended.id);
      await database.db('licenses').where({ id: suspended.id }).update({ valid_until: validUntil });
      const due = await licensesToExpire(database.db, { at: MONDAY, after: null, limit: 10 });
      assert.deepEqual(due.map(({ id }) => id).sort(), [active.id, suspended.id].sort());
      const early = new Date(Date.parse(validUntil) - 1).toISOString();
      await expireLicense(database.db, { id: active.id, at: early });
      assert.equal((await row(active.id)).status, 'active');
      for (const { id } of [active, suspended])
        await Promise.all([1, 2, 3].map(() => expireLicense(database.db, { id, at: MONDAY })));
      for (const { id, number } of [active, suspended]) {
        assert.deepEqual(
          [(await row(id)).status, (await row(id)).status_changed_at, await open(id)],
          ['expired', new Date(validUntil), []],
        );
        assert.equal((await templatesOf(number)).filter((template) => template === 'license_expired').length, 1);
      }
      assert.deepEqual(await licensesToExpire(database.db, { at: MONDAY, after: null, limit: 10 }), []);
    });
    it('is not changed any more once its validity is over, though its record does not say so yet', async () => {
      const { id, applicationId } = await licensed();
      await database
        .db('licenses')
        .where({ id })
        .update({ valid_from: '2020-01-01T00:00:00Z', valid_until: '2026-03-02T01:59:59.999Z' });
      await assert.rejects(suspend(id), isRefused('license_ended'));
      assert.equal(await suspendLicenseOf(database.db, changeOf(applicationId)), false);
    });
  });

  it('of before there were reasons keeps the one that its event tells', async () => {
    const old = await createTestDatabase();
    try {
      const { db } = old;
      await down(db);
      const person = await aUser(db, 'owner');
      const about = { companyId: await aCompany(db, person), type: await aLicenseType(db) };
      const suspended = async (reason: string) => {
        const applicationId = await anApplication(db, { ...about, applicantId: person, state: 'active' });
        await aLicense(db, { ...about, applicationId, status: 'suspended' });
        const event = { key: `test/${applicationId}`, type: 'license.suspended', application_id: applicationId };
        const data = JSON.stringify({ reason });
        await db('events').insert({ ...event, actor: 'system', data, public: true, occurred_at: MONDAY });
        return applicationId;
      };
      const [refunded, reversed] = [await suspended('refunded'), await suspended('payment_reversed')];
      await up(db);
      assert.equal(await reinstateLicenseOf(db, changeOf(refunded, 'payment_reversed')), false);
      for (const [id, reason] of [
        [refunded, 'refunded'],
        [reversed, 'payment_reversed'],
      ] as const)
        assert.equal(await reinstateLicenseOf(db, changeOf(id, reason)), true);
    } finally {
      await old.drop();
    }
  });
});
