/** Risk tables made up by fast-check. */
import fc from 'fast-check';
import { RISKS } from '../../domain/licensing.ts';
import { type RiskRow, ROW_SCALES } from '../../domain/risk-table.ts';

/** As JSON would give them. */
const PLAIN = { noNullPrototype: true } as const;

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const amount = fc.nat(1_000_000_000).map(String);

/** Sound rows of one licence type that has stages. */
export const riskRows = (typeCode: string): fc.Arbitrary<RiskRow[]> =>
  fc.uniqueArray(
    fc
      .record(
        {
          kbli: fc.stringMatching(/^[0-9]{1,5}$/),
          scale: fc.constantFrom(...ROW_SCALES),
          risk: fc.constantFrom(...RISKS),
          typeCode: fc.constant(typeCode),
          path: orNull(fc.constantFrom('review', 'automatic')),
          checklist: orNull(
            fc.uniqueArray(
              fc.record({ kind: fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/), required: fc.boolean() }, PLAIN),
              {
                selector: ({ kind }) => kind,
                maxLength: 4,
              },
            ),
          ),
          legalWorkingDays: orNull(fc.integer({ min: 1, max: 1000 })),
          statutoryMinor: orNull(amount),
          serviceMinor: orNull(amount),
          validityMonths: orNull(fc.integer({ min: 1, max: 1200 })),
          validForLife: fc.boolean(),
          deemedApproval: orNull(fc.constantFrom('escalate_only', 'issue')),
        },
        PLAIN,
      )
      .map((row) => (row.validForLife ? { ...row, validityMonths: null } : row)),
    { selector: ({ kbli, scale }) => `${kbli}/${scale}`, maxLength: 20 },
  );
