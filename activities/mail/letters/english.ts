import type { MailTemplateCode } from '../../../domain/mail.ts';
import type { Letter } from './compose.ts';

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
    happened: 'The application of {{companyName}} for {{licenseName}} is approved. Its invoice is attached.',
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
  payment_late: {
    subject: 'Late payment: invoice {{invoiceNumber}}',
    happened:
      'Money arrived for invoice {{invoiceNumber}}, which had lapsed. The payment is recorded and has activated nothing.',
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
};
