import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { applyToInvoice } from '../../db/invoice-payments.ts';
import { findLicense } from '../../db/license-reads.ts';
import { revokeLicense } from '../../db/license-revocation.ts';
import { expireLicense, reinstateLicense, suspendLicense, suspendLicenseOf } from '../../db/license-standing.ts';
import { issueLicense, termOf } from '../../db/licenses.ts';
import { carryOut } from '../../db/renewal-calendar.ts';
import { withdrawRenewal } from '../../db/renewal-withdrawal.ts';
import { createRenewal, renewalSource } from '../../db/renewals.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type DocumentId,
  type LicenseId,
  type UserId,
} from '../../domain/ids.ts';
import { aBookedInvoice } from '../builders/books.ts';
import { aCompany, aLicenseType, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { anEndingLicense, daysFromNow, type EndingLicense } from '../builders/renewals.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

describe('the next term of a licence, on record', () => {
  let database: TestDatabase;
  let db: Knex;
  let companyId: CompanyId;
  let owner: UserId;
  let head: UserId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    db = database.db;
    owner = await aUser(db, 'owner');
    head = await aUser(db, 'head');
    companyId = await aCompany(db, owner);
    type = await aLicenseType(db);
  });
  after(() => database.drop());

  const ending = (endsInDays = 30, status?: string) =>
    anEndingLicense(db, { companyId, applicantId: owner, type, endsInDays, ...(status ? { status } : {}) });
  async function asked(license: EndingLicense, at = daysFromNow(0)): Promise<ApplicationId> {
    const id = asId<ApplicationId>(randomUUID());
    const { form, documents } = await renewalSource(db, license.id);
    await createRenewal(db, {
      ...{
        id,
        licenseId: license.id,
        companyId,
        typeCode: type.code,
        policyId: type.policyId,
        applicantId: owner,
        form,
        at,
      },
      kind: 'unchanged',
      documents: documents.map((of) => ({ id: asId<DocumentId>(randomUUID()), of })),
    });
    return id;
  }
  const issued = async (applicationId: ApplicationId, months: number | null = 12, at = daysFromNow(0)) => {
    await db('applications').where({ id: applicationId }).update({ state: 'activating' });
    return db.transaction(async (tx) => {
      const term = await termOf(tx, { applicationId, at, zone: 'Asia/Jakarta', months });
      return issueLicense(tx, { applicationId, typeCode: type.code, at, ...term });
    });
  };
  const renewed = async (license: EndingLicense) => (await issued(await asked(license))).licenseId;
  const record = (id: LicenseId) => db('licenses').where({ id }).first();
  const statuses = async (...ids: LicenseId[]) => Promise.all(ids.map(async (id) => (await record(id)).status));
  const byHead = (licenseId: LicenseId) => ({
    licenseId,
    by: head,
    reason: 'denah',
    key: `test/${randomUUID()}`,
    at: daysFromNow(0),
  });

  it('is asked for once, whoever asks at the same time, with a copy of each document that is there', async () => {
    const license = await ending();
    const answers = await Promise.allSettled(Array.from({ length: 6 }, () => asked(license)));
    const made = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    assert.equal(made.length, 1);
    const [id] = made;
    for (const answer of answers)
      if (answer.status === 'rejected') {
        assert.equal(answer.reason.code, 'renewal_under_way');
        assert.equal(answer.reason.facts.applicationId, id);
      }
    const copies = await db('documents').where({ application_id: id }).select('kind', 'scan_state', 'sha256');
    const { sha256 } = await db('documents').where({ id: license.documentId }).first('sha256');
    assert.deepEqual(copies, [{ kind: 'ktp', scan_state: 'clean', sha256 }]);
  });

  it('is not asked for of what was suspended or revoked a moment before', async () => {
    for (const status of ['suspended', 'revoked', 'superseded'])
      await assert.rejects(asked(await ending(30, status)), { code: 'renewal_not_possible' });
  });

  it('begins where the earlier one ends and is issued once, however often it is tried', async () => {
    const license = await ending();
    const application = await asked(license);
    const [first, again] = [await issued(application), await issued(application).catch((error: Error) => error)];
    assert.deepEqual(again, first);
    assert.deepEqual([first.renews, first.isFollowed], [license.id, true]);
    const next = await record(first.licenseId);
    assert.equal(next.valid_from.toISOString(), license.validUntil);
    assert.notEqual(next.verify_code, license.verifyCode);
    assert.notEqual(next.number, license.number);
    assert.equal((await db('licenses').where({ renews_id: license.id })).length, 1);
  });

  it('comes back to the day of the first one where a month has it, over many terms', async () => {
    const license = await ending();
    const anchor = '2027-01-30T20:00:00.000Z';
    await db('licenses')
      .where({ id: license.id })
      .update({ valid_from: anchor, valid_until: '2027-02-27T20:00:00.000Z' });
    let last = license;
    const ends: string[] = [];
    for (let term = 0; term < 3; term += 1) {
      const { licenseId } = await issued(await asked(last), 1);
      const { valid_until } = await record(licenseId);
      ends.push(valid_until.toISOString());
      last = { ...last, id: licenseId };
    }
    assert.deepEqual(ends, ['2027-03-30T20:00:00.000Z', '2027-04-29T20:00:00.000Z', '2027-05-30T20:00:00.000Z']);
  });

  it('holds for life where licences of its type do by now, and is followed by nobody then', async () => {
    const { licenseId, isFollowed } = await issued(await asked(await ending()), null);
    assert.deepEqual([(await record(licenseId)).valid_until, isFollowed], [null, false]);
  });

  it('supersedes the earlier one when that ends, at its end', async () => {
    const license = await ending();
    const next = await renewed(license);
    assert.deepEqual(await statuses(license.id, next), ['active', 'active']);
    await expireLicense(db, { id: license.id, at: daysFromNow(31) });
    await expireLicense(db, { id: license.id, at: daysFromNow(32) });
    const over = await record(license.id);
    assert.deepEqual([over.status, over.superseded_by], ['superseded', next]);
    assert.equal(over.status_changed_at.toISOString(), license.validUntil);
    const templates = await db('account_letters')
      .whereRaw("data ->> 'licenseNumber' = ?", [license.number])
      .pluck('template');
    assert.deepEqual(templates, ['license_superseded']);
  });

  it('supersedes one that has expired at once', async () => {
    const license = await ending(-5, 'expired');
    const next = await renewed(license);
    assert.deepEqual(
      [(await record(license.id)).status, (await record(license.id)).superseded_by],
      ['superseded', next],
    );
  });

  it('is taken away by missing money alone; the earlier one stays', async () => {
    const license = await ending();
    const application = await asked(license);
    const { licenseId } = await issued(application);
    await db.transaction((tx) =>
      suspendLicenseOf(tx, {
        applicationId: application,
        reason: 'payment_reversed',
        key: randomUUID(),
        at: daysFromNow(0),
      }),
    );
    assert.deepEqual(await statuses(license.id, licenseId), ['active', 'suspended']);
  });

  it('is suspended, reinstated and revoked with the earlier one by the office, not by its money', async () => {
    const license = await ending();
    const next = await renewed(license);
    const of = { applicationId: license.applicationId, reason: 'payment_reversed', at: daysFromNow(0) } as const;
    await db.transaction((tx) => suspendLicense(tx, { ...byHead(license.id), cause: 'office' }));
    assert.deepEqual(await statuses(license.id, next), ['suspended', 'suspended']);
    await db.transaction((tx) => reinstateLicense(tx, byHead(license.id)));
    assert.deepEqual(await statuses(license.id, next), ['active', 'active']);
    await db.transaction((tx) => suspendLicenseOf(tx, { ...of, key: randomUUID() }));
    assert.deepEqual(await statuses(license.id, next), ['suspended', 'active']);
    await db.transaction((tx) => revokeLicense(tx, { refundApprovalAbove: {} }, byHead(license.id)));
    assert.deepEqual(await statuses(license.id, next), ['revoked', 'revoked']);
  });

  it('brings nothing back that the office had taken away while it was under way', async () => {
    const [revoked, suspended] = [await ending(), await ending()];
    const [first, second] = [await asked(revoked), await asked(suspended)];
    await db.transaction((tx) => revokeLicense(tx, { refundApprovalAbove: {} }, byHead(revoked.id)));
    await db.transaction((tx) => suspendLicense(tx, { ...byHead(suspended.id), cause: 'office' }));
    // It ends suspended: nobody has taken that back.
    await expireLicense(db, { id: suspended.id, at: daysFromNow(31) });
    const after = [(await issued(first)).licenseId, (await issued(second, 12, daysFromNow(32))).licenseId];
    assert.deepEqual(await statuses(...after), ['revoked', 'suspended']);
    assert.deepEqual(await statuses(revoked.id, suspended.id), ['revoked', 'superseded']);
  });

  describe('that waits for its payment', () => {
    const policy = { refundApprovalAbove: {} };
    const TOTAL = 361_000n;
    async function waiting() {
      const license = await ending();
      const applicationId = await asked(license);
      const { id: invoiceId } = await aBookedInvoice(db, companyId);
      await db('invoices').where({ id: invoiceId }).update({ application_id: applicationId });
      await db('applications').where({ id: applicationId }).update({ state: 'pending_payment' });
      const at = daysFromNow(0);
      const by = { applicationId, by: owner, reason: 'tidak jadi', at };
      return {
        applicationId,
        pay: (tx: Knex) => applyToInvoice(tx, { invoiceId, amountMinor: TOTAL, at }).then(({ state }) => state),
        withdraw: (tx: Knex) => withdrawRenewal(tx, policy, by).then(({ state }) => state),
        revoke: (tx: Knex) => revokeLicense(tx, policy, byHead(license.id)),
        states: async () => [
          (await db('applications').where({ id: applicationId }).first('state')).state,
          (await db('invoices').where({ id: invoiceId }).first('state')).state,
          (await record(license.id)).status,
        ],
      };
    }
    const isBlocked = () =>
      eventually('the other one to wait', async () => {
        const { rows } = await db.raw(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        );
        return rows.length > 0;
      });
    /** The second comes while the first is not committed. */
    async function oneAfterTheOther<A, B>(first: (tx: Knex) => Promise<A>, second: (tx: Knex) => Promise<B>) {
      const tx = await db.transaction();
      const one = await first(tx);
      const two = db.transaction(second);
      await isBlocked();
      await tx.commit();
      return [one, await two] as const;
    }

    it('is paid or withdrawn, whichever comes first, and neither by halves', async () => {
      const [paid, withdrawn] = [await waiting(), await waiting()];
      assert.deepEqual(await oneAfterTheOther(paid.pay, paid.withdraw), ['paid', 'activating']);
      assert.deepEqual(await paid.states(), ['activating', 'paid', 'active']);
      assert.deepEqual(await oneAfterTheOther(withdrawn.withdraw, withdrawn.pay), ['withdrawn', 'lapsed']);
      assert.deepEqual(await withdrawn.states(), ['withdrawn', 'lapsed', 'active']);
    });

    it('is withdrawn once, however often it is asked', async () => {
      const it = await waiting();
      const answers = await Promise.all(Array.from({ length: 3 }, () => db.transaction(it.withdraw)));
      assert.deepEqual(answers, ['withdrawn', 'withdrawn', 'withdrawn']);
      const told = await db('events').where({ application_id: it.applicationId }).pluck('type');
      assert.deepEqual(told.toSorted(), [
        'application.created',
        'application.withdrawn',
        'document.added',
        'invoice.lapsed',
      ]);
    });

    it('is cancelled with its licence, unless it was paid a moment before', async () => {
      const [paid, revoked] = [await waiting(), await waiting()];
      await oneAfterTheOther(paid.pay, paid.revoke);
      assert.deepEqual(await paid.states(), ['activating', 'paid', 'revoked']);
      assert.equal((await oneAfterTheOther(revoked.revoke, revoked.pay))[1], 'lapsed');
      assert.deepEqual(await revoked.states(), ['cancelled', 'lapsed', 'revoked']);
    });
  });

  it('tells its reader what it is of, and who follows', async () => {
    const license = await ending();
    const next = await renewed(license);
    const viewer = { userId: owner, roles: ['owner'] } as const;
    const [old, fresh] = [await findLicense(db, viewer, license.id), await findLicense(db, viewer, next)];
    assert.deepEqual([old?.renewedBy?.id, old?.renews, old?.isRenewed], [next, null, true]);
    assert.deepEqual([fresh?.renews?.number, fresh?.renewedBy, fresh?.isRenewed], [license.number, null, false]);
  });

  describe('and what the calendar does', () => {
    const lettersOf = async ({ number }: EndingLicense) =>
      db('account_letters').whereRaw("data ->> 'licenseNumber' = ?", [number]).orderBy('created_at').pluck('template');
    /** By day in Jakarta. */
    const noon = (days: number) => `${daysFromNow(days).slice(0, 10)}T05:00:00.000Z`;

    it('is one letter a rung, whether it is done twice, or by two at once', async () => {
      const license = await ending(91);
      for (const day of [2, 32, 62])
        await Promise.all(Array.from({ length: 4 }, () => carryOut(db, { licenseId: license.id, at: noon(day) })));
      assert.deepEqual(await lettersOf(license), [
        'license_renewal_open',
        'license_renewal_reminder',
        'license_renewal_reminder',
      ]);
      const events = await db('events')
        .where({ subject: `license/${license.id}` })
        .pluck('type');
      assert.deepEqual(events.toSorted(), [
        'license.renewal_opened',
        'license.renewal_reminded',
        'license.renewal_reminded',
      ]);
    });

    it('reminds of a renewal that is under way until it is paid', async () => {
      const license = await ending(61);
      const application = await asked(license);
      await carryOut(db, { licenseId: license.id, at: noon(2) });
      await db('applications').where({ id: application }).update({ state: 'activating' });
      const errand = await carryOut(db, { licenseId: license.id, at: noon(32) });
      assert.deepEqual([errand?.kind, await lettersOf(license)], ['end', ['license_renewal_open']]);
      const [{ data }] = await db('account_letters').whereRaw("data ->> 'licenseNumber' = ?", [license.number]);
      assert.deepEqual([data.isUnderWay, data.lateDays, data.lateFeePercent], [true, 30, 25]);
    });

    it('is the end of one whose validity is over, and nothing of one that has ended otherwise', async () => {
      const [over, revoked] = [await ending(-1), await ending(-1, 'revoked')];
      for (const { id } of [over, revoked])
        assert.equal(await carryOut(db, { licenseId: id, at: daysFromNow(0) }), null);
      assert.deepEqual(await statuses(over.id, revoked.id), ['expired', 'revoked']);
    });
  });
});
