/** What the worker bundles: every process, by the name under which it is started. */
export { accountLetter, accountLetterSweep } from './account-letter.ts';
export { activation } from './activation.ts';
export { auditSeal } from './audit-seal.ts';
export { licenseReview } from './license-review.ts';
export { moneyWatch } from './money-watch.ts';
export { invoicePayment } from './payment.ts';
export { personalDataRotation } from './personal-data-rotation.ts';
export { reconciliation } from './reconciliation.ts';
export { refund } from './refund.ts';
export { textMessage } from './text-message.ts';
