import assert from 'node:assert/strict';
import { BANKS, checkName, explainAccount, findBank, maskAccount, parseAccount } from '../../domain/bank-accounts.ts';

describe('an account that money is transferred to', () => {
  const problem = (code: string, number: string, currency: 'IDR' | 'MYR' = 'IDR') => {
    const parsed = parseAccount(code, number, currency);
    return parsed.ok ? null : parsed.code;
  };

  it('is taken with the dots, blanks and dashes that people type', () => {
    for (const typed of ['1234567890', '123-456-7890', ' 123.456 7890 ']) {
      const parsed = parseAccount('014', typed, 'IDR');
      assert.ok(parsed.ok);
      assert.equal(parsed.number, '1234567890');
      assert.equal(parsed.bank.name, 'Bank Central Asia (BCA)');
    }
  });

  it('has as many digits as its bank gives', () => {
    assert.equal(problem('014', '123456789'), 'account_wrong_length');
    assert.equal(problem('014', '12345678901'), 'account_wrong_length');
    assert.equal(problem('008', '1234567890123'), null);
    assert.equal(problem('022', '1234567890123'), null);
    assert.equal(problem('022', '12345678901234'), null);
    assert.equal(problem('MBBEMYKL', '123456789012', 'MYR'), null);
    assert.match(explainAccount('account_wrong_length', findBank('022', 'IDR'), 'en'), /13 or 14 digits/);
    assert.match(explainAccount('account_wrong_length', findBank('022', 'IDR'), 'id'), /13 atau 14 angka/);
  });

  it('has 6 to 20 digits at a bank whose form is not known', () => {
    assert.deepEqual(findBank('213', 'IDR')?.digits, []);
    assert.equal(problem('213', '12345'), 'account_wrong_length');
    assert.equal(problem('213', '123456'), null);
    assert.equal(problem('213', '12345678901234567890'), null);
    assert.equal(problem('213', '123456789012345678901'), 'account_wrong_length');
  });

  it('is refused where it cannot be one', () => {
    assert.equal(problem('999', '1234567890'), 'unknown_bank');
    assert.equal(problem('014', '1234567890', 'MYR'), 'unknown_bank', 'a bank of another currency');
    assert.equal(problem('014', '12345A7890'), 'account_not_digits');
    assert.equal(problem('014', ''), 'account_not_digits');
    assert.equal(problem('014', '0000000000'), 'account_all_same');
  });

  it('shows its last four digits, whatever the bank', () => {
    assert.equal(maskAccount('1234567890'), '••••••7890');
    assert.equal(maskAccount('123'), '123');
  });

  it('is at a bank that is listed once', () => {
    assert.equal(new Set(BANKS.map(({ code, currency }) => `${code}${currency}`)).size, BANKS.length);
  });
});

describe('the name on an account', () => {
  const names = ['PT Warung Sejahtera', 'Sari Wulandari'];
  for (const holder of [
    'WARUNG SEJAHTERA PT',
    'Sejahtera, Warung',
    'sari  wulandari',
    'Ny. Wulandari Sari',
    'PT. WARUNG SEJAHTERA',
  ])
    it(`${holder} is the payer's`, () => assert.equal(checkName(holder, names), 'matches'));
  for (const holder of ['Sari', 'Budi Santoso', 'Warung Sejahtera Jaya', 'PT', '...'])
    it(`${holder} is for a person to look at`, () => assert.equal(checkName(holder, names), 'differs'));
});
