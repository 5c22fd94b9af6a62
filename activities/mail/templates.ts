/**
 * The letters an installation starts with: what a seed writes into `mail_templates`, where the office edits them.
 * Handlebars; the variables of each code are in domain/mail.ts, the helpers in render.ts.
 */
import { LOCALES, type Locale, MAIL_TEMPLATE_CODES, type MailTemplateCode } from '../../domain/mail.ts';
import { compose, type Letter } from './letters/compose.ts';
import { ENGLISH } from './letters/english.ts';
import { INDONESIAN } from './letters/indonesian.ts';

export interface MailTemplate {
  readonly code: MailTemplateCode;
  readonly locale: Locale;
  readonly subject: string;
  readonly text: string;
  /** The body only; render.ts puts it into the common layout. */
  readonly html: string;
}

const LETTERS: Record<Locale, Record<MailTemplateCode, Letter>> = { id: INDONESIAN, en: ENGLISH };

export const MAIL_TEMPLATES: readonly MailTemplate[] = LOCALES.flatMap((locale) =>
  MAIL_TEMPLATE_CODES.map((code) => ({ code, locale, ...compose(LETTERS[locale][code], locale) })),
);
