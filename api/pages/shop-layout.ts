/**
 * The pages of the shop: read on a telephone, answered by plain forms. No script, nothing from elsewhere; whatever a page
 * hands over is text in the reader's language, and is escaped here.
 */
import Handlebars from 'handlebars';
import type { Locale } from '../request.ts';
import type { Banner } from './layout.ts';

export interface Step {
  readonly label: string;
  readonly is: 'done' | 'now' | 'open';
}

export interface Row {
  readonly title: string;
  readonly lines: readonly string[];
  readonly amount?: string | undefined;
}

interface FieldBase {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
}
export type ShopField =
  | (FieldBase & { readonly kind: 'select' | 'radio'; readonly value: string; readonly options: readonly ShopOption[] })
  | (FieldBase & {
      readonly kind: 'text' | 'area';
      readonly value: string;
      readonly maxLength: number;
      readonly isOptional?: boolean;
    })
  | (FieldBase & { readonly kind: 'file'; readonly accept: string });

export interface ShopOption {
  readonly value: string;
  readonly label: string;
}

export interface ShopForm {
  /** A path of this API, with its query. */
  readonly action: string;
  readonly isMultipart?: boolean;
  /** Sent along, not shown. */
  readonly hidden?: Readonly<Record<string, string>>;
  readonly groups: readonly {
    readonly legend?: string;
    readonly note?: string;
    readonly fields: readonly ShopField[];
  }[];
  readonly button: string;
  /** Takes something away: not the button that a thumb should find first. */
  readonly isQuiet?: boolean;
}

export interface ShopLinkTo {
  readonly href: string;
  readonly label: string;
  /** The thing to do now. */
  readonly isMain?: boolean;
}

export interface Section {
  readonly title: string;
  readonly facts?: readonly (readonly [label: string, value: string])[];
  readonly rows?: readonly Row[];
  readonly texts?: readonly string[];
  readonly links?: readonly ShopLinkTo[];
  readonly pictures?: readonly { readonly src: string; readonly alt: string }[];
  readonly forms?: readonly ShopForm[];
}

export interface ShopPage {
  readonly heading: string;
  readonly banner: Banner;
  /** Once more, in a sentence: what was done just now. */
  readonly done?: string | undefined;
  /** What went wrong just now, a sentence each. */
  readonly problems?: readonly string[] | undefined;
  readonly steps?: readonly Step[];
  readonly progress?: string;
  readonly sections: readonly Section[];
  /** The page's own path, which the switch of languages keeps. */
  readonly path: string;
  readonly refreshSeconds?: number;
}

export function shopPage(page: ShopPage, locale: Locale): string {
  const { banner, path, done, problems, steps = [], progress = '', refreshSeconds } = page;
  const other: Locale = locale === 'id' ? 'en' : 'id';
  return LAYOUT({
    locale,
    other,
    otherName: locale === 'id' ? 'English' : 'Bahasa Indonesia',
    switchTo: `${path}?lang=${other}`,
    heading: page.heading,
    tone: banner.tone,
    word: banner.word[locale],
    meaning: banner.meaning[locale],
    done,
    problems,
    progress,
    steps: steps.map((step) => ({ ...step, isNow: step.is === 'now' })),
    sections: page.sections.map(sectionIn),
    refreshSeconds,
  });
}

const sectionIn = ({
  facts = [],
  rows = [],
  texts = [],
  links = [],
  pictures = [],
  forms = [],
  ...section
}: Section) => ({
  ...section,
  facts: facts.map(([label, value]) => ({ label, value })),
  rows: rows.map((row) => ({ amount: undefined, ...row })),
  texts,
  links: links.map((link) => ({ isMain: false, ...link })),
  pictures,
  forms: forms.map(formIn),
});

const formIn = ({ hidden = {}, groups, ...form }: ShopForm) => ({
  isMultipart: false,
  isQuiet: false,
  ...form,
  hidden: Object.entries(hidden).map(([name, value]) => ({ name, value })),
  groups: groups.map((group) => ({ legend: undefined, note: undefined, ...group, fields: group.fields.map(fieldIn) })),
});

function fieldIn(field: ShopField) {
  const base = {
    hint: undefined,
    ...field,
    isSelect: false,
    isRadio: false,
    isText: false,
    isArea: false,
    isFile: false,
  };
  switch (field.kind) {
    case 'select':
    case 'radio': {
      const options = field.options.map((option) => ({
        ...option,
        name: field.name,
        isChosen: option.value === field.value,
      }));
      return { ...base, options, isSelect: field.kind === 'select', isRadio: field.kind === 'radio' };
    }
    case 'text':
    case 'area':
      return {
        ...base,
        isText: field.kind === 'text',
        isArea: field.kind === 'area',
        isRequired: field.isOptional !== true,
      };
    case 'file':
      return { ...base, isFile: true };
  }
}

const STYLE = `
  * { box-sizing: border-box; }
  body { margin: 0; font: 1.0625rem/1.5 system-ui, sans-serif; color: #1d2733; background: #f2f4f7; overflow-wrap: anywhere; }
  main { max-width: 38rem; margin: 0 auto; padding: 1rem; }
  .language { margin: 0; text-align: right; }
  .language a { display: inline-block; padding: .6rem 0; color: #1c4f8f; }
  h1 { margin: .25rem 0 .5rem; font-size: 1.375rem; }
  h2 { margin: 1.75rem 0 .5rem; font-size: 1.125rem; }
  .status { margin: 1rem 0; padding: 1.25rem; border-radius: .75rem; color: #fff; background: #5b6573; }
  .status strong { display: block; font-size: 1.5rem; line-height: 1.2; }
  .good { background: #0b6b3a; }
  .waiting { background: #1c4f8f; }
  .caution { background: #8a5300; }
  .bad { background: #a3161d; }
  .steps { display: flex; margin: 1rem 0; padding: 0; list-style: none; gap: .25rem; }
  .steps li { flex: 1; min-width: 0; padding-top: .4rem; border-top: .375rem solid #c3c9d2; font-size: .75rem; line-height: 1.25; color: #5b6573; }
  .steps .done { border-color: #0b6b3a; }
  .steps .now { border-color: #1c4f8f; color: #1d2733; font-weight: 600; }
  /* Six names do not fit side by side on a telephone: the present one is enough, the others are still read aloud. */
  @media (max-width: 30rem) { .steps li:not(.now) { font-size: 0; } .steps .now { flex: none; } }
  dl + .rows { margin-top: .5rem; }
  dl, .rows { margin: 0; padding: .25rem 1rem; border-radius: .75rem; background: #fff; }
  dt { margin-top: .75rem; font-size: .875rem; color: #5b6573; }
  dd { margin: 0 0 .75rem; font-weight: 600; }
  .rows { list-style: none; }
  .rows li { display: flex; justify-content: space-between; gap: 1rem; padding: .75rem 0; border-top: 1px solid #e3e7ec; }
  .rows li:first-child { border-top: 0; }
  .rows span { min-width: 0; }
  .rows small { display: block; color: #5b6573; }
  .rows b { flex: none; max-width: 45%; text-align: right; }
  p { color: #434d5b; }
  .alert, .told { margin: 1rem 0; padding: .75rem 1rem; border-left: .375rem solid #a3161d; background: #fff; color: #1d2733; list-style-position: inside; }
  .told { border-color: #0b6b3a; }
  button, .link { display: block; width: 100%; min-height: 3rem; margin: .75rem 0; padding: .7rem 1rem; border: 1px solid #1c4f8f;
    border-radius: .75rem; font: inherit; font-weight: 600; text-align: center; color: #1c4f8f; background: #fff; text-decoration: none; cursor: pointer; }
  button, .main { color: #fff; background: #1c4f8f; }
  .quiet { color: #a3161d; background: #fff; border-color: #a3161d; }
  form { margin: 0 0 1.5rem; }
  fieldset { min-width: 0; margin: .75rem 0; padding: .25rem 1rem .75rem; border: 1px solid #c3c9d2; border-radius: .75rem; background: #fff; }
  legend { padding: 0 .25rem; font-weight: 600; }
  label { display: block; margin: .75rem 0; font-size: .875rem; color: #5b6573; }
  .choice { display: flex; gap: .75rem; align-items: center; min-height: 3rem; margin: 0; font-size: 1.0625rem; color: #1d2733; }
  .choice input { width: 1.25rem; min-height: 1.25rem; margin: 0; flex: none; }
  input, select, textarea { display: block; width: 100%; min-width: 0; min-height: 3rem; margin: .25rem 0; padding: .6rem .8rem; border: 1px solid #8a94a3;
    border-radius: .75rem; font: inherit; font-size: 1.0625rem; color: #1d2733; background: #fff; }
  textarea { min-height: 6rem; }
  img { display: block; max-width: 100%; margin: .75rem auto; border-radius: .75rem; background: #fff; }
`;

const FIELDS = `{{#each fields}}
{{#if isSelect}}
<label>{{label}}<select name="{{name}}">{{#each options}}<option value="{{value}}"{{#if isChosen}} selected{{/if}}>{{label}}</option>{{/each}}</select>{{#if hint}}{{hint}}{{/if}}</label>
{{/if}}
{{#if isRadio}}
{{#each options}}<label class="choice"><input type="radio" name="{{name}}" value="{{value}}"{{#if isChosen}} checked{{/if}}><span>{{label}}</span></label>{{/each}}
{{/if}}
{{#if isText}}
<label>{{label}}<input name="{{name}}" maxlength="{{maxLength}}" value="{{value}}"{{#if isRequired}} required{{/if}}>{{#if hint}}{{hint}}{{/if}}</label>
{{/if}}
{{#if isArea}}
<label>{{label}}<textarea name="{{name}}" maxlength="{{maxLength}}"{{#if isRequired}} required{{/if}}>{{value}}</textarea>{{#if hint}}{{hint}}{{/if}}</label>
{{/if}}
{{#if isFile}}
<label>{{label}}<input type="file" name="{{name}}" accept="{{accept}}" required>{{#if hint}}{{hint}}{{/if}}</label>
{{/if}}
{{/each}}`;

const SECTION = `<section>
<h2>{{title}}</h2>
{{#if facts}}
<dl>{{#each facts}}<dt>{{label}}</dt><dd>{{value}}</dd>{{/each}}</dl>
{{/if}}
{{#if rows}}
<ul class="rows">{{#each rows}}<li><span>{{title}}{{#each lines}}<small>{{this}}</small>{{/each}}</span>{{#if amount}}<b>{{amount}}</b>{{/if}}</li>{{/each}}</ul>
{{/if}}
{{#each texts}}<p>{{this}}</p>
{{/each}}
{{#each pictures}}<img src="{{src}}" alt="{{alt}}">
{{/each}}
{{#each links}}<a class="link{{#if isMain}} main{{/if}}" href="{{href}}">{{label}}</a>
{{/each}}
{{#each forms}}
<form method="post" action="{{action}}"{{#if isMultipart}} enctype="multipart/form-data"{{/if}}>
{{#each hidden}}<input type="hidden" name="{{name}}" value="{{value}}">{{/each}}
{{#each groups}}
{{#if legend}}<fieldset><legend>{{legend}}</legend>{{#if note}}<p>{{note}}</p>{{/if}}
${FIELDS}
</fieldset>{{else}}
${FIELDS}
{{/if}}
{{/each}}
<button{{#if isQuiet}} class="quiet"{{/if}}>{{button}}</button>
</form>
{{/each}}
</section>`;

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
<p class="language"><a href="{{switchTo}}" hreflang="{{other}}" lang="{{other}}">{{otherName}}</a></p>
<h1>{{heading}}</h1>
<div class="status {{tone}}" role="status"><strong>{{word}}</strong>{{meaning}}</div>
{{#if steps}}
<ol class="steps" aria-label="{{progress}}">{{#each steps}}<li class="{{is}}"{{#if isNow}} aria-current="step"{{/if}}>{{label}}</li>{{/each}}</ol>
{{/if}}
{{#if done}}
<p class="told" role="status">{{done}}</p>
{{/if}}
{{#if problems}}
<ul class="alert" role="alert">{{#each problems}}<li>{{this}}</li>{{/each}}</ul>
{{/if}}
{{#each sections}}
${SECTION}
{{/each}}
</main>
</body>
</html>
`,
  { strict: true },
);
