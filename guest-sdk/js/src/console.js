// console.info and its relatives become log lines with their level.

const LEVELS = { trace: 'trace', debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' };

/** Makes a console log through `log(level, message)`. */
export function redirect(console, log) {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...values) => log(level, values.map(readable).join(' '));
  }
}

function readable(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
