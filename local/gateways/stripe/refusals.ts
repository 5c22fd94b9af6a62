/** Errors as Stripe writes them. https://docs.stripe.com/api/errors */
import type { ErrorRequestHandler } from 'express';
import type { Reply } from '../faults.ts';

interface Details {
  readonly code?: string;
  readonly param?: string;
  readonly type?: 'invalid_request_error' | 'idempotency_error' | 'api_error';
}

export const refused = (status: number, message: string, details: Details = {}): Reply => ({
  status,
  body: { error: { type: 'invalid_request_error', ...details, message } },
});

export const missing = (what: string, id: string, param: string): Reply =>
  refused(404, `No such ${what}: '${id}'`, { code: 'resource_missing', param });

export const malformed: ErrorRequestHandler = (_error, _req, res, _next) => {
  const { status, body } = refused(400, 'Invalid request: the body could not be read.');
  res.status(status).json(body);
};
