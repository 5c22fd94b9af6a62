import assert from 'node:assert/strict';
import { addMonthsFrom, daytime, localDate } from '../../domain/calendar.ts';
import { feeLines } from '../../domain/fees.ts';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import { isFree } from '../../domain/licensing.ts';
import { policyProblems } from '../../domain/policies.ts';
import {
  type FollowedLicense,
  lateFeeMinor,
  nextErrand,
  RENEWAL_TERMS,
  type Renewable,
  renewalPolicy,
  renewalStanding,
  renewalTermsOf,
} from '../../domain/renewal.ts';
import { policy } from '../builders/licensing.ts';

const DAY = 86_400_000;
const ZONE = 'Asia/Jakarta';
/** Noon in Jakarta. */
const END = Date.parse('2027-06-15T05:00:00.000Z');
const BEGIN = Date.parse('2026-06-15T05:00:00.000Z');
const daysBefore = (days: number, hours = 0) => END - days * DAY - hours * 3_600_000;

describe('the policy of a renewal', () => {
  const full = policy({
    automatic: { auditPercent: 10, fallback: { stage: 'approval', role: 'approver', sharePercent: 50 } },
    registries: { ask: ['nib'], giveUpAfterMinutes: 5 },
    intent: { required: true, answerWithinWorkingDays: 5 },
  });
  it('sends what is unchanged straight to payment: nobody looks at it, nothing is asked', () => {
    const { path, stages, checklist, automatic, registries, intent, ...rest } = renewalPolicy(full, 'unchanged', false);
    assert.deepEqual([path, stages, checklist], ['automatic', [], []]);
    assert.deepEqual([automatic, registries, intent], [undefined, undefined, undefined]);
    assert.deepEqual([rest.fee, rest.payment, rest.validityMonths], [full.fee, full.payment, full.validityMonths]);
  });
  it('is that of any application where something has changed', () => {
    assert.deepEqual(renewalPolicy(full, 'changed', false), full);
  });
  it('charges a quarter more when it is late, as a line of its own without tax, rounded to whole rupiah', () => {
    const late = renewalPolicy(full, 'changed', true);
    assert.equal(late.fee.lateMinor, '87500');
    const lines = feeLines(late.fee).map(({ code, kind, net }) => [code, kind, net.amountMinor]);
    assert.deepEqual(lines.at(-1), ['late_fee', 'statutory', 87_500n]);
    assert.deepEqual(feeLines(full.fee).length, 2);
    const odd = policy({ fee: { statutoryMinor: '3', serviceMinor: '7', currency: 'IDR' } });
    assert.equal(lateFeeMinor(odd), 3n);
    const free = policy({ fee: { statutoryMinor: '0', serviceMinor: '0', currency: 'IDR' } });
    assert.ok(isFree(renewalPolicy(free, 'unchanged', true)));
  });
  it('keeps no late fee of a policy that it is made from', () => {
    assert.equal(renewalPolicy(renewalPolicy(full, 'changed', true), 'changed', false).fee.lateMinor, undefined);
  });
  it('has the defaults where it says nothing', () => {
    assert.deepEqual(renewalTermsOf(undefined), RENEWAL_TERMS);
    assert.deepEqual(renewalTermsOf({ lateDays: 0 }), { ...RENEWAL_TERMS, lateDays: 0 });
  });
  it('is refused with reminders out of order, or before the opening', () => {
    const of = (remindDaysBefore: number[]) =>
      policyProblems(policy({ renewal: { ...RENEWAL_TERMS, remindDaysBefore } })).map(({ code }) => code);
    assert.deepEqual(
      [of([30, 60]), of([30, 30]), of([91]), of([90, 1]), of([])],
      [['not_descending'], ['not_descending'], ['reminder_before_opening'], [], []],
    );
  });
});

describe('where the renewal of a licence stands', () => {
  const license: Renewable = {
    validFrom: BEGIN,
    validUntil: END,
    status: 'active',
    terms: RENEWAL_TERMS,
    isRenewed: false,
    application: null,
  };
  const at = (now: number, changes: Partial<Renewable> = {}) => renewalStanding({ ...license, ...changes }, now).state;

  it('opens 90 days before the end, is late for 30 days after it, and is over then, each to the millisecond', () => {
    assert.deepEqual(
      [daysBefore(90) - 1, daysBefore(90), END - 1, END, END + 30 * DAY - 1, END + 30 * DAY].map((now) => at(now)),
      ['not_open', 'open', 'open', 'late', 'late', 'closed'],
    );
    assert.equal(at(END, { status: 'expired' }), 'late');
    const { opensAt, closesAt } = renewalStanding(license, BEGIN);
    assert.deepEqual([opensAt, closesAt], [daysBefore(90), END + 30 * DAY]);
  });
  it('never opens before the term itself has begun', () => {
    assert.equal(at(BEGIN - 1, { validUntil: BEGIN + 28 * DAY }), 'not_open');
    assert.equal(at(BEGIN, { validUntil: BEGIN + 28 * DAY }), 'open');
  });
  it('is impossible for life, while suspended, once revoked or superseded, and where the type is not issued any more', () => {
    assert.equal(at(END, { validUntil: null }), 'not_possible');
    for (const status of ['suspended', 'revoked', 'superseded'] as const)
      assert.equal(at(END - 1, { status }), 'not_possible');
    assert.equal(at(END - 1, { terms: null }), 'not_possible');
  });
  it('is under way with an application, and done with a licence', () => {
    const application = { id: asId<ApplicationId>('0e9d4a1c-3f53-4d56-9a55-0d7f3c1a7b11'), state: 'draft' as const };
    assert.equal(at(END - 1, { application }), 'under_way');
    assert.equal(at(END + DAY, { application, isRenewed: true, status: 'superseded' }), 'renewed');
  });
});

describe('what the calendar does with a licence', () => {
  const license: FollowedLicense = {
    validFrom: BEGIN,
    validUntil: END,
    status: 'active',
    zone: ZONE,
    terms: RENEWAL_TERMS,
    renewal: 'none',
    told: new Set(),
  };
  const told = (...rungs: string[]) => ({ told: new Set(rungs) });
  const next = (now: number, changes: Partial<FollowedLicense> = {}) => nextErrand({ ...license, ...changes }, now);

  it('opens the renewal, reminds at each rung once, and ends it', () => {
    const seen: string[] = [];
    let now = BEGIN;
    const ledger = new Set<string>();
    for (let steps = 0; steps < 20; steps += 1) {
      const errand = nextErrand({ ...license, told: ledger }, now);
      assert.ok(errand);
      now = Math.max(now, errand.at);
      seen.push(`${errand.kind} ${(END - errand.at) / DAY}`);
      if (errand.kind === 'end') break;
      if (errand.kind === 'open') ledger.add('open');
      if ('days' in errand) ledger.add(String(errand.days));
    }
    const reminders = [60, 30, 14, 7, 1].map((days) => `remind ${days}`);
    assert.deepEqual(seen, ['open 90', ...reminders, 'end 0']);
  });
  it('writes by day only: what falls into the night waits for eight in the morning', () => {
    const night = { validUntil: Date.parse('2027-06-15T18:30:00.000Z') };
    const errand = next(BEGIN, night);
    assert.equal(errand && new Date(errand.at).toISOString(), '2027-03-18T01:00:00.000Z');
    assert.equal(daytime(Date.parse('2027-03-18T00:59:59.999Z'), ZONE, { opens: 8, closes: 20 }), errand?.at);
    const evening = Date.parse('2027-03-18T12:59:59.999Z');
    assert.equal(daytime(evening, ZONE, { opens: 8, closes: 20 }), evening);
    assert.equal(daytime(evening + 1, ZONE, { opens: 8, closes: 20 }), (errand?.at ?? 0) + DAY);
  });
  it('makes up for the last of the rungs that were missed, and for no other', () => {
    assert.deepEqual(next(daysBefore(25)), { kind: 'open', days: 30, at: daysBefore(25) });
    assert.deepEqual(next(daysBefore(25), told('open', '30')), { kind: 'remind', days: 14, at: daysBefore(14) });
    assert.deepEqual(next(daysBefore(13), told('open', '90')), { kind: 'remind', days: 14, at: daysBefore(13) });
  });
  it('reminds nobody while it is suspended, and looks again at the next rung', () => {
    assert.deepEqual(next(daysBefore(80), { status: 'suspended', ...told('open', '90') }), {
      kind: 'look',
      at: daysBefore(60),
    });
    assert.deepEqual(next(daysBefore(0.5), { status: 'suspended' }), { kind: 'end', at: END });
  });
  it('reminds nobody of what is paid, but of what is only under way', () => {
    assert.deepEqual(next(daysBefore(80), { renewal: 'paid' }), { kind: 'end', at: END });
    assert.equal(next(daysBefore(60), { renewal: 'under_way', ...told('open', '90') })?.kind, 'remind');
  });
  it('writes of no renewal that is not to be had', () => {
    assert.deepEqual(next(daysBefore(60), { terms: null }), { kind: 'end', at: END });
  });
  it('leaves out the rungs of a time before the term began', () => {
    const short = { validUntil: BEGIN + 28 * DAY };
    assert.deepEqual(next(BEGIN, short), { kind: 'open', days: 90, at: BEGIN });
    assert.deepEqual(next(BEGIN, { ...short, ...told('open', '90') }), {
      kind: 'remind',
      days: 14,
      at: BEGIN + 14 * DAY,
    });
  });
  it('has nothing to do with one that is over, or that holds for life', () => {
    for (const status of ['revoked', 'expired', 'superseded'] as const) assert.equal(next(BEGIN, { status }), null);
    assert.equal(next(BEGIN, { validUntil: null }), null);
    assert.deepEqual(next(END, { status: 'suspended' }), { kind: 'end', at: END });
  });
});

describe('the terms of a licence', () => {
  it('follow each other without gap and overlap, and come back to the day of the first where the month has it', () => {
    const anchor = '2027-01-30T18:00:00.000Z';
    let from = anchor;
    const days: string[] = [];
    for (let month = 0; month < 14; month += 1) {
      const until = addMonthsFrom(anchor, from, 1, ZONE);
      assert.ok(until > from);
      days.push(localDate(Date.parse(until), ZONE));
      from = until;
    }
    assert.deepEqual(days.slice(0, 4), ['2027-02-28', '2027-03-31', '2027-04-30', '2027-05-31']);
    assert.deepEqual(days.slice(-2), ['2028-02-29', '2028-03-31']);
  });
  it('are counted from where they begin when that is no whole number of months after the first', () => {
    assert.equal(
      addMonthsFrom('2027-01-31T05:00:00.000Z', '2027-02-10T05:00:00.000Z', 1, ZONE),
      '2027-03-10T05:00:00.000Z',
    );
  });
});
