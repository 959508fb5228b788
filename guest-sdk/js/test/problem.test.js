import assert from 'node:assert/strict';
import test from 'node:test';

import { Problem, kind, task } from '../src/index.js';
import { redirect } from '../src/console.js';
import { toContract } from '../src/problem.js';
import { call } from '../src/testing.js';

test('a problem keeps its members, and those of its author beside them', () => {
  const problem = new Problem('no stock left', { type: 'urn:stock', status: 409, title: 'Refused', order: 'O-1' });
  assert.deepEqual(toContract(problem), {
    kind: 'urn:stock',
    status: 409,
    title: 'Refused',
    detail: 'no stock left',
    extensions: '{"order":"O-1"}',
  });
});

test('any error becomes a problem that tells its causes', () => {
  const error = new Error('the quantity cannot be read', { cause: new SyntaxError('not a number') });
  assert.deepEqual(toContract(error), { detail: 'the quantity cannot be read: not a number' });
  assert.deepEqual(toContract('just a text'), { detail: 'just a text' });
});

test('causes that run in a circle end', () => {
  const error = new Error('round');
  error.cause = error;
  assert.deepEqual(toContract(error), { detail: 'round' });
});

test('a status that is none, and members that are no JSON, do not fail the problem', () => {
  const { status, extensions } = toContract(new Problem('no', { status: 'teapot', big: 1n }));
  assert.equal(status, undefined);
  assert.match(extensions, /cannot be told in JSON/);
});

test('a task stays a function, and a test decides what it finds', () => {
  const charge = task((amount, context) => {
    context.report(0.5, 'half of it');
    return { amount, attempt: context.attempt, key: context.secret('provider') };
  });
  const { context, reports } = call({ attempt: 3, secrets: { provider: 's3cret' } });
  assert.deepEqual(charge(7, context), { amount: 7, attempt: 3, key: 's3cret' });
  assert.deepEqual(reports, [{ fraction: 0.5, message: 'half of it', data: undefined }]);
  assert.throws(() => context.secret('other'), { type: kind.authorization, status: 403 });
});

test('the console writes log lines with their level', () => {
  const lines = [];
  const console = {};
  redirect(console, (...line) => lines.push(line));
  console.log('two', { pieces: 2 });
  console.warn(undefined, 1n);
  assert.deepEqual(lines, [
    ['info', 'two {"pieces":2}'],
    ['warn', 'undefined 1'],
  ]);
});
