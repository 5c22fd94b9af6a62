/** How Xendit says no: an HTTP status, a code and, for bad input, the fields. */
import type { ErrorRequestHandler } from 'express';
import type { z } from 'zod';
import type { Reply } from '../faults.ts';

export const refused = (status: number, code: string, message: string, errors?: readonly object[]): Reply => ({
  status,
  body: { error_code: code, message, ...(errors === undefined ? {} : { errors }) },
});

export const invalidRequest = (error: z.ZodError): Reply =>
  refused(
    400,
    'API_VALIDATION_ERROR',
    'There was an error with the format submitted to the server.',
    error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  );

export const malformed: ErrorRequestHandler = (_error, _req, res, _next) => {
  const { status, body } = refused(400, 'INVALID_JSON_FORMAT', 'The request body is not a valid JSON format');
  res.status(status).json(body);
};
