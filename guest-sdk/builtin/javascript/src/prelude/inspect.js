// How values look in `console.log`: close to what Node.js shows.

const simple = /^[A-Za-z_$][\w$]*$/;
const quoted = (text) => {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'";
    const escapes = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\v': '\\v' };
    const inner = text.replace(/[\x00-\x1f\x7f\\]/g, (c) => escapes[c] ?? `\\x${c.charCodeAt().toString(16).padStart(2, '0').toUpperCase()}`);
    return mark + (mark === "'" ? inner.replaceAll("'", "\\'") : inner) + mark;
};

/** An error with its stack, which in QuickJS does not repeat the message. */
const told = (error) => {
    const title = `${error.name ?? 'Error'}${error.message ? `: ${error.message}` : ''}`;
    const stack = typeof error.stack === 'string' ? error.stack.trimEnd() : '';
    const cause = error.cause === undefined ? '' : `\n  [cause]: ${inspect(error.cause)}`;
    return (stack && !stack.startsWith(title) ? `${title}\n${stack}` : stack || title) + cause;
};

const MOST_ITEMS = 100;

const inspect = (value, depth = 2, around = []) => {
    switch (typeof value) {
        case 'string': return quoted(value);
        case 'bigint': return `${value}n`;
        case 'symbol': return value.toString();
        case 'number': return Object.is(value, -0) ? '-0' : String(value);
        case 'function': {
            const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'Function';
            return kind === 'class' ? `[class ${value.name || '(anonymous)'}]` : `[Function${value.name ? `: ${value.name}` : ' (anonymous)'}]`;
        }
        case 'object': break;
        default: return String(value);
    }
    if (value === null) return 'null';
    if (around.includes(value)) return '[Circular]';
    if (value instanceof Error) return around.length ? `[${told(value)}]` : told(value);
    if (value instanceof RegExp) return String(value);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof Number || value instanceof String || value instanceof Boolean) return `[${value.constructor.name}: ${inspect(value.valueOf())}]`;
    if (value instanceof Promise) return 'Promise {}';
    if (value instanceof WeakMap || value instanceof WeakSet) return `${value.constructor.name} { <items unknown> }`;

    const constructor = Object.getPrototypeOf(value) === null ? '[Object: null prototype]' : value.constructor?.name ?? 'Object';
    const list = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    if (depth < 0) return list ? `[${constructor}]` : `[${constructor}]`;
    const inner = (item) => inspect(item, depth - 1, [...around, value]);

    let open = '{', close = '}', parts = [], name = '';
    let keys = Object.keys(value);
    if (list) {
        [open, close] = ['[', ']'];
        if (constructor !== 'Array') name = `${constructor}(${value.length}) `;
        const shown = Math.min(value.length, MOST_ITEMS);
        for (let at = 0; at < shown; at++) parts.push(at in value ? inner(value[at]) : '<empty>');
        if (value.length > shown) parts.push(`... ${value.length - shown} more`);
        keys = Array.isArray(value) ? keys.filter((key) => !/^\d+$/.test(key)) : [];
    } else if (value instanceof Map) {
        name = `Map(${value.size}) `;
        for (const [key, item] of value) parts.push(`${inner(key)} => ${inner(item)}`);
    } else if (value instanceof Set) {
        name = `Set(${value.size}) `;
        for (const item of value) parts.push(inner(item));
    } else if (value instanceof ArrayBuffer) {
        name = `ArrayBuffer(${value.byteLength}) `;
    } else if (constructor !== 'Object') {
        name = `${constructor} `;
    }
    for (const key of keys) {
        const { get, set } = Object.getOwnPropertyDescriptor(value, key);
        const shown = get ? (set ? '[Getter/Setter]' : '[Getter]') : set ? '[Setter]' : inner(value[key]);
        parts.push(`${simple.test(key) ? key : quoted(key)}: ${shown}`);
    }
    for (const key of Object.getOwnPropertySymbols(value)) {
        if (Object.prototype.propertyIsEnumerable.call(value, key)) parts.push(`[${key.toString()}]: ${inner(value[key])}`);
    }
    if (parts.length === 0) return `${name}${open}${close}`;
    const length = parts.reduce((sum, part) => sum + part.length + 2, name.length);
    if (length <= 76 && !parts.some((part) => part.includes('\n'))) return `${name}${open} ${parts.join(', ')} ${close}`;
    return `${name}${open}\n${parts.map((part) => `  ${part.replaceAll('\n', '\n  ')}`).join(',\n')}\n${close}`;
};

/** The arguments of `console.log` as one text: `%s` and its like first, the rest with blanks between. */
const format = (first, ...rest) => {
    let text = typeof first === 'string' ? first : inspect(first);
    if (typeof first === 'string' && rest.length > 0) {
        text = first.replace(/%[sdifjoOc%]/g, (mark) => {
            if (mark === '%%') return '%';
            if (rest.length === 0) return mark;
            const value = rest.shift();
            switch (mark) {
                case '%s': return typeof value === 'string' ? value : typeof value === 'object' ? inspect(value, 0) : inspect(value);
                case '%d': return typeof value === 'bigint' ? `${value}n` : String(Number(value));
                case '%i': return typeof value === 'bigint' ? `${value}n` : String(Number.parseInt(value));
                case '%f': return String(Number.parseFloat(value));
                case '%j': return JSON.stringify(value);
                case '%c': return '';
                default: return inspect(value);
            }
        });
    }
    return [text, ...rest.map((value) => (typeof value === 'string' ? value : inspect(value)))].join(' ');
};
