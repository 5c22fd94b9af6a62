/** What the public pages share: read on a phone, by somebody in a hurry. No script, and nothing from elsewhere. */
import Handlebars from 'handlebars';
import type { Locale } from '../request.ts';

export type Words = Readonly<Record<Locale, string>>;

export interface Banner {
  readonly tone: 'good' | 'waiting' | 'caution' | 'bad' | 'neutral';
  readonly word: Words;
  readonly meaning: Words;
}

export interface FormField {
  readonly name: string;
  readonly label: Words;
  readonly type: 'text' | 'password';
  /** As password managers read it: `name`, `new-password`. */
  readonly autocomplete: string;
  readonly maxLength: number;
  readonly value?: string | undefined;
  readonly hint?: Words | undefined;
}

/** One of several; the first is chosen until the reader chooses another. */
export interface Choice {
  readonly name: string;
  readonly legend: Words;
  /** In the reader's language already. */
  readonly options: readonly { readonly value: string; readonly label: string; readonly hint?: string }[];
}

/** Posted as `application/x-www-form-urlencoded`: to a route with `form: true`. */
export interface PageForm {
  /** A path of this API. */
  readonly action: string;
  /** Sent along, not shown. */
  readonly hidden: Readonly<Record<string, string>>;
  readonly fields: readonly FormField[];
  readonly button: Words;
}

export interface PublicPage {
  readonly heading: Words;
  readonly banner: Banner;
  readonly facts?: readonly (readonly [label: Words, value: string])[];
  /** What went wrong just now. */
  readonly alert?: Words | undefined;
  /** What is missing, sentence by sentence, in the reader's language already. */
  readonly problems?: readonly string[] | undefined;
  /** Posts the choices, or an empty form, to the page's own address. */
  readonly button?: Words | undefined;
  readonly choices?: readonly Choice[] | undefined;
  readonly form?: PageForm | undefined;
  readonly link?: { readonly href: string; readonly label: Words };
  /** Loads the page again, for who does not want to wait for it. */
  readonly again?: Words | undefined;
  readonly note?: Words;
  /** The page loads itself again after so many seconds. */
  readonly refreshSeconds?: number | undefined;
}

/** Every value is escaped here: pages hand over texts, never HTML. */
export function publicPage(page: PublicPage, locale: Locale): string {
  const { banner, facts = [], alert, problems, button, choices = [], form, link, again, note, refreshSeconds } = page;
  return LAYOUT({
    locale,
    refreshSeconds,
    heading: page.heading[locale],
    tone: banner.tone,
    word: banner.word[locale],
    meaning: banner.meaning[locale],
    facts: facts.map(([label, value]) => ({ label: label[locale], value })),
    alert: alert?.[locale],
    problems,
    button: button?.[locale],
    choices: choices.map(({ legend, ...choice }) => ({ ...choice, legend: legend[locale] })),
    form: form && formIn(form, locale),
    link: link && { href: link.href, label: link.label[locale] },
    again: again?.[locale],
    note: note?.[locale],
  });
}

const formIn = ({ action, hidden, fields, button }: PageForm, locale: Locale) => ({
  action,
  hidden: Object.entries(hidden).map(([name, value]) => ({ name, value })),
  fields: fields.map(({ label, hint, ...field }) => ({
    value: '',
    ...field,
    label: label[locale],
    hint: hint?.[locale],
  })),
  button: button[locale],
});

/** Headers of a page that is for one person or one moment: not indexed, not cached, its address not passed on. */
export const PAGE_HEADERS = {
  Vary: 'Accept-Language',
  'Cache-Control': 'no-store',
  'X-Robots-Tag': 'noindex',
  'Referrer-Policy': 'no-referrer',
} as const;

const LANGUAGE: Readonly<Record<Locale, string>> = { id: 'id-ID', en: 'en-GB' };

/** `21 November 2026`: the day in the west of Indonesia, where the licensing day is counted. */
export const dayOf = (time: Date, locale: Locale): string =>
  new Intl.DateTimeFormat(LANGUAGE[locale], { dateStyle: 'long', timeZone: 'Asia/Jakarta' }).format(time);

/** `21 November 2026 pukul 17.00 WIB`. */
export const instantOf = (time: Date, locale: Locale, timeZone: string): string =>
  new Intl.DateTimeFormat(LANGUAGE[locale], {
    timeZone,
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(time);

const STYLE = `
  body { margin: 0; font: 1.0625rem/1.5 system-ui, sans-serif; color: #1d2733; background: #f2f4f7; }
  main { max-width: 34rem; margin: 0 auto; padding: 1.25rem; }
  h1 { margin: .5rem 0; font-size: 1.375rem; }
  .status { margin: 1rem 0; padding: 1.25rem; border-radius: .75rem; color: #fff; background: #5b6573; }
  .status strong { display: block; font-size: 1.75rem; line-height: 1.2; }
  .good { background: #0b6b3a; }
  .waiting { background: #1c4f8f; }
  .caution { background: #8a5300; }
  .bad { background: #a3161d; }
  dl { margin: 0; padding: .25rem 1.25rem; border-radius: .75rem; background: #fff; }
  dt { margin-top: .9rem; font-size: .875rem; color: #5b6573; }
  dd { margin: 0 0 .9rem; font-weight: 600; overflow-wrap: anywhere; }
  p { color: #434d5b; }
  .alert { margin: 1rem 0; padding: .75rem 1.25rem; list-style-position: inside; border-left: .375rem solid #a3161d; background: #fff; color: #1d2733; }
  button, .link { display: block; box-sizing: border-box; width: 100%; min-height: 3rem; margin: 1rem 0; padding: .7rem 1rem;
    border: 1px solid #1c4f8f; border-radius: .75rem; font: inherit; font-weight: 600; text-align: center; }
  button { color: #fff; background: #1c4f8f; cursor: pointer; }
  label { display: block; margin: 1rem 0; font-size: .875rem; color: #5b6573; }
  input { display: block; box-sizing: border-box; width: 100%; min-height: 3rem; margin: .25rem 0; padding: .6rem .8rem;
    border: 1px solid #8a94a3; border-radius: .75rem; font: inherit; font-size: 1.0625rem; color: #1d2733; background: #fff; }
  .link { color: #1c4f8f; background: #fff; text-decoration: none; }
  fieldset { margin: 1rem 0; padding: .25rem 1.25rem; border: 1px solid #c3c9d2; border-radius: .75rem; background: #fff; }
  legend { padding: 0 .25rem; font-weight: 600; }
  .choice { display: flex; gap: .75rem; align-items: center; min-height: 3rem; margin: 0; font-size: 1.0625rem; color: #1d2733; }
  .choice input { width: 1.25rem; min-height: 1.25rem; margin: 0; flex: none; }
  .choice small { display: block; color: #5b6573; }
`;

const LAYOUT = Handlebars.compile(
  `<!doctype html>
<html lang="{{locale}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
{{#if refreshSeconds}}
<meta http-equiv="refresh" content="{{refreshSeconds}}">
{{/if}}
<title>{{word}} · {{heading}}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>{{heading}}</h1>
<div class="status {{tone}}" role="status"><strong>{{word}}</strong>{{meaning}}</div>
{{#if alert}}
<p class="alert" role="alert">{{alert}}</p>
{{/if}}
{{#if problems}}
<ul class="alert" role="alert">{{#each problems}}<li>{{this}}</li>{{/each}}</ul>
{{/if}}
{{#if facts}}
<dl>{{#each facts}}<dt>{{label}}</dt><dd>{{value}}</dd>{{/each}}</dl>
{{/if}}
{{#if button}}
<form method="post">
{{#each choices}}
<fieldset><legend>{{legend}}</legend>
{{#each options}}
<label class="choice"><input type="radio" name="{{../name}}" value="{{value}}"{{#if @first}} checked{{/if}}><span>{{label}}{{#if hint}}<small>{{hint}}</small>{{/if}}</span></label>
{{/each}}
</fieldset>
{{/each}}
<button>{{button}}</button>
</form>
{{/if}}
{{#if form}}
<form method="post" action="{{form.action}}">
{{#each form.hidden}}<input type="hidden" name="{{name}}" value="{{value}}">{{/each}}
{{#each form.fields}}
<label>{{label}}<input type="{{type}}" name="{{name}}" autocomplete="{{autocomplete}}" maxlength="{{maxLength}}" value="{{value}}" required>{{#if hint}}{{hint}}{{/if}}</label>
{{/each}}
<button>{{form.button}}</button>
</form>
{{/if}}
{{#if again}}
<a class="link" href="">{{again}}</a>
{{/if}}
{{#if link}}
<a class="link" href="{{link.href}}">{{link.label}}</a>
{{/if}}
{{#if note}}
<p>{{note}}</p>
{{/if}}
</main>
</body>
</html>
`,
  { strict: true },
);
