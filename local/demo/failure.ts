/** The story cannot go on, for a reason that a person can act on. Shown without a stack; exit code 1. */
export class DemoFailure extends Error {
  override name = 'DemoFailure';
}
