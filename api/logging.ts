/** One log line a request, and errors without what people typed into the system. */
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { codeOf } from './failures.ts';
import type { RequestTimer } from './metrics.ts';

/**
 * Logs and measures each request when its answer is out. The pattern stands for the path: IDs in it would be new labels
 * without end, and query values may be secrets. Written here and not
 * by pino-http, which makes up to three child loggers a request before it logs its one line.
 */
export function createRequestLog(logger: Logger, time: RequestTimer): (req: Request, res: Response) => void {
  return (req, res) => {
    const startedAt = performance.now();
    res.once('close', () => {
      const milliseconds = performance.now() - startedAt;
      const pattern = req.pattern ?? '(none)';
      time(req.method, pattern, res.statusCode, milliseconds / 1000);
      logger.info(
        {
          requestId: req.requestId,
          method: req.method,
          pattern,
          status: res.statusCode,
          ms: Math.round(milliseconds * 10) / 10,
          userId: req.actor?.userId,
          // The caller hung up before the answer was out.
          cutOff: res.writableFinished ? undefined : true,
        },
        'request',
      );
    });
  };
}

/**
 * What may be logged of an error. The messages of PostgreSQL and knex carry the values of the statement, people's
 * addresses among them, so of those only code, constraint and stack are kept.
 */
export function loggable(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const fromDatabase = 'severity' in error || error.name === 'KnexTimeoutError';
  return {
    type: error.name,
    code: codeOf(error) || undefined,
    constraint: 'constraint' in error ? error.constraint : undefined,
    message: fromDatabase ? undefined : error.message,
    stack: fromDatabase ? framesOf(error.stack) : error.stack,
    cause: error.cause === undefined ? undefined : loggable(error.cause),
  };
}

const framesOf = (stack = ''): string =>
  stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .join('\n');
