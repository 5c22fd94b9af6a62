import assert from 'node:assert/strict';
import fc from 'fast-check';
import { maskNumber, parseKbli, parseNib, parseNik, parseNpwp } from '../../domain/identity-numbers.ts';

const good = (value: string, warnings: string[] = []) => ({ ok: true, value, warnings });
const bad = (code: string) => ({ ok: false, code });

describe('NIB', () => {
  it('is 13 digits, however they are grouped', () => {
    assert.deepEqual(parseNib('9120001234567'), good('9120001234567'));
    assert.deepEqual(parseNib(' 9120 0012 3456-7\n'), good('9120001234567'));
  });

  it('is nothing else', () => {
    for (const input of ['', '912000123456', '91200012345678', '912000123456a', '९120001234567', '9120001234567/1']) {
      assert.deepEqual(parseNib(input), bad('nib_not_13_digits'), input);
    }
  });
});

describe('NIK', () => {
  it('is 16 digits with region, birth date and serial', () => {
    assert.deepEqual(parseNik('3374031708450001'), good('3374031708450001'));
    assert.deepEqual(parseNik('33.7403.170845.0001'), good('3374031708450001'));
  });

  it("has 40 added to the day of a woman's birth", () => {
    assert.deepEqual(parseNik('3374035708450001', { birthDate: '1945-08-17' }), good('3374035708450001'));
    assert.deepEqual(parseNik('3374037108450001'), good('3374037108450001'));
    assert.deepEqual(parseNik('3374034108450001'), good('3374034108450001'));
  });

  it('warns of a region or a birth date that cannot be, and accepts it', () => {
    assert.deepEqual(parseNik('9974031708450001'), good('9974031708450001', ['nik_region_unknown']));
    for (const date of ['320845', '000845', '310945', '171345', '170045', '720845', '290201', '400845']) {
      const nik = `337403${date}0001`;
      assert.deepEqual(parseNik(nik), good(nik, ['nik_birth_date_impossible']), date);
    }
  });

  it('takes a leap day of either century', () => {
    assert.deepEqual(parseNik('3374032902000001'), good('3374032902000001'));
    assert.deepEqual(parseNik('3374036902960001'), good('3374036902960001'));
  });

  it('warns when it does not fit what else is known, and accepts it', () => {
    const nik = '3374031708450001';
    assert.deepEqual(parseNik(nik, { birthDate: '1945-08-18' }), good(nik, ['nik_birth_date_mismatch']));
    assert.deepEqual(parseNik(nik, { birthDate: '1946-08-17' }), good(nik, ['nik_birth_date_mismatch']));
    assert.deepEqual(parseNik(nik, { birthDate: '1945-09-17' }), good(nik, ['nik_birth_date_mismatch']));
    assert.deepEqual(parseNik(nik, { regionCode: '33.74.04' }), good(nik, ['nik_region_mismatch']));
    assert.deepEqual(parseNik(nik, { regionCode: '32' }), good(nik, ['nik_region_mismatch']));
    assert.deepEqual(parseNik(nik, { regionCode: '33.74.03.1001', birthDate: '1945-08-17' }), good(nik));
    assert.deepEqual(parseNik(nik, { regionCode: '33' }), good(nik));
  });

  it('is refused only for its form: not 16 digits, or a serial that is never given', () => {
    assert.deepEqual(parseNik('337403170845001'), bad('nik_not_16_digits'));
    assert.deepEqual(parseNik('33740317084500011'), bad('nik_not_16_digits'));
    assert.deepEqual(parseNik('337403170845000O'), bad('nik_not_16_digits'));
    assert.deepEqual(parseNik('3374031708450000'), bad('nik_serial_zero'));
  });

  it('accepts any 16 digits with a serial', () => {
    const digits = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 12n - 1n }), fc.integer({ min: 1, max: 9999 }));
    const property = fc.property(digits, ([head, serial]) => {
      const nik = String(head).padStart(12, '0') + String(serial).padStart(4, '0');
      const parsed = parseNik(nik);
      assert.ok(parsed.ok && parsed.value === nik);
    });
    fc.assert(property);
  });
});

describe('NPWP', () => {
  it('gets a 0 in front of the old 15 digits, dotted or not', () => {
    const known = ['01.312.166.0-091.000', '01.609.052.4-017.000', '01.300.066.6-091.000', '02.183.241.5-000.000'];
    for (const old of known) {
      const digits = old.replace(/\D/g, '');
      assert.deepEqual(parseNpwp(old), good(`0${digits}`, ['npwp_old_form']));
      assert.deepEqual(parseNpwp(digits), good(`0${digits}`, ['npwp_old_form']));
      assert.deepEqual(parseNpwp(`0${digits}`), good(`0${digits}`));
    }
  });

  it('warns of a check digit that does not fit, and accepts it', () => {
    assert.deepEqual(
      parseNpwp('21.609.052.4-017.001'),
      good('0216090524017001', ['npwp_old_form', 'npwp_check_digit']),
    );
    assert.deepEqual(parseNpwp('0216090524017001'), good('0216090524017001', ['npwp_check_digit']));
  });

  it('warns of any single wrong digit among the nine', () => {
    const property = fc.property(fc.nat({ max: 8 }), fc.integer({ min: 1, max: 9 }), (place, by) => {
      const digits = [...'013121660091000'];
      digits[place] = String((Number(digits[place]) + by) % 10);
      const parsed = parseNpwp(`0${digits.join('')}`);
      assert.ok(parsed.ok && parsed.warnings.includes('npwp_check_digit'));
    });
    fc.assert(property);
  });

  it("is a resident's NIK when it does not start with 0, and is judged as one", () => {
    assert.deepEqual(parseNpwp('3374031708450001'), good('3374031708450001'));
    assert.deepEqual(parseNpwp('3374033208450001'), good('3374033208450001', ['nik_birth_date_impossible']));
    assert.deepEqual(parseNpwp('3374031708450000'), bad('nik_serial_zero'));
  });

  it('is nothing else', () => {
    for (const input of ['', '01.312.166.0-091.00', '01312166009100011', '01.312.166.0/091.000']) {
      assert.deepEqual(parseNpwp(input), bad('npwp_not_16_digits'), input);
    }
  });
});

describe('KBLI', () => {
  it('is 5 digits, zeros in front kept', () => {
    assert.deepEqual(parseKbli('01111'), good('01111'));
    assert.deepEqual(parseKbli(' 47.111 '), good('47111'));
    for (const input of ['4711', '471111', '4711x', ''])
      assert.deepEqual(parseKbli(input), bad('kbli_not_5_digits'), input);
  });
});

describe('a masked number', () => {
  it('shows its first and last four digits and its length', () => {
    assert.equal(maskNumber('3174031708450001'), '3174••••••••0001');
  });

  it('never shows more than half, and nothing of a short one', () => {
    assert.equal(maskNumber('1234567890123'), '123•••••••123');
    assert.equal(maskNumber('12345678'), '12••••78');
    assert.deepEqual(['', '1', '1234567'].map(maskNumber), ['', '•', '•••••••']);
    for (let length = 0; length < 40; length += 1) {
      const masked = maskNumber('7'.repeat(length));
      assert.equal(masked.length, length);
      assert.ok(masked.replaceAll('•', '').length * 2 <= length, masked);
    }
  });
});
