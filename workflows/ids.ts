import type { ApplicationId, InvoiceId } from '../domain/ids.ts';

/** A workflow's ID is its business ID: whoever knows the case finds the execution, and starting it twice is impossible. */
export const licenseReviewId = (id: ApplicationId) => `license-review/${id}`;
export const activationId = (id: ApplicationId) => `activation/${id}`;
export const paymentId = (id: InvoiceId) => `payment/${id}`;
