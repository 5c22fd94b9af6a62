/** What the worker bundles: every process, by the name under which it is started. */
export { activation } from './activation.ts';
export { licenseReview } from './license-review.ts';
export { invoicePayment } from './payment.ts';
