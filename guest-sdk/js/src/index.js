// What tasks import. Nothing here knows of cells, so that tests run in Node.

export { Problem, kind } from './problem.js';

/** Says that a function is the task of its module, and gives it its types. See index.d.ts. */
export function task(run) {
  if (typeof run !== 'function') throw new TypeError('task() takes a function: task((input, context) => output)');
  return run;
}
