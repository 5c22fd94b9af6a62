import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createActivities } from '../../activities/index.ts';
import { certificateFacts } from '../../db/printed.ts';
import { createRenewal, renewalSource } from '../../db/renewals.ts';
import { addMonths } from '../../domain/calendar.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type DocumentId,
  type LicenseId,
  type UserId,
} from '../../domain/ids.ts';
import { RENEWAL_TERMS, renewalPolicy, renewalStanding } from '../../domain/renewal.ts';
import { activationId, licenseFollowingId } from '../../workflows/ids.ts';
import { aCompany, aLicenseType, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { anEndingLicense } from '../builders/renewals.ts';
import { type CaseClocks, createCaseClocks } from '../simulate/case-clocks.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

const YEARS = 50;
const DAY = 86_400_000;
const MINUTE = 60_000;
/** A day that three years in four do not have. Ten in the morning in Jakarta. */
const ANCHOR = '2028-02-29T03:00:00.000Z';

/** When it is renewed in which year: days before its end; negative = late. Never at the minute of a letter. */
const renewedBefore = (year: number): number => [80.3, 1.2, -12.4, 45.6, 20.7, 0.4, 61.9][year % 7] ?? 30.5;
/** How many letters that is: the opening, and the reminders that were due before the renewal. */
const lettersUntil = (days: number): number =>
  1 + RENEWAL_TERMS.remindDaysBefore.filter((rung) => rung < 90 && rung > days).length;

describe('fifty years of a licence that is renewed each year', function () {
  this.timeout(240_000);
  let system: TestSystem;
  let clocks: CaseClocks;
  let companyId: CompanyId;
  let owner: UserId;
  let type: LicenseTypeRow;
  let activities: ReturnType<typeof createActivities>;
  const chain: LicenseId[] = [];
  /** How far the clock of each process is ahead of the machine's. */
  const skewMs = new Map<LicenseId, number>();

  // One process after the other is brought to its time: that of each term, and that of each renewal's activation.
  before(async () => {
    clocks = createCaseClocks();
    system = await startSystem({ clientOf: clocks.clientOf, worker: false });
    const { signer } = system.deps;
    // The office changes its certificate every ten years; here the one of today signs all of them.
    await system.startWorker({ signer: { sign: (pdf, how) => signer.sign(pdf, { ...how, signedAt: new Date() }) } });
    activities = createActivities(system.deps);
    const { db } = system.database;
    owner = await aUser(db, 'owner');
    companyId = await aCompany(db, owner);
    const free = { statutoryMinor: '0', serviceMinor: '0', currency: 'IDR' } as const;
    type = await aLicenseType(db, { fee: free, validityMonths: 12 });
    let license = await first();
    for (let year = 0; year < YEARS; year += 1) license = await nextTerm(license, year);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const record = (id: LicenseId) => db()('licenses').where({ id }).first();
  /** Only who sleeps arrives where it was sent, and no further. */
  async function bringTo(id: LicenseId, at: number): Promise<void> {
    const process = system.client.workflow.getHandle(licenseFollowingId(id));
    const isOver = await eventually('the process to sleep, or to be over', async () => {
      const { status, historyLength, raw } = await process.describe();
      if (status.name !== 'RUNNING') return 'over';
      const isBusy = (raw.pendingActivities ?? []).length > 0 || raw.pendingWorkflowTask != null;
      // Read once, and a timer set.
      return historyLength >= 11 && !isBusy && 'asleep';
    });
    if (isOver === 'over') return;
    const aheadMs = at - (Date.now() + (skewMs.get(id) ?? 0));
    if (aheadMs > 0) await travel(system.client, licenseFollowingId(id), aheadMs / 1_000);
    skewMs.set(id, at - Date.now());
  }

  async function first(): Promise<LicenseId> {
    const { id } = await anEndingLicense(db(), { companyId, applicantId: owner, type, endsInDays: 300 });
    const until = addMonths(ANCHOR, 12, 'Asia/Jakarta');
    await db()('licenses').where({ id }).update({ valid_from: ANCHOR, valid_until: until, followed_since: ANCHOR });
    await system.client.workflow.start('licenseFollowing', {
      workflowId: licenseFollowingId(id),
      taskQueue: system.taskQueue,
      args: [{ licenseId: id }],
    });
    chain.push(id);
    return id;
  }

  /** The earlier licence is followed to the day of its renewal, renewed, and followed to its end. */
  async function nextTerm(id: LicenseId, year: number): Promise<LicenseId> {
    const { valid_from, valid_until } = await record(id);
    const end = valid_until.getTime();
    const at = end - renewedBefore(year) * DAY;
    if (at > end) await bringTo(id, end + MINUTE);
    await bringTo(id, at);
    const term = { validFrom: valid_from.getTime(), validUntil: end, terms: RENEWAL_TERMS };
    const { status } = await record(id);
    const { state } = renewalStanding({ ...term, status, isRenewed: false, application: null }, at);
    assert.equal(state, at > end ? 'late' : 'open');
    const next = await renew(id, new Date(at).toISOString(), state === 'late');
    await bringTo(id, end + MINUTE);
    chain.push(next);
    return next;
  }

  async function renew(licenseId: LicenseId, at: string, isLate: boolean): Promise<LicenseId> {
    const id = asId<ApplicationId>(randomUUID());
    const { form, documents } = await renewalSource(db(), licenseId);
    const policy = renewalPolicy(type.policy, 'unchanged', isLate);
    await createRenewal(db(), {
      ...{ id, licenseId, companyId, typeCode: type.code, policyId: type.policyId, applicantId: owner, form, at },
      kind: 'unchanged',
      documents: documents.map((of) => ({ id: asId<DocumentId>(randomUUID()), of })),
    });
    const { checklist, legalWorkingDays, payment, validityMonths } = policy;
    const about = { applicationId: id, typeCode: type.code, at };
    await activities.receiveSubmission({
      ...about,
      round: 1,
      by: owner,
      checklist,
      legalWorkingDays,
      to: 'auto_check',
    });
    await activities.approveAutomatically({ applicationId: id, to: 'activating', bill: null, at });
    const workflowId = activationId(id);
    clocks.startAt(workflowId, Date.parse(at));
    const input = {
      applicationId: id,
      companyId,
      applicant: owner,
      typeCode: type.code,
      isFree: true,
      payment,
      validityMonths,
    };
    await system.client.workflow.start('activation', { workflowId, taskQueue: system.taskQueue, args: [input] });
    await clocks.begun(system.client, workflowId);
    const next = await eventually('the next licence, with its certificate', async () => {
      const found = await db()('licenses').where({ application_id: id }).whereNotNull('certificate_sha256').first('id');
      return found?.id;
    });
    // A child begins at the time of its parent.
    skewMs.set(next, Date.parse(at) - Date.now());
    return next;
  }

  it('is in force without a gap and without an overlap, from the day that it began with', async () => {
    const rows = await Promise.all(chain.map(record));
    assert.equal(rows.length, YEARS + 1);
    for (const [index, row] of rows.entries()) {
      assert.equal(row.valid_from.toISOString(), addMonths(ANCHOR, 12 * index, 'Asia/Jakarta'));
      assert.equal(row.valid_until.toISOString(), addMonths(ANCHOR, 12 * (index + 1), 'Asia/Jakarta'));
      assert.equal(row.renews_id, chain[index - 1] ?? null);
    }
    assert.equal(new Set(rows.map(({ number }) => number)).size, rows.length);
    assert.equal(new Set(rows.map(({ verify_code }) => verify_code)).size, rows.length);
  });

  it('has a certificate for each term, which names the one before', async () => {
    const facts = await Promise.all(chain.map((id) => certificateFacts(db(), id)));
    const numbers = facts.map(({ number }) => number);
    assert.deepEqual(
      facts.map(({ renews }) => renews),
      [null, ...numbers.slice(0, -1)],
    );
    const certificates = facts.slice(1).map(({ certificate }) => certificate);
    assert.equal(new Set(certificates).size, YEARS);
    assert.ok(certificates.every((one) => one !== null));
  });

  it('is superseded at the end of each term, or by a late renewal when that is issued', async () => {
    for (const [index, id] of chain.slice(0, -1).entries()) {
      const { status, superseded_by, status_changed_at, valid_until } = await record(id);
      assert.deepEqual([status, superseded_by], ['superseded', chain[index + 1]]);
      const late = -Math.min(0, renewedBefore(index)) * DAY;
      const changed = status_changed_at.getTime() - valid_until.getTime();
      // A late one turns when its activation runs, a moment after it was asked for.
      assert.ok(changed >= late && changed < late + MINUTE, `${changed - late} ms off in year ${index}`);
    }
    assert.equal((await record(chain.at(-1) ?? assert.fail())).status, 'active');
  });

  it('reminds its owner of each term at each rung once, until that is renewed', async () => {
    for (const [index, id] of chain.slice(0, -1).entries()) {
      const types = await db()('events')
        .where({ subject: `license/${id}` })
        .pluck('type');
      const letters = types.filter((one: string) => one.startsWith('license.renewal_')).length;
      assert.equal(letters, lettersUntil(renewedBefore(index)), `year ${index}`);
    }
  });

  it('leaves no process behind but the last, and none that has grown', async () => {
    for (const id of chain) {
      const { status, historyLength } = await system.client.workflow.getHandle(licenseFollowingId(id)).describe();
      assert.equal(status.name, id === chain.at(-1) ? 'RUNNING' : 'COMPLETED');
      assert.ok(historyLength < 150, `${historyLength} events`);
    }
  });
});
