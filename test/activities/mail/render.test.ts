import assert from 'node:assert/strict';
import { MailTemplateError, renderMail, type StoredMailTemplate } from '../../../activities/mail/render.ts';
import { MAIL_TEMPLATES, type MailTemplate } from '../../../activities/mail/templates.ts';
import {
  LOCALES,
  type Locale,
  MAIL_TEMPLATE_CODES,
  type MailTemplateCode,
  type MailVariables,
} from '../../../domain/mail.ts';
import { SAMPLE_VARIABLES } from './sample-variables.ts';

const office = { publicUrl: 'https://alur.example.id', officeName: 'DPMPTSP Kota Contoh', timeZone: 'Asia/Jakarta' };

let versions = 0;
/** Every stored template has a version of its own here, so that no test sees what another one compiled. */
function stored<Code extends MailTemplateCode>(
  code: Code,
  locale: Locale,
  changes: Partial<MailTemplate> = {},
): StoredMailTemplate<Code> {
  const found = MAIL_TEMPLATES.find((template) => template.code === code && template.locale === locale);
  assert.ok(found, `${code} has a template in ${locale}`);
  versions += 1;
  return { ...found, ...changes, code, locale, version: versions };
}

function rendered<Code extends MailTemplateCode>(
  code: Code,
  locale: Locale,
  changes: Partial<MailVariables[Code]> = {},
) {
  return renderMail(stored(code, locale), { ...SAMPLE_VARIABLES[code], ...changes }, { ...office, locale });
}

describe('the letters of a new installation', () => {
  it('has every letter once in every language', () => {
    const keys = MAIL_TEMPLATES.map(({ code, locale }) => `${code}/${locale}`);
    assert.equal(new Set(keys).size, keys.length);
    assert.equal(keys.length, MAIL_TEMPLATE_CODES.length * LOCALES.length);
  });

  for (const locale of LOCALES) {
    for (const code of MAIL_TEMPLATE_CODES) {
      it(`renders ${code} in ${locale}`, () => {
        const { subject, text, html } = rendered(code, locale);
        for (const part of [subject, text, html]) {
          assert.doesNotMatch(part, /\{\{|\}\}|undefined|\[object/);
        }
        assert.ok(subject.length > 10 && subject.length < 120, subject);
        assert.match(text, /Sari Wulandari/);
        assert.match(html, new RegExp(`<html lang="${locale}">`));
        assert.match(html, /DPMPTSP Kota Contoh/);
      });
    }
  }

  it('says what to pay, by when in the zone of the office, and where', () => {
    const indonesian = rendered('invoice_issued', 'id');
    assert.equal(indonesian.subject, 'Tagihan INV/2026/000042: Rp1.250.000');
    assert.match(indonesian.text, /paling lambat 28 November 2026 pukul 10\.14 WIB/);
    assert.match(indonesian.text, /Bayar sekarang: https:\/\/pay\.example\.id\/snap\/1\?a=1&b=2\n/);
    assert.match(rendered('invoice_issued', 'en').text, /Please pay by 28 November 2026, 10:14 WIB/);
  });

  it('lists every reason of a correction', () => {
    const { text, html } = rendered('correction_requested', 'id');
    assert.match(text, /Yang perlu diperbaiki:\n- Foto dapur buram\n- NIB tidak terbaca\n/);
    assert.match(html, /<li>Foto dapur buram<\/li><li>NIB tidak terbaca<\/li>/);
  });

  it('names the last day of a licence, or that it is for life', () => {
    assert.match(rendered('license_issued', 'en').text, /Valid until: 20 November 2031/);
    assert.match(rendered('license_issued', 'en', { validUntil: null }).text, /Valid until: lifetime/);
    assert.match(rendered('license_issued', 'id', { validUntil: null }).text, /Berlaku sampai dengan: seumur hidup/);
  });
});

describe('rendering a letter', () => {
  const hostile = '<script>alert(1)</script>" onload="x';

  it('escapes what people typed, in HTML only', () => {
    const { html, text, subject } = rendered('task_reminder', 'id', { companyName: hostile });
    assert.doesNotMatch(html, /<script>alert|" onload="/);
    assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    assert.ok(text.includes(hostile));
    assert.ok(subject.includes(hostile));
  });

  it('keeps a subject on one line', () => {
    const { subject } = rendered('task_reminder', 'en', { companyName: 'Toko\r\nBcc: all@example.id\u2028x' });
    assert.equal(subject, 'Reminder: Toko Bcc: all@example.id x is waiting for your decision');
  });

  it('shows what happened beside the subject', () => {
    const { html } = rendered('welcome', 'en');
    assert.match(
      html,
      /<div style="display:none[^>]*>Your account is registered under the e-mail address sari@example\.id\.<\/div>/,
    );
  });

  it('refuses a link that is not http(s)', () => {
    assert.throws(
      () => rendered('invoice_issued', 'id', { payUrl: 'javascript:alert(1)' }),
      /invoice_issued \(id.*http\(s\)/,
    );
  });

  const uses = {
    'in the text': '{{payUrl}}',
    'as an argument of a helper': '{{instant payUrl}}',
    'in a condition': '{{#if payUrl}}x{{/if}}',
    'in a loop': '{{#each payUrl}}x{{/each}}',
  };
  for (const [where, text] of Object.entries(uses)) {
    it(`fails when a variable is missing ${where}, naming it and the template`, () => {
      const template = stored('task_reminder', 'id', { text });
      const render = () => renderMail(template, SAMPLE_VARIABLES.task_reminder, { ...office, locale: 'id' });
      assert.throws(render, (error) => {
        assert.ok(error instanceof MailTemplateError);
        assert.match(
          error.message,
          /^Mail template task_reminder \(id, version \d+\): variable "payUrl" is missing\.$/,
        );
        return true;
      });
    });
  }

  it('names a template that does not parse', () => {
    const template = stored('welcome', 'en', { html: '{{#if email}}' });
    assert.throws(
      () => renderMail(template, SAMPLE_VARIABLES.welcome, { ...office, locale: 'en' }),
      /^MailTemplateError: Mail template welcome \(en, version \d+\): Parse error/,
    );
  });

  it('compiles a version once, and a new version anew', () => {
    const first = stored('welcome', 'en');
    const render = (template: StoredMailTemplate<'welcome'>) =>
      renderMail(template, SAMPLE_VARIABLES.welcome, { ...office, locale: 'en' }).subject;
    const before = render(first);
    assert.equal(render({ ...first, subject: 'Edited in place' }), before);
    assert.equal(render({ ...first, subject: 'Edited', version: first.version + 1000 }), 'Edited');
  });
});
