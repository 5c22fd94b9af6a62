import assert from 'node:assert/strict';
import { withReport } from './written.ts';

describe('a report in a document', () => {
  const document = (inside: string) =>
    `before\n<!-- simulation: begin -->\n\n${inside}\n<!-- simulation: end -->\nafter\n`;

  it('takes the place of the one before and leaves the rest alone', () => {
    assert.equal(withReport(document('the old one\n'), 'the new one\n'), document('the new one\n'));
  });

  it('needs its marks', () => {
    assert.throws(() => withReport('no marks', 'report'), /needs the lines/);
  });
});
