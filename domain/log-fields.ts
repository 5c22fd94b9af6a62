/**
 * What may stand in a log line, by name. Logs are read by more people, and kept in more places, than the records: a field
 * that nobody has thought about is worth less than the promise that nobody's name, number or password is among them.
 */
const LOGGABLE = new Set(
  [
    // the process
    'pid hostname service signal state host port channel part graceSeconds',
    // a request
    'requestId method pattern status ms cutOff userId sessionId keyId',
    // what it is about: IDs and codes
    'applicationId companyId invoiceId paymentId licenseId letterId subject type code event template gateway reference',
    // what a browser reports of a content security policy
    'directive disposition blocked document source',
    // amounts of work
    'count done remaining total batch attempt durationMs',
    // Temporal's own
    'sdkComponent namespace taskQueue workflowId runId workflowType updateId updateName activityId activityType isLocal',
    'buildId identity target timerId seq',
    // errors; what is in them is `errorFields`'s to choose
    'err error cause errors',
  ].flatMap((line) => line.split(' ')),
);

export const REDACTED = '[redacted]';
const MAX_DEPTH = 5;

/** The fields of a log line as they may be written: at any depth, what is not named above becomes `[redacted]`. */
export function loggableFields(fields: object, depth = 0): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    written[name] = LOGGABLE.has(name) ? loggableValue(value, depth) : value === undefined ? undefined : REDACTED;
  }
  return written;
}

function loggableValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? REDACTED : value;
  if (value instanceof Error || isErrorFields(value)) return errorFields(value);
  if (value instanceof Date) return value;
  if (depth >= MAX_DEPTH || ArrayBuffer.isView(value)) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => loggableValue(item, depth + 1));
  return loggableFields(value, depth + 1);
}

// ---- errors ---------------------------------------------------------------------------------------------------------

/** Made here and nowhere else: an object that merely looks like one is gone through by name. */
const ERROR_FIELDS: unique symbol = Symbol('error fields');

export interface ErrorFields {
  readonly type: string;
  readonly code?: string | undefined;
  readonly constraint?: string | undefined;
  /** Only of errors whose sentences are written without anybody's data. */
  readonly message?: string | undefined;
  /** Where it came from: the frames, without the message that a stack begins with. */
  readonly stack?: string | undefined;
  readonly cause?: ErrorFields | undefined;
  readonly errors?: readonly ErrorFields[] | undefined;
  readonly [ERROR_FIELDS]: true;
}

const isErrorFields = (value: object): value is ErrorFields => ERROR_FIELDS in value;

/**
 * Errors whose messages say nothing of people: refusals, which Alur writes itself, and those of Temporal's that are the
 * same sentence each time. All others are withheld, for there is no telling: PostgreSQL quotes the row, a mail server the
 * address, JSON.parse what it could not read, and an Error of ours may pass on any of them. Code and frames say where.
 */
const SPOKEN = new Set([
  'Failure',
  'ConfigError',
  'ActivityFailure',
  'ChildWorkflowFailure',
  'TimeoutFailure',
  'CancelledFailure',
  'TerminatedFailure',
  'ServiceError',
  'TransportError',
  'WorkflowNotFoundError',
  'WorkflowExecutionAlreadyStartedError',
  'WorkflowUpdateRPCTimeoutOrCancelledError',
  'DeterminismViolationError',
]);

/** What may be logged of whatever was thrown. */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (typeof error === 'object' && error !== null && isErrorFields(error)) return error;
  if (!(error instanceof Error)) return { type: typeof error, [ERROR_FIELDS]: true };
  const inner = error instanceof AggregateError ? error.errors.slice(0, 5) : [];
  return {
    type: error.name,
    code: 'code' in error ? codeText(error.code) : undefined,
    constraint: 'constraint' in error ? codeText(error.constraint) : undefined,
    message: SPOKEN.has(error.name) ? error.message : undefined,
    stack: framesOf(error.stack),
    cause: error.cause === undefined || depth >= MAX_DEPTH ? undefined : errorFields(error.cause, depth + 1),
    errors: inner.length === 0 || depth >= MAX_DEPTH ? undefined : inner.map((one) => errorFields(one, depth + 1)),
    [ERROR_FIELDS]: true,
  };
}

/** `23505`, `ECONNREFUSED`, `users_email`: one word, or a number such as gRPC's. */
function codeText(code: unknown): string | undefined {
  if (typeof code === 'number') return String(code);
  return typeof code === 'string' && /^\w{1,63}$/.test(code) ? code : undefined;
}

const framesOf = (stack = ''): string =>
  stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .join('\n');

// ---- the logger -----------------------------------------------------------------------------------------------------

const same = (value: unknown): unknown => value;

/** Options of pino that hold every line to the above; both processes make their loggers with them. */
export const LOG_RULES = {
  formatters: { log: (fields: object) => loggableFields(fields) },
  // The error is chosen from already; pino's own serializer would name it after its class, and that is Object.
  serializers: { err: same },
  onChild: () => {
    throw new TypeError(
      'the fields of a child logger would pass by the list of what may be logged; put them into each line',
    );
  },
  hooks: {
    /** A line is fields and a sentence. Without one pino would take the error's message, and `%s` would let values in. */
    logMethod(this: unknown, given: unknown[], log: (...written: [object, string]) => void) {
      const [fields, sentence] = typeof given[0] === 'object' ? given : [{}, given[0]];
      log.call(this, fields instanceof Error ? { err: fields } : (fields ?? {}), String(sentence ?? 'no message'));
    },
  },
};
