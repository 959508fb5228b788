// Why a task could not do its work: problem details (RFC 9457).

const specification = (name) => `https://open-workflow-specification.org/spec/1.0.0/errors/${name}`;

/** The kinds of problems that the specification names. */
export const kind = Object.freeze({
  configuration: specification('configuration'),
  validation: specification('validation'),
  expression: specification('expression'),
  authentication: specification('authentication'),
  authorization: specification('authorization'),
  timeout: specification('timeout'),
  communication: specification('communication'),
  runtime: specification('runtime'),
});

/** Thrown by a task that cannot do its work. See index.d.ts. */
export class Problem extends Error {
  constructor(detail, { type, status, title, cause, ...extensions } = {}) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'Problem';
    this.type = type;
    this.status = status;
    this.title = title;
    this.extensions = extensions;
  }

  /** The data does not fit: status 400. */
  static validation(detail, more = {}) {
    return new Problem(detail, { type: kind.validation, status: 400, ...more });
  }
}

// Some errors name themselves as their cause; what runs in a circle must end.
const CAUSES_TOLD = 16;

/** What an error says, and what the errors that caused it say. */
export function told(error) {
  let text = error instanceof Error ? error.message || error.name : String(error);
  for (let cause = error?.cause, n = 0; cause !== undefined && n < CAUSES_TOLD; cause = cause?.cause, n++) {
    const more = cause instanceof Error ? cause.message : String(cause);
    if (!text.includes(more)) text += `: ${more}`;
  }
  return text;
}

/** A problem as the contract has it (`problem` in wit/task.wit), from whatever was thrown. */
export function toContract(thrown) {
  if (!(thrown instanceof Problem)) return { detail: told(thrown) };
  const { type, status, title, message, extensions } = thrown;
  const fits = Number.isInteger(status) && status >= 0 && status < 1 << 16;
  return {
    kind: text(type),
    status: fits ? status : undefined,
    title: text(title),
    detail: message === '' ? undefined : message,
    extensions: Object.keys(extensions).length === 0 ? undefined : json(extensions),
  };
}

const text = (value) => (value === undefined || value === null ? undefined : String(value));

function json(extensions) {
  try {
    return JSON.stringify(extensions);
  } catch (error) {
    return JSON.stringify({ extensions: `these members cannot be told in JSON: ${told(error)}` });
  }
}
