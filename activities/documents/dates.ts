import type { Locale } from '../../domain/mail.ts';

const LANGUAGE: Record<Locale, string> = { id: 'id-ID', en: 'en-GB' };

/** Indonesians know their zones by these names; Intl only knows `GMT+7`. */
const ZONE_NAMES: Record<string, string> = {
  'Asia/Jakarta': 'WIB',
  'Asia/Pontianak': 'WIB',
  'Asia/Makassar': 'WITA',
  'Asia/Jayapura': 'WIT',
};

/**
 * `21 November 2025`, the day on which the instant falls in that zone.
 * @param iso ISO 8601 with offset, or a bare date (`2025-11-21`), which is that day in every zone
 * @param timeZone IANA name
 */
export function formatDay(iso: string, timeZone: string, locale: Locale): string {
  const zone = /^\d{4}-\d{2}-\d{2}$/.test(iso) ? 'UTC' : timeZone;
  return formatted(iso, locale, { timeZone: zone, day: 'numeric', month: 'long', year: 'numeric' });
}

/** `21 November 2025 pukul 10.14 WIB`, `21 November 2025, 10:14 WIB`. */
export function formatInstant(iso: string, timeZone: string, locale: Locale): string {
  const clock = formatted(iso, 'en', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const day = formatDay(iso, timeZone, locale);
  const zone = zoneName(iso, timeZone);
  return locale === 'id' ? `${day} pukul ${clock.replace(':', '.')} ${zone}` : `${day}, ${clock} ${zone}`;
}

/** `WIB`, `WITA`, `WIT`; elsewhere the offset (`GMT+8`). */
export function zoneName(iso: string, timeZone: string): string {
  const known = ZONE_NAMES[timeZone];
  if (known) return known;
  const parts = formatter('en', { timeZone, timeZoneName: 'shortOffset' }).formatToParts(parse(iso));
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? timeZone;
}

/** Where something ends at midnight, its last day is the one before; a bare date is itself the last day. */
export function lastInstant(until: string): string {
  const isDay = !until.includes('T');
  return isDay ? until : new Date(parse(until).getTime() - 1).toISOString();
}

const formatted = (iso: string, locale: Locale, options: Intl.DateTimeFormatOptions): string =>
  formatter(locale, options).format(parse(iso));

// Making one costs more than all else in a letter; there are a dozen of them, a few for each zone and language.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: Locale, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, options]);
  const known = formatters.get(key) ?? new Intl.DateTimeFormat(LANGUAGE[locale], options);
  formatters.set(key, known);
  return known;
}

/** @throws RangeError for a text that is no ISO 8601 time, or whose zone is not said. */
export function parse(iso: string): Date {
  const date = new Date(iso);
  const zoned = /^\d{4}-\d{2}-\d{2}(T.+(Z|[+-]\d{2}:?\d{2}))?$/.test(iso);
  if (!zoned || Number.isNaN(date.getTime())) throw new RangeError(`not an ISO 8601 time with offset: ${iso}`);
  return date;
}
