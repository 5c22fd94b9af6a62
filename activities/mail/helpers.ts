import Handlebars from 'handlebars';
import { isStage, type Stage } from '../../domain/licensing.ts';
import type { Locale } from '../../domain/mail.ts';
import { formatMoney, isCurrency, money } from '../../domain/money.ts';
import { formatDay, formatInstant, lastInstant } from '../documents/dates.ts';

const STAGE_NAMES: Record<Stage, Record<Locale, string>> = {
  document_verification: { id: 'verifikasi dokumen', en: 'document verification' },
  compliance_check: { id: 'pemeriksaan kepatuhan', en: 'compliance check' },
  approval: { id: 'persetujuan', en: 'approval' },
};

/** What templates may call. Handlebars passes its own options after the arguments; none here reads them. */
export function helpersFor({ locale, timeZone }: { locale: Locale; timeZone: string }) {
  return {
    instant: (iso: unknown) => formatInstant(text('instant', iso), timeZone, locale),
    day: (iso: unknown) => formatDay(text('day', iso), timeZone, locale),
    lastDay: (iso: unknown) => formatDay(lastInstant(text('lastDay', iso)), timeZone, locale),
    money: formatAmount,
    stage: (code: unknown) => stageName(text('stage', code), locale),
    button,
  };
}

function text(helper: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`{{${helper}}} needs a text, not ${typeof value}.`);
  return value;
}

function formatAmount(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'amountMinor' in value && 'currency' in value) {
    const { amountMinor, currency } = value;
    const whole = /^-?\d+$/.test(String(amountMinor));
    if (whole && typeof currency === 'string' && isCurrency(currency)) {
      return formatMoney(money(BigInt(String(amountMinor)), currency));
    }
  }
  throw new TypeError('{{money}} needs { amountMinor, currency } with whole minor units of a known currency.');
}

function stageName(code: string, locale: Locale): string {
  if (!isStage(code)) throw new TypeError(`{{stage}} does not know the stage "${code}".`);
  return STAGE_NAMES[code][locale];
}

/** A link that looks like a button, and below it the same link to copy. */
function button(link: unknown, label: unknown): Handlebars.SafeString {
  const target = text('button', link);
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) {
    throw new TypeError('{{button}} needs an http(s) URL.');
  }
  const url = Handlebars.escapeExpression(target);
  const words = Handlebars.escapeExpression(text('button', label));
  return new Handlebars.SafeString(
    `<p><a class="button" href="${url}">${words}</a></p>\n<p class="small"><a href="${url}">${url}</a></p>`,
  );
}
