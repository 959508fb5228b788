// A made-up call for tests, which run in Node. See testing.d.ts.

import { Problem, kind } from './problem.js';

export function call({ secrets = {}, ...given } = {}) {
  const reports = [];
  const context = {
    task: 'test',
    reference: '/do/0/test',
    workflow: { namespace: 'test', name: 'test', version: '0.0.0' },
    execution: 'test',
    attempt: 1,
    idempotencyKey: 'test',
    deadline: new Date(Date.now() + 60_000),
    ...given,
    report: (fraction, message, data) => void reports.push({ fraction, message, data }),
    secret(name) {
      if (Object.hasOwn(secrets, name)) return secrets[name];
      const detail = `the secret "${name}" is not granted to this task`;
      throw new Problem(detail, { type: kind.authorization, status: 403, title: 'Secret not granted' });
    },
  };
  return { context, reports };
}
