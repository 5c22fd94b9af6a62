import type { MailTemplateCode } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';
import { LICENSE_LETTERS_ENGLISH } from './licenses.ts';
import { ONBOARDING_LETTERS_ENGLISH } from './onboarding.ts';
import { ORDER_LETTERS_ENGLISH } from './orders.ts';
import { REFUND_LETTERS_ENGLISH } from './refunds.ts';
import { RETURN_LETTERS_ENGLISH } from './returns.ts';
import { STOCK_LETTERS_ENGLISH } from './stock.ts';
import { SUBSCRIPTION_LETTERS_ENGLISH } from './subscriptions.ts';

const APPLICATION = ['Application', '{{applicationId}}'] as const;
const COMPANY = ['Business', '{{companyName}}'] as const;
const LICENSE = ['Licence', '{{licenseName}}'] as const;
const CASE = [COMPANY, LICENSE, APPLICATION] as const;
const TASK = [...CASE, ['Stage', '{{stage stage}}'], ['Due', '{{instant dueAt}}']] as const;
const BILL = [
  ['Invoice', '{{invoiceNumber}}'],
  ['Amount', '{{money total}}'],
  ['Due', '{{instant dueAt}}'],
] as const;

export const ENGLISH: Record<MailTemplateCode, Letter> = {
  welcome: {
    subject: 'Welcome to the licensing service of {{officeName}}',
    happened: 'Your account is registered under the e-mail address {{email}}.',
    next: [
      'Next: log in, complete the details of your business, then apply for a licence. You can stop at any time and go on later.',
      'If you did not register, ignore this e-mail or let us know.',
    ],
  },
  application_submitted: {
    subject: 'We have received your application for {{licenseName}}',
    happened: 'We received the application of {{companyName}} for {{licenseName}} on {{instant submittedAt}}.',
    facts: [APPLICATION, ['Decision by', '{{instant dueAt}}']],
    next: [
      'There is nothing for you to do now. We will write to you when something needs correcting or a decision has been made.',
    ],
  },
  task_assigned: {
    subject: 'New task: {{stage stage}}, {{companyName}}',
    happened: 'The application of {{companyName}} for {{licenseName}} is assigned to you.',
    facts: TASK,
    next: [
      'Please review and decide it before it is due. If you have a conflict of interest, tell your supervisor at once.',
    ],
  },
  task_reminder: {
    subject: 'Reminder: {{companyName}} is waiting for your decision',
    happened: 'Half of the working time for the application of {{companyName}} for {{licenseName}} has passed.',
    facts: TASK,
    next: ['Please decide it by {{instant dueAt}}.'],
  },
  task_at_risk: {
    subject: 'Nearly overdue: {{companyName}}, {{stage stage}}',
    happened:
      '80 % of the working time for the application of {{companyName}} for {{licenseName}} is used up, and there is no decision yet.',
    facts: [...TASK, ['Assigned to', '{{assigneeName}}']],
    next: [
      'Reviewer: please decide it by {{instant dueAt}}. Supervisor: reassign it if the reviewer is not available; once it is overdue, the task moves to the supervisor.',
    ],
  },
  task_breached: {
    subject: 'Overdue: the task for {{companyName}} is now yours',
    happened:
      'The application of {{companyName}} for {{licenseName}} is overdue, so the task of {{formerAssigneeName}} has moved to you.',
    facts: TASK,
    next: ['Please decide it today, or assign it to another reviewer. The delay has been recorded.'],
  },
  task_overdue: {
    subject:
      '{{#if lastDay}}Last day of the legal time{{else}}Overdue for a working day{{/if}}: {{companyName}}, {{stage stage}}',
    happened:
      '{{#if lastDay}}The legal time for the application of {{companyName}} for {{licenseName}} ends today, and there is no decision yet.{{else}}The application of {{companyName}} for {{licenseName}} has been overdue for a working day, and there is no decision yet.{{/if}}',
    facts: [...TASK, ['Assigned to', '{{assigneeName}}']],
    next: ['Please decide it today, or give it to somebody who can. That you were told is on record.'],
  },
  task_unassigned: {
    subject: 'Nobody is free: {{companyName}}, {{stage stage}}',
    happened:
      'The application of {{companyName}} for {{licenseName}} has come to a stage for which nobody in the role is free.',
    facts: TASK,
    next: ['Please take the task, or give it to somebody: it is in the queue of the supervisors, and its time runs.'],
  },
  correction_reminder: {
    subject: 'Reminder: please correct your application for {{licenseName}}',
    happened: 'We are still waiting for your correction of the application of {{companyName}} for {{licenseName}}.',
    facts: [APPLICATION, ['Correct by', '{{instant respondBy}}']],
    next: [
      'Correct what we asked for, then submit your application again by {{instant respondBy}}. Without an answer it lapses.',
    ],
  },
  rejection_announced: {
    subject: 'We mean to reject your application for {{licenseName}}',
    happened:
      'We have looked at the application of {{companyName}} for {{licenseName}} and mean to reject it. Before we decide, you may tell us your view.',
    facts: [APPLICATION, ['Answer by', '{{instant respondBy}}']],
    reasonsTitle: 'Why we mean to reject it:',
    next: [
      'Answer by {{instant respondBy}} if you see it differently. The time of the review stands still until then; without an answer we decide on what we know.',
    ],
  },
  application_reopened: {
    subject: 'Your application for {{licenseName}} is open again',
    happened:
      'The application of {{companyName}} for {{licenseName}} had lapsed and has been reopened at your request.',
    facts: [APPLICATION, ['Correct by', '{{instant respondBy}}']],
    next: ['Correct what we had asked for, then submit your application again by {{instant respondBy}}.'],
  },
  application_cancelled: {
    subject: 'Your application for {{licenseName}} has been cancelled',
    happened:
      'The office has cancelled the application of {{companyName}} for {{licenseName}} on {{instant cancelledAt}}.',
    facts: [APPLICATION],
    next: ['If you do not know why, please contact us.'],
  },
  correction_requested: {
    subject: 'Please correct your application for {{licenseName}}',
    happened:
      'The application of {{companyName}} for {{licenseName}} needs corrections before we can go on (round {{round}}).',
    facts: [APPLICATION, ['Correct it by', '{{instant respondBy}}']],
    reasonsTitle: 'What needs correcting:',
    next: [
      'Please correct these points and resubmit your application by {{instant respondBy}}. While we wait for you our own time stands still; without an answer the application lapses.',
    ],
  },
  application_rejected: {
    subject: 'The decision on your application for {{licenseName}}',
    happened:
      'We are sorry: the application of {{companyName}} for {{licenseName}} was rejected on {{instant decidedAt}}.',
    facts: [APPLICATION],
    reasonsTitle: 'The reasons:',
    next: ['You may apply again once these reasons no longer stand, or object to this decision as the law provides.'],
  },
  document_quarantined: {
    subject: 'A document of your application for {{licenseName}} was not accepted',
    happened:
      'The virus scanner found malware in the file “{{documentName}}” that {{companyName}} uploaded as “{{documentKind}}”. Nobody at our office opens it, and it is taken off the application.',
    facts: [['Document', '{{documentKind}}'], ['File', '{{documentName}}'], APPLICATION],
    next: [
      'Please make the document anew on a computer that is free of malware, or scan the paper again, and upload it. If the application is with us already, we will ask you for it.',
      'We advise you to have the computer checked from which the file came.',
    ],
  },
  application_withdrawn: {
    subject: 'Your application for {{licenseName}} is withdrawn',
    happened: 'The application of {{companyName}} for {{licenseName}} was withdrawn on {{instant withdrawnAt}}.',
    facts: [APPLICATION],
    next: [
      'There is nothing more for you to do. You may apply again at any time. If it was not you who withdrew it, contact us at once.',
    ],
  },
  invoice_issued: {
    subject: 'Invoice {{invoiceNumber}}: {{money total}}',
    happened:
      '{{#if replaces}}This invoice takes the place of {{replaces}}, which was voided; do not pay that one. The new one{{else}}{{#if byLaw}}Our legal time for the application of {{companyName}} for {{licenseName}} was used up without a decision, so it counts as granted by law (article 53 of Law 30/2014, deemed approval){{else}}The application of {{companyName}} for {{licenseName}} is approved{{/if}}. Its invoice{{/if}} is attached.',
    facts: BILL,
    next: [
      'Please pay by {{instant dueAt}}. As soon as your payment has arrived, the certificate is issued and sent to you.',
    ],
    button: { label: 'Pay now', url: 'payUrl' },
  },
  payment_reminder: {
    subject: 'Reminder: invoice {{invoiceNumber}} is unpaid',
    happened: 'We have not yet received the payment of invoice {{invoiceNumber}} for {{licenseName}}.',
    facts: BILL,
    next: [
      'Please pay by {{instant dueAt}}; after that the invoice and the application lapse. If you have just paid, ignore this e-mail.',
    ],
    button: { label: 'Pay now', url: 'payUrl' },
  },
  application_lapsed_unpaid: {
    subject: 'Your application for {{licenseName}} has lapsed unpaid',
    happened:
      'Invoice {{invoiceNumber}} over {{money total}} was not paid, so the application of {{companyName}} for {{licenseName}} lapsed on {{instant lapsedAt}}.',
    facts: [APPLICATION],
    next: [
      'Please do not pay that invoice any more. If you still need this licence, apply again. If you have paid already, contact us with the proof of payment.',
    ],
  },
  invoice_voided: {
    subject: 'Invoice {{invoiceNumber}} is voided',
    happened:
      'The office voided invoice {{invoiceNumber}} over {{money total}} on {{instant voidedAt}} and issues no other, so the application of {{companyName}} for {{licenseName}} is closed.',
    facts: [APPLICATION],
    next: [
      'Please do not pay that invoice. If you have paid already or do not know the reason, contact us; if you still need this licence, apply again.',
    ],
  },
  payment_received: {
    subject: 'Payment received: {{money paid}}, receipt {{receiptNumber}}',
    happened: 'We have received your payment of {{money paid}} for invoice {{invoiceNumber}}. The receipt is attached.',
    facts: [LICENSE, ['Invoice total', '{{money total}}'], ['Still owed', '{{money outstanding}}']],
    next: [
      'Keep the receipt as proof of payment. If anything is still owed, please pay it before it is due; the certificate is issued once the invoice is paid in full.',
    ],
  },
  subscription_payment_received: {
    subject: 'Payment received: {{money paid}}, receipt {{receiptNumber}}',
    happened: 'We have received your payment of {{money paid}} for invoice {{invoiceNumber}}. The receipt is attached.',
    facts: [
      ['Subscription', '{{planName}}'],
      ['Invoice total', '{{money total}}'],
      ['Still owed', '{{money outstanding}}'],
    ],
    next: ['Keep the receipt as proof of payment. If anything is still owed, please pay it before it is due.'],
  },
  payment_late: {
    subject: 'Late payment: invoice {{invoiceNumber}}',
    happened:
      'Money arrived for invoice {{invoiceNumber}}, which had lapsed or was voided. The payment is recorded and has activated nothing.',
    facts: [...CASE, ['Received', '{{money paid}}'], ['On', '{{instant paidAt}}'], ['Through', '{{gateway}}']],
    next: [
      'Please decide within this working day: return the money or contact the applicant. The case is in the reconciliation list.',
    ],
  },
  license_issued: {
    subject: 'Your licence is issued: {{licenseNumber}}',
    happened: 'Congratulations! {{licenseName}} of {{companyName}} is issued. The certificate is attached.',
    facts: [
      ['Number', '{{licenseNumber}}'],
      ['Valid from', '{{day validFrom}}'],
      ['Valid until', '{{#if validUntil}}{{lastDay validUntil}}{{else}}lifetime{{/if}}'],
    ],
    next: [
      'Keep the certificate and show it when asked. Anybody can check that it is genuine with the QR code on it or this link.',
    ],
    button: { label: 'Check authenticity', url: 'verifyUrl' },
  },
  license_suspended: {
    subject: 'Your licence is suspended: {{licenseNumber}}',
    happened:
      'The licence {{licenseName}} of {{companyName}} has been suspended since {{instant at}}, because {{#if refunded}}its fee was refunded in full{{else}}the payment of its fee was taken back by the bank or the payment provider{{/if}}.',
    facts: [['Number', '{{licenseNumber}}']],
    next: [
      'While it is suspended the licence does not count; whoever scans its QR code sees so.',
      '{{#if refunded}}If you did not ask for the refund, contact us.{{else}}Please clear it up with your bank, or contact us. When the payment counts again, the licence is in force again by itself.{{/if}}',
    ],
  },
  license_reinstated: {
    subject: 'Your licence is in force again: {{licenseNumber}}',
    happened:
      'The licence {{licenseName}} of {{companyName}} has been in force again since {{instant at}}: the payment of its fee counts again.',
    facts: [['Number', '{{licenseNumber}}']],
    next: ['There is nothing to do. The certificate that you have is still the right one.'],
  },
  verify_email: {
    subject: 'Please confirm your e-mail address',
    happened: 'An account was registered with {{officeName}} under the e-mail address {{email}}.',
    next: [
      'Please confirm by {{instant expiresAt}} that this address is yours. The link works once; you can ask for another one at any time.',
      'If you did not register, ignore this e-mail.',
    ],
    button: { label: 'Confirm the address', url: 'verifyUrl' },
  },
  password_reset: {
    subject: 'Choose a new password',
    happened: 'Somebody asked for a new password for your account.',
    next: [
      'If it was you, choose a new password by {{instant expiresAt}}. The link works once, and all devices will have to sign in again.',
      'If it was not you, ignore this e-mail: your password stays as it is.',
    ],
    button: { label: 'Choose a new password', url: 'resetUrl' },
  },
  password_changed: {
    subject: 'Your password has been changed',
    happened: 'The password of your account was changed on {{instant at}}.',
    facts: [['IP address', '{{address}}']],
    next: [
      'If it was you, there is nothing to do. All other devices have been signed out.',
      'If it was not you, ask for a new password at once and tell us.',
    ],
  },
  sign_in_reused: {
    subject: 'We have ended one of your sessions',
    happened:
      'An old sign-in of your account was used a second time on {{instant at}}. Somebody may have copied it, so we ended that session.',
    facts: [
      ['Device', '{{device}}'],
      ['IP address', '{{address}}'],
    ],
    next: [
      'Please sign in again. If you do not know this device or address, change your password and look through your sessions.',
    ],
  },
  finance_daily: {
    subject: 'Payments of {{day dayStart}}: {{#if openCases}}cases are waiting{{else}}no open cases{{/if}}',
    happened: 'This is how the gateways and the books of {{day dayStart}} compare.',
    facts: [
      [
        'Money',
        '{{#each totals}}received {{money captured}}, refunded {{money refunded}}, paid out {{money settled}}{{#unless @last}}; {{/unless}}{{else}}none moved{{/each}}',
      ],
      [
        'Gateways',
        '{{#each walks}}{{gateway}}: {{#if failure}}COULD NOT BE COMPARED ({{failure}}){{else}}{{compared}} compared, {{differences}} differences{{/if}}{{#unless @last}}; {{/unless}}{{else}}none compared{{/each}}',
      ],
      [
        'Open cases',
        '{{#each openCases}}{{caseKind kind}}: {{count}}, the oldest for {{oldestHours}} h{{#unless @last}}; {{/unless}}{{else}}none{{/each}}',
      ],
      ['Refunds waiting', '{{refunds.awaitingApproval}} for approval, {{refunds.awaitingTransfer}} for a transfer'],
    ],
    next: [
      'Please look at your cases in the reconciliation list today, the oldest first. A gateway that could not be compared is tried again the next night, its days included; ask operations if it fails twice.',
    ],
  },
  account_locked: {
    subject: 'Your account is locked for a while',
    happened: 'Somebody entered a wrong password for your account several times in a row.',
    facts: [
      ['Locked until', '{{instant lockedUntil}}'],
      ['IP address', '{{address}}'],
    ],
    next: [
      'If it was you, wait until then or unlock the account with this link, which holds until {{instant expiresAt}}.',
      'If it was not you, your password has not been guessed. Choose another one if it is short or used elsewhere.',
    ],
    button: { label: 'Unlock the account', url: 'unlockUrl' },
  },
  new_device: {
    subject: 'New sign-in to your account',
    happened: 'Somebody signed in to your account on {{instant at}} from a device or network that is new to us.',
    facts: [
      ['Device', '{{device}}'],
      ['IP address', '{{address}}'],
    ],
    next: [
      'If it was you, there is nothing to do.',
      'If it was not you, change your password at once: that signs out all devices.',
    ],
  },
  second_factor_changed: {
    subject: 'Two-step verification of your account',
    happened: 'A change to your account on {{instant at}}: {{secondFactorChange change}}.',
    next: ['If it was you, there is nothing to do.', 'If it was not you, change your password at once and tell us.'],
  },
  login_code: {
    subject: 'Your code to sign in to {{officeName}}',
    happened: 'Enter this code to go on: {{code}}',
    next: [
      'It works once, until {{instant expiresAt}}. Nobody of {{officeName}} will ever ask you for it.',
      'If you are not signing in, somebody knows your password: change it at once.',
    ],
  },
  join_staff: {
    subject: 'Your account with {{officeName}}',
    happened: '{{inviterName}} has invited you to work in the licensing service of {{officeName}}.',
    facts: [['Role', '{{roles roles}}']],
    next: [
      'Please choose your password by {{instant expiresAt}}. The link works once.',
      'If you do not expect this invitation, ignore this e-mail.',
    ],
    button: { label: 'Set up the account', url: 'joinUrl' },
  },
  money_stuck: {
    subject: 'Money that does not move: {{count}}',
    happened: 'Payments or refunds have not moved for 15 minutes, as seen on {{instant at}}.',
    facts: [
      ['Paid, licence not active (invoices)', '{{paid}}'],
      ['Unclear at the gateway', '{{unclear}}'],
    ],
    next: [
      'Please look into the list of cases. A case closes by itself once its matter has moved on.',
      'Never collect or refund a second time what is unclear: ask the gateway first.',
    ],
  },
  join_company: {
    subject: 'Invitation to act for {{companyName}}',
    happened: '{{inviterName}} invites you to act for {{companyName}} in the licensing service of {{officeName}}.',
    facts: [COMPANY],
    next: [
      'Please accept by {{instant expiresAt}}. If you have no account yet, register under this e-mail address first.',
      'If you do not know this business, ignore this e-mail.',
    ],
    button: { label: 'See the invitation', url: 'joinUrl' },
  },
  ...LICENSE_LETTERS_ENGLISH,
  ...STOCK_LETTERS_ENGLISH,
  ...SUBSCRIPTION_LETTERS_ENGLISH,
  ...ORDER_LETTERS_ENGLISH,
  ...RETURN_LETTERS_ENGLISH,
  ...ONBOARDING_LETTERS_ENGLISH,
  calendar_incomplete: {
    subject: 'The calendar has no national holidays for {{year}}',
    happened:
      'The working calendar of {{calendarOffice}} names no national holiday of {{year}}. Deadlines that reach into that year are counted as if there were none.',
    next: [
      'Have the proposal of {{year}} shown, compare it with the joint decree of the ministers, and publish the calendar. Before you publish, the preview shows which open cases move; afterwards all of them are planned anew by themselves.',
    ],
  },
  tasks_moved: {
    subject: 'Tasks that are now yours: {{count}}',
    happened: 'The tasks of a colleague were handed to others on {{instant at}}; {{count}} of them are now yours.',
    next: [
      'You find them in your inbox, what is due first on top. If you have a conflict of interest in one of them, declare it there.',
    ],
  },
  absence_began: {
    subject: 'Your absence has begun',
    happened:
      'You are entered as absent from {{instant from}} until {{instant to}}. No task comes to you in that time.',
    facts: [
      ['Open tasks handed to others', '{{moved}}'],
      ['Tasks that stayed with you', '{{stayed}}'],
    ],
    next: ['If you are back earlier, end the absence in Alur. For tasks that stayed with you, ask your supervisor.'],
  },
  absence_of_staff: {
    subject: '{{absenteeName}} is absent: {{moved}} tasks moved',
    happened: '{{absenteeName}} is absent from {{instant from}} until {{instant to}}.',
    facts: [
      ['Open tasks handed to others', '{{moved}}'],
      ['Of these, nobody was free for (your queue)', '{{queued}}'],
      ['Tasks that could not be moved', '{{stayed}}'],
    ],
    next: ['Please take or assign what waits in your queue, and see to the tasks that could not be moved.'],
  },
  ...REFUND_LETTERS_ENGLISH,
};
