/**
 * Turns a stored template and its variables into a letter. Helpers for templates:
 * `{{instant x}}` date and time with zone, `{{day x}}`, `{{lastDay x}}` (of a period that ends at x), `{{money x}}`,
 * `{{stage x}}`, `{{roles x}}`, `{{secondFactorChange x}}`, `{{refundWay x}}`, and in HTML `{{button url "label"}}`. Also there: `{{officeName}}`, `{{publicUrl}}`.
 */
import Handlebars from 'handlebars';
import { LRUCache } from 'lru-cache';
import type { Locale, MailTemplateCode, MailVariables } from '../../domain/mail.ts';
import { helpersFor } from './helpers.ts';
import { htmlLayout, textLayout } from './layout.ts';
import type { MailTemplate } from './templates.ts';

/** A row of `mail_templates`. A version's words never change, so what is compiled from it is kept. */
export interface StoredMailTemplate<Code extends MailTemplateCode = MailTemplateCode> extends MailTemplate {
  readonly code: Code;
  readonly version: number;
}

export interface MailRenderOptions {
  readonly locale: Locale;
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly officeName: string;
  /** IANA name of the office's zone: when things are due is said in it. */
  readonly timeZone: string;
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A template that cannot be rendered: a person must correct the template or its sender, so a retry cannot help. */
export class MailTemplateError extends Error {
  override readonly name = 'MailTemplateError';
}

interface Compiled {
  readonly subject: HandlebarsTemplateDelegate;
  readonly text: HandlebarsTemplateDelegate;
  readonly html: HandlebarsTemplateDelegate;
}

// An environment of its own: nothing else in the process can add helpers to it.
const handlebars = Handlebars.create();
const compiled = new LRUCache<string, Compiled>({ max: 200 });

/** @throws MailTemplateError naming the template and the variable that is missing or wrong */
export function renderMail<Code extends MailTemplateCode>(
  template: StoredMailTemplate<Code>,
  variables: MailVariables[Code],
  options: MailRenderOptions,
): RenderedMail {
  try {
    return render(template, variables, options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MailTemplateError(`Mail template ${nameOf(template)}: ${reason}`, { cause: error });
  }
}

function render(template: StoredMailTemplate, variables: object, options: MailRenderOptions): RenderedMail {
  const { officeName, publicUrl, locale } = options;
  const context = guarded({ ...variables, officeName, publicUrl });
  const runtime = { helpers: helpersFor(options) };
  const parts = compiledOf(template);
  const subject = oneLine(parts.subject(context, runtime));
  const text = parts.text(context, runtime);
  const frame = { subject, preheader: preheaderOf(text, subject), officeName, publicUrl, locale };
  return {
    subject,
    text: textLayout(text, frame),
    html: htmlLayout(parts.html(context, runtime), frame),
  };
}

function compiledOf(template: StoredMailTemplate): Compiled {
  const key = nameOf(template);
  const known = compiled.get(key);
  if (known) return known;
  const fresh = {
    subject: handlebars.compile(template.subject, { strict: true, noEscape: true }),
    text: handlebars.compile(template.text, { strict: true, noEscape: true }),
    html: handlebars.compile(template.html, { strict: true }),
  };
  compiled.set(key, fresh);
  return fresh;
}

const nameOf = ({ code, locale, version }: StoredMailTemplate): string => `${code} (${locale}, version ${version})`;

/**
 * Handlebars' strict mode lets a missing variable pass where it is a helper's argument (`{{money x}}`, `{{#if x}}`);
 * here reading any name that was not given throws, whatever reads it.
 */
function guarded(value: object): object {
  const items = Object.entries(value).map(([name, item]) => [name, guardedItem(item)]);
  return new Proxy(Object.fromEntries(items), {
    // Strict mode asks this first and would complain in its own words.
    has: () => true,
    get(target, name) {
      const item: unknown = Reflect.get(target, name);
      if (typeof name === 'string' && item === undefined) throw new Error(`variable "${name}" is missing.`);
      return item;
    },
  });
}

function guardedItem(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(guardedItem);
  return typeof item === 'object' && item !== null ? guarded(item) : item;
}

/** A line break in a subject would start a header of the sender's choosing. */
const oneLine = (subject: string): string => subject.replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ').trim();

/** What happened: the paragraph after the greeting. */
function preheaderOf(text: string, subject: string): string {
  const paragraph = text.split(/\n{2,}/)[1];
  return paragraph ? oneLine(paragraph).slice(0, 160) : subject;
}
