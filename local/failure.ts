/** A start-up that cannot go on, said in one sentence that a person can act on. Shown without a stack; exit code 1. */
export class StartFailure extends Error {
  override name = 'StartFailure';
}

/** True for an Error that carries this system error code, such as `ENOENT` or `EADDRINUSE`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
