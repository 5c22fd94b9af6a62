import type { Locale } from '../../../domain/mail.ts';

/** A letter's words, once; `compose` sets them as plain text and as HTML. Handlebars placeholders are allowed in each. */
export interface Letter {
  readonly subject: string;
  /** What happened: the first sentence, which mail programs show beside the subject. */
  readonly happened: string;
  /** Label and value, such as the amount and the due date. */
  readonly facts?: readonly (readonly [label: string, value: string])[];
  /** The reviewer's reasons, under this heading. */
  readonly reasonsTitle?: string;
  /** Lists of `{text}` by the name of their variable; an empty one is left out with its title. */
  readonly lists?: readonly { readonly title: string; readonly of: string }[];
  /** What to do next and by when, a paragraph each. */
  readonly next: readonly string[];
  /** `url` is the name of a variable. */
  readonly button?: { readonly label: string; readonly url: string };
}

const WORDS: Record<Locale, { greeting: string; closing: string }> = {
  id: { greeting: 'Yth. Bapak/Ibu {{recipientName}},', closing: 'Hormat kami,' },
  en: { greeting: 'Dear {{recipientName}},', closing: 'Kind regards,' },
};

export function compose(letter: Letter, locale: Locale): { subject: string; text: string; html: string } {
  return { subject: letter.subject, text: asText(letter, locale), html: asHtml(letter, locale) };
}

function asText({ happened, facts = [], reasonsTitle, lists = [], next, button }: Letter, locale: Locale): string {
  const { greeting, closing } = WORDS[locale];
  const paragraphs = [
    greeting,
    happened,
    // The gap before a list is part of it, so that an empty one leaves none.
    facts.map(([label, value]) => `${label}: ${value}`).join('\n') + lists.map(listAsText).join(''),
    reasonsTitle ? `${reasonsTitle}\n{{#each reasons}}\n- {{text}}\n{{/each}}` : '',
    ...next,
    button ? `${button.label}: {{${button.url}}}` : '',
    `${closing}\n{{officeName}}`,
  ];
  return `${paragraphs
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => paragraph.trimEnd())
    .join('\n\n')}\n`;
}

const listAsText = ({ title, of }: { readonly title: string; readonly of: string }): string =>
  `{{#if ${of}}}\n\n${title}{{#each ${of}}}\n- {{text}}{{/each}}{{/if}}`;

function asHtml({ happened, facts = [], reasonsTitle, lists = [], next, button }: Letter, locale: Locale): string {
  const { greeting, closing } = WORDS[locale];
  const rows = facts.map(([label, value]) => `<tr><th>${label}</th><td>${value}</td></tr>`).join('\n');
  return [
    `<p>${greeting}</p>`,
    `<p>${happened}</p>`,
    rows === '' ? '' : `<table class="facts">\n${rows}\n</table>`,
    ...lists.map(
      ({ title, of }) => `{{#if ${of}}}<p>${title}</p>\n<ul>{{#each ${of}}}<li>{{text}}</li>{{/each}}</ul>{{/if}}`,
    ),
    reasonsTitle ? `<p>${reasonsTitle}</p>\n<ul>{{#each reasons}}<li>{{text}}</li>{{/each}}</ul>` : '',
    ...next.map((paragraph) => `<p>${paragraph}</p>`),
    button ? `{{button ${button.url} "${button.label}"}}` : '',
    `<p>${closing}<br>{{officeName}}</p>`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}
