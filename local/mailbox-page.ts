/** The mailbox for eyes: a list, and one message with its attachments. Everything in a mail is a stranger's: escaped. */
import Handlebars from 'handlebars';
import type { MailboxMessage } from './mailbox-store.ts';

const LAYOUT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title><style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 56rem; padding: 1rem; color: #1d2530; background: #fff }
h1 { font-size: 1.4rem } a { color: #0b57a4 } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5rem .5rem .5rem 0; border-bottom: 1px solid #d5dbe3; overflow-wrap: anywhere }
iframe { width: 100%; height: 32rem; border: 1px solid #d5dbe3 } pre { white-space: pre-wrap; overflow-wrap: anywhere }
dt { color: #55606e } dd { margin: 0 0 .5rem } .empty { padding: 3rem 0; color: #55606e }
</style></head><body>{{{body}}}</body></html>`;

const LIST = `<h1>Mailbox</h1><p><a href="/sms">Text messages</a></p>
{{#if messages}}<table><thead><tr><th>Received</th><th>To</th><th>Subject</th></tr></thead><tbody>
{{#each messages}}<tr><td><time datetime="{{receivedAt}}">{{receivedAt}}</time></td><td>{{recipients}}</td>
<td><a href="/messages/{{id}}">{{subject}}</a>{{#if attachments}} ({{attachments.length}} attached){{/if}}</td></tr>
{{/each}}</tbody></table>{{else}}<p class="empty">No mail yet. Whatever Alur sends on this machine arrives here.</p>{{/if}}`;

const MESSAGE = `<p><a href="/">All messages</a></p><h1>{{subject}}</h1>
<dl><dt>From</dt><dd>{{from}}</dd><dt>To</dt><dd>{{recipients}}</dd><dt>Received</dt><dd>{{receivedAt}}</dd></dl>
{{#if attachments}}<h2>Attachments</h2><ul>{{#each attachments}}
<li><a href="/api/messages/{{../id}}/attachments/{{@index}}">{{filename}}</a> ({{contentType}}, {{bytes}} bytes)</li>
{{/each}}</ul>{{/if}}
{{#if html}}<iframe title="The message" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/messages/{{id}}/html"></iframe>
{{else}}<pre>{{text}}</pre>{{/if}}`;

const layout = Handlebars.compile(LAYOUT);
const list = Handlebars.compile(LIST);
const message = Handlebars.compile(MESSAGE);

const withRecipients = (mail: MailboxMessage) => ({
  ...mail,
  subject: mail.subject || '(no subject)',
  recipients: mail.to.join(', '),
});

/** Newest first: that is what one looks for. */
export function listPage(messages: readonly MailboxMessage[]): string {
  return layout({ title: 'Mailbox', body: list({ messages: messages.map(withRecipients).reverse() }) });
}

export function messagePage(mail: MailboxMessage): string {
  return layout({ title: mail.subject, body: message(withRecipients(mail)) });
}
