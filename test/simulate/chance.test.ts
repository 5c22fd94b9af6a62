import assert from 'node:assert/strict';
import { chanceOf } from './chance.ts';

describe('chance', () => {
  it('draws the same for the same seed and question, and another for another of either', () => {
    const draw = chanceOf('one').fraction('work 1');
    assert.equal(chanceOf('one').fraction('work 1'), draw);
    assert.notEqual(chanceOf('one').fraction('work 2'), draw);
    assert.notEqual(chanceOf('two').fraction('work 1'), draw);
  });

  it('is even: of a thousand draws about a tenth fall into each tenth', () => {
    const chance = chanceOf('even');
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 1000; draw += 1) {
      const tenth = Math.floor(chance.fraction(`draw ${draw}`) * 10);
      counts[tenth] = (counts[tenth] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(count > 60 && count < 140, counts.join(', '));
  });

  it('draws whole numbers with both ends', () => {
    const chance = chanceOf('dice');
    const rolled = new Set(Array.from({ length: 200 }, (_, roll) => chance.between(`roll ${roll}`, 1, 6)));
    assert.deepEqual([...rolled].toSorted(), [1, 2, 3, 4, 5, 6]);
  });

  it('draws around a median: half below it, and never below nothing', () => {
    const chance = chanceOf('median');
    const drawn = Array.from({ length: 1000 }, (_, draw) => chance.aroundMedian(`${draw}`, 80, 0.75));
    const below = drawn.filter((value) => value < 80).length;
    assert.ok(below > 440 && below < 560, `${below} of 1000 are below`);
    assert.ok(Math.min(...drawn) > 0);
  });

  it('picks by weight, and never what weighs nothing', () => {
    const chance = chanceOf('weights');
    const picked = Array.from({ length: 400 }, (_, draw) => chance.pick(`${draw}`, { often: 3, seldom: 1, never: 0 }));
    const often = picked.filter((name) => name === 'often').length;
    assert.ok(often > 260 && often < 340, `${often} of 400`);
    assert.ok(!picked.includes('never'));
  });
});
