/** What the bench orders from its opener. */
export interface Openings {
  readonly model: Model;
  /** Applications that shall each have a process like the model's. */
  readonly ids: readonly string[];
  readonly workflowBundle: string;
}

/** A process that is at rest, as its history tells. */
export interface Model {
  /** Of its application. */
  readonly id: string;
  readonly workflowId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly args: readonly unknown[];
  /** What its activities answered, by their names. */
  readonly answers: Readonly<Record<string, unknown>>;
  /** How many of them it asked in all. */
  readonly asked: number;
}
