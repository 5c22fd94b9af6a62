import assert from 'node:assert/strict';
import * as feel from 'feelin';
import { checkExpression, createRuleEvaluator } from '../../db/rule-evaluator.ts';
import type { ComplianceSubject } from '../../domain/compliance.ts';

const document = { present: true, count: 1, bytes: 2048, contentType: 'application/pdf', pages: 2 };
const SUBJECT: ComplianceSubject = {
  form: { seats: 24, businessName: 'Warung Kopi Senja', products: ['tea', 'cake'] },
  documents: {
    identity_card: document,
    hygiene_certificate: { present: false, count: 0, bytes: null, contentType: null, pages: null },
  },
  company: {
    scale: 'micro',
    kbli: ['56101', '47112'],
    legalForm: 'CV',
    capital: 250_000_000,
    annualSales: null,
    hasNib: true,
  },
  application: { round: 1, submittedOn: '2026-03-02' },
};
const NAMES = {
  fields: ['seats', 'businessName', 'products'],
  documents: ['identity_card', 'hygiene_certificate', 'other'],
};

describe('a compliance rule in FEEL', () => {
  const evaluate = createRuleEvaluator(feel);
  const problems = (expression: string) =>
    checkExpression(feel, expression, NAMES).map(({ code, from, to }) => `${code} ${expression.slice(from, to)}`);

  const MET = [
    'form.seats <= 50 or documents.hygiene_certificate.present',
    'documents.identity_card.present and documents.identity_card.pages <= 4',
    'company.scale = "micro" and list contains(company.kbli, "56101")',
    'some code in company.kbli satisfies starts with(code, "56")',
    'count(form.products[item != "tea"]) = 1',
    'date(application.submittedOn) >= date("2026-01-01")',
    'form.seats in [1..30]',
    'form.seats between 1 and 30',
    'if company.capital > 100 then not(form.seats > 100) else false',
    'matches(form.businessName, "^Warung")',
    'form.closedOn = null',
  ];
  for (const expression of MET)
    it(`is met: ${expression}`, () => {
      assert.equal(evaluate(expression, SUBJECT), true);
      if (!expression.includes('closedOn')) assert.deepEqual(problems(expression), []);
    });

  for (const expression of ['form.seats > 50', 'documents.hygiene_certificate.present', 'company.scale = "large"'])
    it(`is not met: ${expression}`, () => assert.equal(evaluate(expression, SUBJECT), false));

  const UNJUDGED: readonly (readonly [string, string])[] = [
    ['a value that is not there', 'form.chairs > 10'],
    ['a number', 'form.seats + 1'],
    ['a text', '"yes"'],
    ['a broken expression', 'form.seats >'],
    ['a name that nobody knows, though it compares well', 'fomr.seats = null'],
    ['a function that nobody knows', 'seatsOf(form) > 1 or true'],
    ['a broken call beside something true', 'number("x", "y", "z") > 1 or true'],
    ['nothing', '  '],
  ];
  for (const [what, expression] of UNJUDGED)
    it(`is not judged, rather than passed: ${what}`, () => assert.equal(evaluate(expression, SUBJECT), null));

  const HOSTILE: readonly (readonly [string, string])[] = [
    ['a function that calls itself', '{f: function(x) f(x), r: f(1)}.r = 1'],
    ['a loop', 'count(for i in 1..1000000000 return i) > 1'],
    ['a long range', 'some i in 1..1000000000 satisfies i < 0'],
    ['lists that double', 'count(concatenate(company.kbli, company.kbli)) > 1'],
    ['texts that grow', 'string length(replace("aaaa", "a", "aaaaaaaa")) > 1'],
    ['a clock', 'now() > date("2020-01-01")'],
    ['today', 'today() > date("2020-01-01")'],
    ['an expression that is too long', `form.seats > ${'1'.repeat(1000)}`],
    ['one with too many parts', `${'1+'.repeat(450)}1 > 0`],
  ];
  for (const [what, expression] of HOSTILE)
    it(`is refused and never judged: ${what}`, () => {
      assert.equal(checkExpression(feel, expression, NAMES).length > 0, true);
      assert.equal(evaluate(expression, SUBJECT), null);
    });

  it('is stopped in the middle of a regular expression that would take years', () => {
    const text = `${'a'.repeat(60)}!`;
    const subject = { ...SUBJECT, form: { text } };
    const started = performance.now();
    assert.equal(evaluate('matches(form.text, "^(a+)+$")', subject), null);
    assert.ok(performance.now() - started < 5000);
    assert.equal(evaluate('form.text = null', subject), false);
  });

  it('survives brackets in brackets', () => {
    const deep = `${'('.repeat(150)}true${')'.repeat(150)}`;
    assert.equal(evaluate(deep, SUBJECT), null);
    assert.equal(evaluate('((true))', SUBJECT), true);
  });

  it('means the same whatever the applicant calls a field', () => {
    const form = { seats: 90, 'seats < 50': true, 'seats + 1': 1, '__proto__ ': 1 };
    assert.equal(evaluate('form.seats < 50', { ...SUBJECT, form }), false);
    assert.equal(evaluate('form.seats + 1 > 90', { ...SUBJECT, form }), true);
  });

  it('is told where it is wrong before it is published', () => {
    assert.deepEqual(problems('form.seats > 10 and form.chairs > 1'), ['unknown_field chairs']);
    assert.deepEqual(problems('documents.ktp.present'), ['unknown_document ktp']);
    assert.deepEqual(problems('compny.scale = "micro"'), ['unknown_name compny']);
    assert.deepEqual(problems('company.size = "micro"'), ['unknown_name size']);
    assert.deepEqual(problems('frm(form.seats) > 1'), ['unknown_function frm']);
    assert.deepEqual(problems('string  length(form.businessName) > 1'), []);
    assert.deepEqual(problems('for i in [1] return i'), ['not_allowed for i in [1] return i']);
    assert.deepEqual(
      problems('form.seats > > 2').map((text) => text.split(' ')[0]),
      ['syntax_error'],
    );
    assert.deepEqual(
      checkExpression(feel, 'form.seats >', NAMES).map(({ code }) => code),
      ['syntax_error'],
    );
  });

  it('may name any field where the form takes any', () => {
    assert.deepEqual(checkExpression(feel, 'form.chairs > 1', { ...NAMES, fields: null }), []);
  });
});
