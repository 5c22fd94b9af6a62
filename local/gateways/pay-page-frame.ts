/** What the sandboxes' pay pages in two languages have in common: head, style, heading; and the time as a payer reads it. */
import Handlebars from 'handlebars';

export type Locale = 'id' | 'en';

const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:28rem;padding:1rem}
header{display:flex;justify-content:space-between;align-items:baseline}
.sandbox{border-left:4px solid #d97706;padding:.25rem .75rem}
.amount{font-size:2rem;font-weight:700;margin:.5rem 0}
table{width:100%;border-collapse:collapse}td{padding:.25rem 0;vertical-align:top}td:last-child{text-align:right;white-space:nowrap}
button,.back{display:block;box-sizing:border-box;width:100%;min-height:3rem;margin:.5rem 0;padding:.6rem 1rem;border:1px solid #8888;border-radius:.5rem;font:inherit;text-align:center;text-decoration:none;cursor:pointer}
.main{background:#0f766e;border-color:#0f766e;color:#fff}
.code{font:600 1.25rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.qr{max-width:14rem;margin:0 auto;background:#fff;padding:.5rem}
fieldset{border:0;padding:0;margin:0}legend{font-weight:600;padding:0}`;

/**
 * A page of which the gateway writes what is special to it.
 * @param parts Handlebars: `reference` is a name, shown in the title where there is a payment; `actions` stands between
 *   the state of the payment and the way back
 */
export const payPage = ({ payment, reference, actions }: { payment: string; reference: string; actions: string }) =>
  Handlebars.compile(`<!doctype html>
<html lang="{{locale}}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>{{words.title}}{{#if ${payment}}} · {{${payment}.${reference}}}{{/if}}</title>
<style>
${STYLE}
</style>
</head>
<body>
<header><h1>{{words.title}}</h1><a href="?lang={{other}}" lang="{{other}}">{{words.change}}</a></header>
<p class="sandbox">{{words.sandbox}}</p>
{{#if ${payment}}}
<p class="amount">{{amount}}</p>
<table>
{{#each items}}<tr><td>{{name}}{{#if many}} × {{quantity}}{{/if}}</td><td>{{price}}</td></tr>{{/each}}
<tr><td>{{words.order}}</td><td>{{${payment}.${reference}}}</td></tr>
<tr><td>{{words.expires}}</td><td>{{expires}}</td></tr>
{{#if channel}}<tr><td>{{words.method}}</td><td>{{channel}}</td></tr>{{/if}}
</table>
<p role="status"><strong>{{outcome}}</strong></p>
{{#if notice}}<p role="alert">{{notice}}</p>{{/if}}
${actions}
{{#if back}}<a class="back" href="{{back}}">{{words.back}}</a>{{/if}}
{{else}}
<p role="alert">{{words.empty}}</p>
{{/if}}
</body>
</html>
`);

export const otherThan = (locale: Locale): Locale => (locale === 'id' ? 'en' : 'id');

export const jakartaTime = (iso: string, locale: Locale): string =>
  `${new Intl.DateTimeFormat(locale === 'id' ? 'id-ID' : 'en-GB', {
    timeZone: 'Asia/Jakarta',
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(new Date(iso))} WIB`;
