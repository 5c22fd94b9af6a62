import assert from 'node:assert/strict';
import fc from 'fast-check';
import { scaleOf } from '../../domain/companies.ts';
import {
  chooseRiskRow,
  kbliOf,
  parseRiskRows,
  type RawRiskRow,
  type RiskRow,
  riskTableChanges,
  toRawRow,
} from '../../domain/risk-table.ts';
import { riskRows } from '../builders/risk-rows.ts';

const TYPES = new Map([
  ['restaurant', { hasStages: true }],
  ['kiosk', { hasStages: false }],
]);
const raw = (more: RawRiskRow = {}): RawRiskRow => ({
  kbli: '56101',
  scale: 'any',
  risk: 'medium_high',
  typeCode: 'restaurant',
  ...more,
});
const parsed = (...rows: RawRiskRow[]): readonly RiskRow[] => {
  const { rows: read, problems } = parseRiskRows(rows, TYPES);
  assert.deepEqual(problems, []);
  return read;
};
const problemsOf = (...rows: RawRiskRow[]) =>
  parseRiskRows(rows, TYPES).problems.map(({ row, column, code }) => `${row} ${column} ${code}`);

describe('the risk table', () => {
  describe('its rows', () => {
    it('leave to the licence type what they do not say', () => {
      assert.deepEqual(parsed(raw()), [
        {
          kbli: '56101',
          scale: 'any',
          risk: 'medium_high',
          typeCode: 'restaurant',
          path: null,
          checklist: null,
          legalWorkingDays: null,
          statutoryMinor: null,
          serviceMinor: null,
          validityMonths: null,
          validForLife: false,
          deemedApproval: null,
        },
      ]);
    });

    it('take numbers and digits alike', () => {
      const [row] = parsed(
        raw({ legalWorkingDays: '7', statutoryMinor: 1_500_000, serviceMinor: '0450', validityMonths: 'life' }),
      );
      assert.deepEqual(
        [row?.legalWorkingDays, row?.statutoryMinor, row?.serviceMinor, row?.validityMonths, row?.validForLife],
        [7, '1500000', '450', null, true],
      );
    });

    const WRONG: readonly (readonly [RawRiskRow, string])[] = [
      [{ kbli: '561011' }, 'kbli wrong_kbli'],
      [{ kbli: 561 }, 'kbli wrong_kbli'],
      [{ scale: 'unknown' }, 'scale wrong_scale'],
      [{ risk: 'medium' }, 'risk wrong_risk'],
      [{ typeCode: 'toString' }, 'typeCode unknown_type'],
      [{ path: 'fast' }, 'path wrong_path'],
      [{ typeCode: 'kiosk', path: 'review' }, 'path type_has_no_stages'],
      [{ checklist: [{ kind: 'Site Plan', required: true }] }, 'checklist wrong_checklist'],
      [
        {
          checklist: [
            { kind: 'ktp', required: true },
            { kind: 'ktp', required: false },
          ],
        },
        'checklist wrong_checklist',
      ],
      [{ checklist: [{ kind: 'ktp' }] }, 'checklist wrong_checklist'],
      [{ legalWorkingDays: 0 }, 'legalWorkingDays wrong_number'],
      [{ legalWorkingDays: '2.5' }, 'legalWorkingDays wrong_number'],
      [{ statutoryMinor: -1 }, 'statutoryMinor wrong_amount'],
      [{ serviceMinor: '1.000' }, 'serviceMinor wrong_amount'],
      [{ validityMonths: 'ever' }, 'validityMonths wrong_validity'],
      [{ deemedApproval: 'never' }, 'deemedApproval wrong_deemed_approval'],
    ];
    for (const [cells, problem] of WRONG)
      it(`are refused by row and column: ${problem} for ${JSON.stringify(cells)}`, () =>
        assert.deepEqual(problemsOf(raw(), raw({ kbli: '1', ...cells })), [`1 ${problem}`]));

    it('stand once for each KBLI, scale and type', () => {
      assert.deepEqual(problemsOf(raw(), raw({ scale: 'micro' }), raw({ risk: 'low' })), ['2 kbli row_twice']);
    });

    it('of a type without stages may go the automatic way, and those of one with stages too', () => {
      assert.deepEqual(problemsOf(raw({ path: 'automatic' }), raw({ typeCode: 'kiosk', path: 'automatic' })), []);
    });

    it('are named a hundred at most', () => {
      const rows = Array.from({ length: 500 }, (_, index) => raw({ kbli: String(10_000 + index), risk: 'none' }));
      assert.equal(parseRiskRows(rows, TYPES).problems.length, 100);
    });
  });

  describe('the row of a company', () => {
    const rows = parsed(
      raw({ kbli: '5' }),
      raw({ kbli: '561', scale: 'any', risk: 'low' }),
      raw({ kbli: '561', scale: 'large', risk: 'high' }),
      raw({ kbli: '56102', scale: 'micro' }),
      raw({ kbli: '561', typeCode: 'kiosk', risk: 'low' }),
    );
    const chosen = (kbli: readonly string[], scale: Parameters<typeof chooseRiskRow>[1]['scale'] = 'micro') => {
      const row = chooseRiskRow(rows, { typeCode: 'restaurant', kbli, scale });
      return row && `${row.kbli} ${row.scale}`;
    };

    it('is the one of the longest KBLI, and of those the one for its own scale', () => {
      assert.equal(chosen(['56101']), '561 any');
      assert.equal(chosen(['56101'], 'large'), '561 large');
      assert.equal(chosen(['56102']), '56102 micro');
      assert.equal(chosen(['56102'], 'large'), '561 large');
      assert.equal(chosen(['59999']), '5 any');
    });

    it('is that of its first code that has one; of an unknown scale only one for any', () => {
      assert.equal(chosen(['47112', '59999', '56102']), '5 any');
      assert.equal(chosen(['56102'], 'unknown'), '561 any');
      assert.equal(chosen(['47112']), null);
      assert.equal(chosen([]), null);
    });

    it('follows capital or sales (PP 7/2021)', () => {
      const scale = scaleOf({ capitalMinor: 11_000_000_000n });
      assert.equal(chosen(['56101'], scale), '561 large');
      assert.equal(chosen(['56101'], scaleOf({ capitalMinor: 11_000_000_000n, annualSalesMinor: 1n })), '561 any');
    });

    it('goes by the code that the form names, if it is one of the company’s', () => {
      assert.deepEqual(kbliOf({ kbli: '47112' }, ['56101', '47112']), ['47112']);
      assert.deepEqual(kbliOf({ kbli: '01111' }, ['56101', '47112']), ['56101', '47112']);
      assert.deepEqual(kbliOf({ kbli: 56101 }, ['56101']), ['56101']);
    });
  });

  it('says what a publication changes', () => {
    const before = parsed(raw(), raw({ kbli: '1' }), raw({ kbli: '2', checklist: [] }));
    const after = parsed(raw({ legalWorkingDays: 3 }), raw({ kbli: '2', checklist: [] }), raw({ kbli: '3' }));
    const { added, removed, changed } = riskTableChanges(before, after);
    assert.deepEqual(
      [added, removed, changed.map((one) => one.after)].map((list) => list.map(({ kbli }) => kbli)),
      [['3'], ['1'], ['56101']],
    );
    assert.deepEqual(changed[0]?.before.legalWorkingDays, null);
  });

  it('written and read again is the same', () => {
    fc.assert(
      fc.property(riskRows('restaurant'), (rows) => {
        assert.deepEqual(parseRiskRows(rows.map(toRawRow), TYPES), { rows, problems: [] });
      }),
    );
  });
});
