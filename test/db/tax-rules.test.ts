import assert from 'node:assert/strict';
import { invoiceOf, issueInvoice } from '../../db/invoices.ts';
import { invoiceFacts } from '../../db/printed.ts';
import { taxRules } from '../../db/tax-rules.ts';
import type { OfficeZone } from '../../domain/calendar.ts';
import { feeLine } from '../../domain/fees.ts';
import type { CompanyId, UserId } from '../../domain/ids.ts';
import { PPN_2025 } from '../../domain/invoicing.ts';
import { rupiah } from '../../domain/money.ts';
import { aCompany, aLicenseType, anApplication, aUser } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const DAY = 86_400_000;
const NEXT = {
  ratePercent: 13,
  baseNumerator: 1,
  baseDenominator: 1,
  effectiveFrom: '2027-01-01',
  source: 'PMK 9/2026',
};

describe('the rules of tax', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
  });
  after(() => database?.drop());

  const issuedIn = async (zone: OfficeZone, at: string) => {
    const type = await aLicenseType(database.db);
    await database.db('offices').where({ id: type.officeId }).update({ zone });
    const applicationId = await anApplication(database.db, { companyId, type, applicantId: owner });
    const dueAt = new Date(Date.parse(at) + 7 * DAY).toISOString();
    const lines = [feeLine('service_fee', rupiah(100_000))];
    await database.db.transaction((tx) => issueInvoice(tx, { applicationId, lines, at, dueAt }));
    const { invoiceId, number } = await invoiceOf(database.db, applicationId);
    const row = await database.db('invoices').where({ id: invoiceId }).first('tax_minor', 'tax_rule');
    return { invoiceId, number, tax: row?.tax_minor, rule: row?.tax_rule };
  };

  it('begin with the one of PMK 131/2024', async () => {
    assert.deepEqual(await taxRules(database.db), [PPN_2025]);
  });

  it('are chosen by the date where the office is: at one moment the old year in Jakarta, the new one in Jayapura', async () => {
    await database.db('tax_rules').insert({
      effective_from: NEXT.effectiveFrom,
      rate_percent: NEXT.ratePercent,
      base_numerator: NEXT.baseNumerator,
      base_denominator: NEXT.baseDenominator,
      source: NEXT.source,
    });
    const moment = '2026-12-31T16:30:00.000Z';
    const [west, east] = [await issuedIn('Asia/Jakarta', moment), await issuedIn('Asia/Jayapura', moment)];
    assert.deepEqual([west.tax, west.rule, west.number], [11_000n, PPN_2025, 'INV/2026/000001']);
    assert.deepEqual([east.tax, east.rule, east.number], [13_000n, NEXT, 'INV/2027/000001']);
    const midnight = await issuedIn('Asia/Jakarta', '2026-12-31T17:00:00.000Z');
    assert.deepEqual([midnight.tax, midnight.number], [13_000n, 'INV/2027/000002']);
  });

  it('stay what they were for an invoice that was issued, whatever the table says later', async () => {
    const { invoiceId } = await issuedIn('Asia/Makassar', '2026-06-01T02:00:00.000Z');
    await database.db('tax_rules').insert({
      effective_from: '2026-01-01',
      rate_percent: 20,
      base_numerator: 1,
      base_denominator: 1,
      source: 'later',
    });
    assert.deepEqual((await invoiceFacts(database.db, invoiceId)).taxRule, PPN_2025);
    await database.db('tax_rules').where({ effective_from: '2026-01-01' }).delete();
  });

  it('say what to do about a time that they do not reach back to', async () => {
    await assert.rejects(
      issuedIn('Asia/Jakarta', '2024-12-31T10:00:00.000Z'),
      /in force on 2024-12-31; add .* tax_rules/,
    );
  });
});
