/** Whatever was thrown, as the refusal that the caller is told. The single place that knows the errors of the drivers. */
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { Failure, type FailureCode, type FailureFacts, isFailureCode } from '../domain/failures.ts';

export const RETRY_AFTER_SECONDS = 5;

/** An update was handed over and its answer is not in yet. */
export const isStillRunning = (error: unknown): boolean => error instanceof WorkflowUpdateRPCTimeoutOrCancelledError;

/** The process heard it and said no, for a reason that people are told. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof WorkflowUpdateFailedError &&
  error.cause instanceof ApplicationFailure &&
  isFailureCode(error.cause.type);

/** @param gone what it means to this route that the process it speaks to has ended */
export function toFailure(error: unknown, gone: FailureCode = 'not_found'): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof WorkflowNotFoundError) return plain(gone, error);
  if (error instanceof WorkflowUpdateFailedError) return fromProcess(error, gone);
  if (isAway(error)) {
    return plain('temporarily_unavailable', error, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
  return fromHttp(error) ?? plain('internal_error', error);
}

/** An empty message = the table's sentence is told. */
const plain = (code: FailureCode, cause: unknown, facts: FailureFacts = {}): Failure =>
  new Failure(code, '', facts, { cause });

// ---- Temporal -------------------------------------------------------------------------------------------------------

const factsSchema = z.object({
  decidedBy: z.string().optional(),
  decidedAt: z.string().optional(),
  decision: z.string().optional(),
  stage: z.string().optional(),
  state: z.string().optional(),
  retryAfterSeconds: z.number().optional(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional(),
});

/** The process ended before it answered; the server's own word for it, not one of ours. */
const ENDED_MEANWHILE = 'AcceptedUpdateCompletedWorkflow';

function fromProcess(error: WorkflowUpdateFailedError, gone: FailureCode): Failure {
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return plain('internal_error', error);
  if (cause.type === ENDED_MEANWHILE) return plain(gone, error);
  if (!isFailureCode(cause.type)) return plain('internal_error', error);
  const facts = factsSchema.safeParse(cause.details?.[0]);
  return new Failure(cause.type, cause.message, facts.success ? facts.data : {}, { cause: error });
}

// ---- what is away ---------------------------------------------------------------------------------------------------

/** gRPC: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const GRPC_AWAY = new Set([4, 8, 14]);
/** Sockets, and PostgreSQL's classes 08 (connection), 53300 (too many) and 57P0x (shutting down, starting). */
const CODES_AWAY =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|08\d{3}|53300|57P0[1-5])$/;
/** pg gives these two no code. */
const MESSAGES_AWAY = /Connection terminated|timeout exceeded when trying to connect/;

function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isGrpcServiceError(error)) return GRPC_AWAY.has(error.code);
  if (error instanceof ServiceError) return isAway(error.cause);
  if (error.name === 'KnexTimeoutError' || error.name === 'TransportError') return true;
  return CODES_AWAY.test(codeOf(error)) || MESSAGES_AWAY.test(error.message);
}

export const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

// ---- Express and its body parsers -----------------------------------------------------------------------------------

const httpError = z.object({ status: z.number().int().min(400).max(499), type: z.string().default('') });

function fromHttp(error: unknown): Failure | undefined {
  const http = httpError.safeParse(error);
  if (!http.success) return undefined;
  switch (http.data.status) {
    case 413:
      return plain('file_too_large', error);
    case 415:
      return plain('unsupported_media_type', error);
    case 404:
      return plain('not_found', error);
    default:
      return plain('malformed_request', error);
  }
}
