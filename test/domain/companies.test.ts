import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  COMPANY_STATES,
  companyTransitions,
  isLegalForm,
  LEGAL_FORM_NAMES,
  LEGAL_FORMS,
  scaleOf,
} from '../../domain/companies.ts';

const BILLION = 1_000_000_000n;
const SCALES = ['micro', 'small', 'medium', 'large'];

describe('the scale of a business', () => {
  it('follows the capital of a new one, bounds included', () => {
    const capital = [0n, BILLION, BILLION + 1n, 5n * BILLION, 5n * BILLION + 1n, 10n * BILLION, 10n * BILLION + 1n];
    const scales = capital.map((capitalMinor) => scaleOf({ capitalMinor }));
    assert.deepEqual(scales, ['micro', 'micro', 'small', 'small', 'medium', 'medium', 'large']);
  });

  it('follows the annual sales of an existing one, bounds included', () => {
    const sales = [
      1n,
      2n * BILLION,
      2n * BILLION + 1n,
      15n * BILLION,
      15n * BILLION + 1n,
      50n * BILLION,
      50n * BILLION + 1n,
    ];
    const scales = sales.map((annualSalesMinor) => scaleOf({ annualSalesMinor }));
    assert.deepEqual(scales, ['micro', 'micro', 'small', 'small', 'medium', 'medium', 'large']);
  });

  it('lets sales win over capital', () => {
    assert.equal(scaleOf({ capitalMinor: 20n * BILLION, annualSalesMinor: BILLION }), 'micro');
    assert.equal(scaleOf({ capitalMinor: 1n, annualSalesMinor: 20n * BILLION }), 'medium');
  });

  it('goes by capital when there are no sales yet', () => {
    assert.equal(scaleOf({ capitalMinor: 8n * BILLION, annualSalesMinor: 0n }), 'medium');
    assert.equal(scaleOf({ capitalMinor: null, annualSalesMinor: 0n }), 'micro');
  });

  it('is unknown, not micro, when neither is known', () => {
    assert.equal(scaleOf({}), 'unknown');
    assert.equal(scaleOf({ capitalMinor: null, annualSalesMinor: null }), 'unknown');
  });

  it("goes by the office's own limits when it has some", () => {
    const limits = { micro: 1n, small: 2n, medium: 3n };
    const own = { capital: limits, sales: { micro: 10n, small: 20n, medium: 30n } };
    assert.equal(scaleOf({ capitalMinor: 3n }, own), 'medium');
    assert.equal(scaleOf({ annualSalesMinor: 31n }, own), 'large');
  });

  it('refuses a negative amount, even where the other decides', () => {
    assert.throws(() => scaleOf({ capitalMinor: -1n, annualSalesMinor: 5n }), RangeError);
    assert.throws(() => scaleOf({ annualSalesMinor: -1n }), RangeError);
  });

  it('never falls when the business grows', () => {
    const amounts = fc.tuple(fc.bigInt({ min: 1n, max: 60n * BILLION }), fc.bigInt({ min: 0n, max: 60n * BILLION }));
    const property = fc.property(
      amounts,
      fc.constantFrom('capitalMinor', 'annualSalesMinor'),
      ([amount, more], key) => {
        const [before, after] = [scaleOf({ [key]: amount }), scaleOf({ [key]: amount + more })];
        assert.ok(SCALES.indexOf(before) >= 0 && SCALES.indexOf(before) <= SCALES.indexOf(after));
      },
    );
    fc.assert(property);
  });
});

describe('a company', () => {
  it('has a legal form that is known in both languages', () => {
    for (const form of LEGAL_FORMS) {
      assert.ok(isLegalForm(form) && LEGAL_FORM_NAMES[form].id !== '' && LEGAL_FORM_NAMES[form].en !== '');
    }
    assert.equal(isLegalForm('GmbH'), false);
    assert.equal(isLegalForm('constructor'), false);
  });

  it('comes to be active only through onboarding, from wherever it stands', () => {
    const before = COMPANY_STATES.filter((state) => companyTransitions[state].includes('active'));
    assert.deepEqual(before, ['onboarding']);
    for (const state of ['expired', 'cancelled'] as const) assert.ok(companyTransitions[state].includes('onboarding'));
  });
});
