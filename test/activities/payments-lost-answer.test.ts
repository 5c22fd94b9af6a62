import assert from 'node:assert/strict';
import { type CreatePaymentRequest, GatewayError, type PaymentGateway } from '../../activities/gateways/gateway.ts';
import { createPaymentActivities } from '../../activities/payments.ts';
import { findPayment } from '../../db/payments.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { aCompany, anInvoice, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';

describe('an attempt whose answer was lost for good', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  it('stays unknown and becomes one case for finance, however often it is asked for', async () => {
    const { db } = database;
    const by = await aUser(db, 'owner');
    const companyId = await aCompany(db, by);
    const invoiceId = await anInvoice(db, { companyId });
    const lost = async (_: CreatePaymentRequest) => {
      throw new GatewayError('unknown', 'answer_lost', 'The answer was lost.');
    };
    const nothing = async () => assert.fail('not asked');
    const billplz: PaymentGateway = {
      name: 'billplz',
      create: lost,
      lookUp: nothing,
      expire: nothing,
      refund: null,
      lookUpRefund: null,
      list: null,
    };
    const personalData = createPersonalData([PERSONAL_DATA_KEY]);
    const deps = { db, gateways: { billplz }, publicUrl: 'https://alur.example', personalData, money: MONEY_POLICY };
    const { openAttempt } = createPaymentActivities(deps);
    const input = {
      invoiceId,
      attempt: 1,
      reference: `${invoiceId}-1`,
      gateway: 'billplz' as const,
      method: null,
      by,
      locale: 'en' as const,
      at: MONDAY,
      expiresAt: '2099-01-01T00:00:00Z',
    };
    for (const _ of [1, 2]) {
      const { outcome, ...rest } = await openAttempt(input);
      assert.equal(outcome, 'refused');
      assert.equal('code' in rest && rest.code, 'gateway_unavailable');
    }
    assert.equal((await findPayment(db, input.reference)).state, 'unknown');
    const cases = await db('payment_cases').where({ invoice_id: invoiceId }).select('kind', 'state');
    assert.deepEqual(cases, [{ kind: 'unclear', state: 'open' }]);
    const [event] = await db('events').where({ type: 'payment.case_opened' }).count();
    assert.equal(String(event?.count), '1');
  });
});
