import assert from 'node:assert/strict';
import { progressLine } from './progress.ts';

describe('the progress of a simulation', () => {
  const simulation = { cases: 10 };
  const played = (submitted: number, over: number) => ({
    drafts: 10,
    at: Date.parse('2026-03-01T18:00:00Z'),
    submitted,
    over,
  });

  it('is one line on a terminal, with the date of the office and what is open', () => {
    const written: string[] = [];
    const show = progressLine({ isTTY: true, write: (text: string) => written.push(text) }, simulation);
    show(played(5, 3));
    show(played(5, 3));
    assert.equal(written.at(-1)?.startsWith('\r['), true);
    assert.match(written.join(''), /46 % {2}2026-03-02 {2}5 submitted, 2 open/);
  });

  it('is a line for each tenth elsewhere', () => {
    const written: string[] = [];
    const show = progressLine({ write: (text: string) => written.push(text) }, simulation);
    for (let over = 0; over <= 10; over += 1) show(played(over, over));
    assert.equal(written.length, 11);
  });
});
