/** The page behind a bill's url: what a payer sees, plus the buttons that a sandbox has and a bank has not. English only. */
import Handlebars from 'handlebars';
import { formatMoney, money } from '../../../domain/money.ts';
import { type Bill, CHANNELS, type Channel } from './bills.ts';

const CHANNEL_NAMES: Record<Channel, string> = { fpx: 'Online banking (FPX)', card: 'Card', touchngo: "Touch 'n Go" };

const OUTCOMES: Record<Bill['state'], string> = {
  due: 'Waiting for the payment',
  paid: 'Payment received. Thank you.',
  deleted: 'This bill can no longer be paid.',
};

const LAYOUT = Handlebars.compile(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>Bill{{#if bill}} · {{bill.id}}{{/if}}</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:28rem;padding:1rem}
.sandbox{border-left:4px solid #d97706;padding:.25rem .75rem}
.amount{font-size:2rem;font-weight:700;margin:.5rem 0}
table{width:100%;border-collapse:collapse}td{padding:.25rem 0;vertical-align:top}td:last-child{text-align:right;overflow-wrap:anywhere}
button,.back{display:block;box-sizing:border-box;width:100%;min-height:3rem;margin:.5rem 0;padding:.6rem 1rem;border:1px solid #8888;border-radius:.5rem;font:inherit;text-align:center;text-decoration:none;cursor:pointer}
.main{background:#0f766e;border-color:#0f766e;color:#fff}
fieldset{border:0;padding:0;margin:0}legend{font-weight:600;padding:0}
</style>
</head>
<body>
<header><h1>Bill</h1></header>
<p class="sandbox">Sandbox: no real money moves.</p>
{{#if bill}}
<p class="amount">{{amount}}</p>
<table>
<tr><td>For</td><td>{{bill.description}}</td></tr>
<tr><td>Bill</td><td>{{bill.id}}</td></tr>
{{#if bill.reference1}}<tr><td>{{bill.reference1Label}}</td><td>{{bill.reference1}}</td></tr>{{/if}}
<tr><td>Due</td><td>{{bill.dueAt}}</td></tr>
</table>
<p role="status"><strong>{{outcome}}</strong></p>
{{#if notice}}<p role="alert">{{notice}}</p>{{/if}}
{{#if open}}
<form method="post" action="{{action}}/pay"><fieldset><legend>Pay now</legend>
{{#each channels}}<button class="main" name="channel" value="{{value}}">{{name}}</button>{{/each}}
</fieldset></form>
<form method="post" action="{{action}}/fail"><button>Make it fail at the bank</button></form>
<form method="post" action="{{action}}/expire"><button>Let the 30 days pass</button></form>
{{/if}}
{{#if bill.redirectUrl}}<a class="back" href="{{back}}">Back to the merchant</a>{{/if}}
{{else}}
<p role="alert">There is no such bill. Check the link, or start again from your invoice.</p>
{{/if}}
</body>
</html>
`);

export interface PayPageOptions {
  /** The page's own address, under which the buttons post. */
  readonly action: string;
  /** The merchant's address with what Billplz appends to it. */
  readonly back: string | null;
  /** Why the last button did nothing. */
  readonly notice?: string;
}

export const renderPayPage = (bill: Bill, { action, back, notice }: PayPageOptions): string =>
  LAYOUT({
    bill,
    action,
    back,
    notice,
    open: bill.state === 'due',
    amount: formatMoney(money(bill.amount, 'MYR')),
    outcome: OUTCOMES[bill.state],
    channels: CHANNELS.map((value) => ({ value, name: CHANNEL_NAMES[value] })),
  });

export const renderNoSuchPage = (): string => LAYOUT({});
