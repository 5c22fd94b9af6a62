/** One log line a request; and in no line what people typed into the system (domain/log-fields.ts). */
import type { Request, Response } from 'express';
import { type DestinationStream, type Logger, pino } from 'pino';
import { errorFields, LOG_RULES } from '../domain/log-fields.ts';
import type { RequestTimer } from './metrics.ts';

/** @param destination for tests; absent = standard output */
export const createLogger = (level: string, destination?: DestinationStream): Logger =>
  destination ? pino({ ...LOG_RULES, level }, destination) : pino({ ...LOG_RULES, level });

/** What may be logged of an error: `logger.warn({ err: loggable(error) }, 'a sentence')`. */
export const loggable = errorFields;

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
