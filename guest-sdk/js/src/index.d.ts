/** What a task can learn of its call, and do while it runs. */
export interface Context {
  /** The name of the task in the definition. */
  readonly task: string;
  /** Where the task stands in the definition: a JSON Pointer, `/do/0/price`. */
  readonly reference: string;
  /** The definition that the task belongs to. */
  readonly workflow: { readonly namespace: string; readonly name: string; readonly version: string };
  /** The id of the execution. */
  readonly execution: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /**
   * The same for every repetition of this very call after a crash of the host, and for no other call: give it to services
   * that accept an idempotency key, so that nothing is done twice.
   */
  readonly idempotencyKey: string;
  /** When the call will be interrupted. */
  readonly deadline: Date;

  /**
   * Tells how far the task has come, which whoever watches sees at once.
   *
   * @param fraction How much is done, from 0 to 1; values outside are clamped. `undefined` if it is not known.
   * @param message What is being done, for people.
   * @param data Anything else, for programs; it has to be JSON.
   */
  report(fraction: number | undefined, message?: string, data?: unknown): void;

  /**
   * The value of a secret that the workflow and the operator grant to this task.
   *
   * @throws {Problem} `kind.authorization`, status 403: it was not granted or does not exist; the two cannot be told apart.
   */
  secret(name: string): string;
}

/** A task: takes the input, and returns the output. Both are JSON. */
export type Task<Input, Output> = (input: Input, context: Context) => Output;

/**
 * Says that a function is the task of its module:
 *
 * ```ts
 * export default task((order: Order, context) => ({ total: order.quantity * order.cents }));
 * ```
 *
 * The function stays a function, so that tests can call it; it may be async. What it throws ends the call with a problem:
 * a `Problem` as it is, anything else with status 500. `console.info` and its relatives write log lines.
 *
 * TypeScript's types are gone when the task runs: check what you do not trust, and throw `Problem.validation`.
 */
export function task<Input, Output>(run: Task<Input, Output>): Task<Input, Output>;

/** The members of problem details besides `detail`, and any others, which the workflow sees beside them. */
export interface ProblemMembers {
  /** A URI reference that identifies the kind of problem: one of `kind`, or your own. Without it, `kind.runtime`. */
  type?: string;
  /** The status that describes the problem best, an HTTP status where there is one. Without it, 500. */
  status?: number;
  /** A short summary that is the same for every problem of the kind. */
  title?: string;
  /** The error that caused it, for whoever reads the log; the workflow does not see it. */
  cause?: unknown;
  [extension: string]: unknown;
}

/**
 * Why a task could not do its work: problem details (RFC 9457). Throw it; the workflow can catch it by any of its members.
 *
 * ```ts
 * throw new Problem('an order needs at least one line', { status: 422, title: 'Order refused', order: order.id });
 * ```
 */
export class Problem extends Error {
  /** @param detail What happened this time, and what to do about it. */
  constructor(detail?: string, members?: ProblemMembers);
  /** A problem of the kind `kind.validation`, status 400. */
  static validation(detail: string, members?: ProblemMembers): Problem;
  readonly type?: string;
  readonly status?: number;
  readonly title?: string;
  /** The members of your own. */
  readonly extensions: Record<string, unknown>;
}

/** The kinds of problems that the specification names. A task may use any other URI reference for kinds of its own. */
export const kind: {
  readonly configuration: string;
  readonly validation: string;
  readonly expression: string;
  readonly authentication: string;
  readonly authorization: string;
  readonly timeout: string;
  readonly communication: string;
  readonly runtime: string;
};

declare global {
  /** What a task writes here are log lines, with their level. Other members of the console are not for tasks. */
  interface Console {
    debug(...values: any[]): void;
    error(...values: any[]): void;
    info(...values: any[]): void;
    log(...values: any[]): void;
    trace(...values: any[]): void;
    warn(...values: any[]): void;
  }
  var console: Console;
}
