import assert from 'node:assert/strict';
import {
  bareCode,
  maskedPhone,
  mayRemove,
  methodsFor,
  newBackupCode,
  nextSendAt,
  parsePhone,
} from '../../domain/second-factors.ts';

describe('the rules of the second factor', () => {
  describe('a telephone number', () => {
    const numbers: [typed: string, number: string | null][] = [
      ['081234567890', '+6281234567890'],
      ['0812-3456-7890', '+6281234567890'],
      ['+62 812 3456 7890', '+6281234567890'],
      ['+62 (0) 812 3456 7890', '+6281234567890'],
      ['62812.3456.7890', '+6281234567890'],
      ['81234567890', '+6281234567890'],
      ['0062 812 3456 7890', '+6281234567890'],
      ['+60 12-345 6789', '+60123456789'],
      ['+1 (415) 555-2671', '+14155552671'],
      // A landline takes no text messages.
      ['021 5790 1234', null],
      ['0812345', null],
      ['08123456789012', null],
      ['+0812345678', null],
      ['+1234567', null],
      ['+123456789012345678', null],
      ['0812x4567890', null],
      ['+62812+34567890', null],
      ['', null],
    ];
    for (const [typed, number] of numbers) {
      it(`reads ${JSON.stringify(typed)} as ${number ?? 'none'}`, () => assert.equal(parsePhone(typed), number));
    }

    it('shows its country and its last four digits', () => {
      assert.equal(maskedPhone('+6281234567890'), '+62•••••••7890');
      assert.equal(maskedPhone('+12345678'), '+12••5678');
    });
  });

  describe('a backup code', () => {
    it('is ten letters of an alphabet in which nothing looks like something else, in two groups', () => {
      let next = 0;
      const codes = Array.from({ length: 60 }, () => newBackupCode((limit) => next++ % limit));
      for (const code of codes) assert.match(code, /^[2-9A-HJKMNP-TV-Z]{5}-[2-9A-HJKMNP-TV-Z]{5}$/);
      assert.equal(new Set(codes.join('').replaceAll('-', '')).size, 30, 'every letter is used');
    });

    it('is the same however it is typed', () => {
      assert.equal(bareCode(' k7tmq 2xb9d '), 'K7TMQ2XB9D');
      assert.equal(bareCode('K7TMQ-2XB9D'), 'K7TMQ2XB9D');
    });
  });

  describe('what a code may be for', () => {
    const all = ['totp', 'email', 'backup_code'] as const;

    it('is told by its shape, of what the person has', () => {
      assert.deepEqual(methodsFor('123 456', all), ['totp', 'email']);
      assert.deepEqual(methodsFor('k7tmq-2xb9d', all), ['backup_code']);
      assert.deepEqual(methodsFor('k7tmq-2xb9d', ['totp']), []);
    });

    it('is narrowed by the method that was named', () => {
      assert.deepEqual(methodsFor('123456', all, 'email'), ['email']);
      assert.deepEqual(methodsFor('123456', all, 'sms'), []);
      assert.deepEqual(methodsFor('123456', all, 'backup_code'), []);
    });

    it('is nothing for what is no code', () => {
      for (const typed of ['', '12345', '1234567', '12345a', 'K7TMQ2XB9', 'K7TMQ2XB9O', '１２３４５６']) {
        assert.deepEqual(methodsFor(typed, all), [], typed);
      }
    });
  });

  describe('sending', () => {
    const now = new Date('2026-03-02T10:00:00Z');
    const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

    it('may happen at once when nothing was sent in the last hour', () => {
      assert.equal(nextSendAt([], now), null);
      assert.equal(nextSendAt([ago(3600), ago(4000)], now), null);
    });

    it('waits a minute after the last one', () => {
      assert.deepEqual(nextSendAt([ago(20), ago(600)], now), new Date(now.getTime() + 40_000));
      assert.equal(nextSendAt([ago(60)], now), null);
    });

    it('waits, after five in an hour, until the first of them is an hour old', () => {
      const five = [ago(3000), ago(2000), ago(900), ago(300), ago(100)];
      assert.deepEqual(nextSendAt(five, now), new Date(now.getTime() + 600_000));
      assert.equal(nextSendAt(five.slice(1), now), null);
    });
  });

  describe('removing', () => {
    it('is free where none is asked for', () => assert.ok(mayRemove(['totp'], 'totp', false)));
    it('leaves one to whoever must have one', () => {
      assert.equal(mayRemove(['totp'], 'totp', true), false);
      assert.ok(mayRemove(['totp', 'email'], 'totp', true));
    });
  });
});
