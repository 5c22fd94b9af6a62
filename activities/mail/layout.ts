import Handlebars from 'handlebars';
import type { Locale } from '../../domain/mail.ts';

export interface MailFrame {
  readonly subject: string;
  /** What mail programs show beside the subject. */
  readonly preheader: string;
  readonly officeName: string;
  readonly publicUrl: string;
  readonly locale: Locale;
}

const AUTOMATIC: Record<Locale, string> = {
  id: 'Surel ini dikirim secara otomatis.',
  en: 'This e-mail was sent automatically.',
};

export function textLayout(body: string, { officeName, publicUrl, locale }: MailFrame): string {
  return `${body.trimEnd()}\n\n-- \n${officeName}\n${publicUrl}\n${AUTOMATIC[locale]}\n`;
}

// Tables and attributes where a page would use CSS: mail programs know little else.
const PAGE = `<!doctype html>
<html lang="{{locale}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{{subject}}</title>
<style>
body { margin: 0; padding: 0; background: #eef1f5; }
.card { font-family: Helvetica, Arial, sans-serif; font-size: 16px; line-height: 1.5; color: #1c2430; }
.card p { margin: 0 0 16px; }
.facts { border-collapse: collapse; margin: 0 0 16px; width: 100%; }
.facts th { text-align: left; font-weight: normal; color: #5b6472; padding: 6px 16px 6px 0; vertical-align: top; width: 36%; }
.facts td { font-weight: bold; padding: 6px 0; vertical-align: top; word-break: break-word; }
.facts tr { border-bottom: 1px solid #e3e7ed; }
.button { display: inline-block; background: #12355b; color: #ffffff; text-decoration: none; padding: 12px 24px; border-radius: 4px; font-weight: bold; }
.small { font-size: 13px; color: #5b6472; word-break: break-all; }
@media (max-width: 620px) { .card { padding: 20px !important; } .facts th, .facts td { display: block; width: auto; padding: 2px 0; } }
</style>
</head>
<body>
<div style="display:none;max-height:0;overflow:hidden;opacity:0">{{preheader}}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eef1f5"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px">
<tr><td style="background:#12355b;color:#ffffff;padding:18px 32px;font-family:Helvetica,Arial,sans-serif;font-size:17px;font-weight:bold">{{officeName}}</td></tr>
<tr><td class="card" style="background:#ffffff;padding:32px">
{{body}}
</td></tr>
<tr><td style="padding:16px 32px;font-family:Helvetica,Arial,sans-serif;font-size:12px;color:#5b6472">{{officeName}} · <a href="{{publicUrl}}" style="color:#5b6472">{{publicUrl}}</a><br>{{automatic}}</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;

const page = Handlebars.create().compile(PAGE, { strict: true });

/** @param body HTML that is already escaped */
export const htmlLayout = (body: string, frame: MailFrame): string =>
  page({ ...frame, automatic: AUTOMATIC[frame.locale], body: new Handlebars.SafeString(body) });
