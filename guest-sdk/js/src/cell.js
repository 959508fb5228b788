// Performs a task in a cell: between the contract (wit/task.wit) and the function that the module exports by default.
// build.js wraps every task in a module that imports this.

import * as imports from 'hotcell:task/context@1.0.0';
import { redirect } from './console.js';
import { Problem, told, toContract } from './problem.js';

/** What the cell exports: `handler` of the contract. */
export function handler(module) {
  return {
    async run(input) {
      redirect(globalThis.console, imports.log);
      try {
        return output(await task(module)(JSON.parse(input), context()));
      } catch (thrown) {
        // What SpiderMonkey throws when it gets no more memory.
        if (thrown === 'out of memory') throw toContract(outOfMemory());
        // A problem is the answer. Anything else may be a mistake of the task: where it happened helps.
        if (!(thrown instanceof Problem) && thrown?.stack) imports.log('debug', `${told(thrown)}\n${thrown.stack}`);
        // What is thrown becomes the error of the contract's `result`.
        throw toContract(thrown);
      }
    },
  };
}

function outOfMemory() {
  return new Problem('the task needs more memory than a call may use; give it less data at once', { title: 'Memory limit' });
}

function task(module) {
  if (typeof module.default === 'function') return module.default;
  throw new Problem('the module has no task; write `export default task((input, context) => output)`', {
    title: 'No task',
  });
}

function output(value) {
  let json;
  try {
    json = JSON.stringify(value === undefined ? null : value);
  } catch (error) {
    throw new Problem(`the task's output cannot be told in JSON: ${told(error)}`, { title: 'The output is not JSON' });
  }
  if (json === undefined) {
    throw new Problem(`the task's output is a ${typeof value}, which JSON does not have`, {
      title: 'The output is not JSON',
    });
  }
  return json;
}

function context() {
  const { deadline, ...call } = imports.current();
  return {
    ...call,
    deadline: new Date(Number(deadline)),
    report(fraction, message, data) {
      imports.report(
        typeof fraction === 'number' ? fraction : undefined,
        message === undefined || message === null ? undefined : String(message),
        data === undefined ? undefined : JSON.stringify(data),
      );
    },
    secret(name) {
      try {
        return imports.secret(String(name));
      } catch (error) {
        if (error?.payload === undefined) throw error;
        throw fromContract(error.payload);
      }
    },
  };
}

/** A problem that hotcell tells. */
function fromContract({ kind, status, title, detail, extensions }) {
  return new Problem(detail, { ...(extensions ? JSON.parse(extensions) : {}), type: kind, status, title });
}
