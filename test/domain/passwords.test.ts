import assert from 'node:assert/strict';
import fc from 'fast-check';
import { COMMON_PASSWORDS } from '../../domain/common-passwords.ts';
import { PASSWORD_POLICY, PASSWORD_PROBLEMS, passwordProblems } from '../../domain/passwords.ts';

const EMAIL = 'siti.rahayu@example.co.id';
const problems = (password: string) => passwordProblems(password, EMAIL);

describe('a new password', () => {
  it('of 10 characters has a capital, a small letter, a digit and a symbol', () => {
    assert.deepEqual(problems('Warung#47b'), []);
    assert.deepEqual(problems('warung#47b'), ['needs_upper']);
    assert.deepEqual(problems('WARUNG#47B'), ['needs_lower']);
    assert.deepEqual(problems('Warung#abb'), ['needs_digit']);
    assert.deepEqual(problems('Warung447b'), ['needs_symbol']);
    assert.deepEqual(problems('Warung447é'), ['needs_symbol']);
  });

  it('of 9 characters is too short, whatever is in it', () => {
    assert.deepEqual(problems('Warung#47'), ['too_short']);
  });

  it('is told everything that is wrong with it at once', () => {
    assert.deepEqual(problems(''), ['too_short', 'needs_upper', 'needs_lower', 'needs_digit', 'needs_symbol']);
    assert.deepEqual(problems('warung'), ['too_short', 'needs_upper', 'needs_digit', 'needs_symbol']);
  });

  it('of 16 characters may be a plain sentence, of 15 not', () => {
    assert.deepEqual(problems('kerbau makan ubi'), []);
    assert.deepEqual(problems('kerbau makan ub'), ['needs_upper', 'needs_digit']);
  });

  it('counts characters, not what they take to store', () => {
    assert.deepEqual(problems('Aa1#🥥🥥🥥🥥🥥'), ['too_short']);
    assert.deepEqual(problems('Éé1#ßßßßßß'), []);
  });

  it('is not the e-mail address nor what stands before its @, in whatever capitals', () => {
    assert.deepEqual(problems('Siti.Rahayu@Example.co.id'), ['is_email']);
    assert.deepEqual(passwordProblems('Siti.Rahayu47', ' siti.rahayu47@example.co.id '), ['is_email']);
    assert.deepEqual(problems('Siti.Rahayu47'), []);
    assert.deepEqual(passwordProblems('Warung#47b', ''), []);
    assert.ok(!passwordProblems('', '').includes('is_email'));
  });

  it('is not one that everybody tries, in whatever capitals', () => {
    assert.deepEqual(problems('Password123!'), ['common']);
    assert.deepEqual(problems('PassWORD123!'), ['common']);
    assert.deepEqual(problems('1234567890123456'), ['common']);
    assert.deepEqual(problems('BismillahirRahmanirRahim'), ['common']);
  });

  it('is not on the long list that is handed in, in whatever capitals', () => {
    const isOnList = (password: string) => password === 'nusantara#2031';
    assert.deepEqual(problems('Nusantara#2031'), []);
    assert.deepEqual(passwordProblems('Nusantara#2031', EMAIL, PASSWORD_POLICY, isOnList), ['common']);
  });

  it('is as long as the office asks', () => {
    const strict = { minLength: 12, passphraseLength: 20 };
    assert.deepEqual(passwordProblems('Warung#47b', EMAIL, strict), ['too_short']);
    assert.deepEqual(passwordProblems('Warung#47bcd', EMAIL, strict), []);
    assert.deepEqual(passwordProblems('kerbau makan ubi', EMAIL, strict), ['needs_upper', 'needs_digit']);
  });

  it('gets the same answer in the order of the list, and none for what fits', () => {
    const strong = fc.string({ minLength: 16, maxLength: 40 }).filter((p) => !COMMON_PASSWORDS.has(p.toLowerCase()));
    fc.assert(fc.property(strong, (password) => assert.deepEqual(problems(password), [])));
    const property = fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (password) => {
      const found = problems(password);
      assert.deepEqual(
        found,
        PASSWORD_PROBLEMS.filter((problem) => found.includes(problem)),
      );
    });
    fc.assert(property);
  });
});

describe('the list of common passwords', () => {
  it('is in small letters, and long enough to matter', () => {
    assert.ok(COMMON_PASSWORDS.size >= 100);
    for (const password of COMMON_PASSWORDS) {
      assert.equal(password, password.toLowerCase());
      assert.ok(password.length >= 10, password);
    }
  });

  it('holds none that would be refused without it', () => {
    for (const password of COMMON_PASSWORDS) {
      const best = password.replace(/\p{Ll}/u, (letter) => letter.toUpperCase());
      assert.deepEqual(problems(best), ['common'], password);
    }
  });
});
