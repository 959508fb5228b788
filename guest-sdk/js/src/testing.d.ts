import type { Context } from './index.js';

/** A made-up call. */
export interface Call {
  /** What the task gets as its second argument. */
  readonly context: Context;
  /** What it reported so far. */
  readonly reports: { fraction?: number; message?: string; data?: unknown }[];
}

/**
 * Makes up a call for a test:
 *
 * ```ts
 * const { context, reports } = call({ attempt: 3, secrets: { provider: 's3cret' } });
 * assert.equal(charge(amounts, context).charged, 3);
 * ```
 */
export function call(given?: Partial<Omit<Context, 'report' | 'secret'>> & { secrets?: Record<string, string> }): Call;
