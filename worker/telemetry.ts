import type { LogLevel, LogMetadata, Logger as TemporalLogger } from '@temporalio/worker';
import { type DestinationStream, type Logger, pino } from 'pino';
import { LOG_RULES } from '../domain/log-fields.ts';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const satisfies Record<
  LogLevel,
  string
>;

/** Writes only what domain/log-fields.ts names. @param destination for tests; absent = standard output */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = { ...LOG_RULES, level, base: { service: 'worker' } };
  return destination ? pino(options, destination) : pino(options);
}

/** The SDK's log lines through the same logger as everything else: one format, one level, one place. */
export function logTo(logger: Logger): TemporalLogger {
  const log = (level: LogLevel, message: string, meta?: LogMetadata): void =>
    logger[LEVELS[level]](meta ?? {}, withoutCause(message));
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

/** The SDK writes some errors into its sentences, `Error while processing ActivityTask.start: …`, and those may quote anything. */
const withoutCause = (message: string): string => message.replace(/^(Error while [^:]*):[\s\S]*$/, '$1');
