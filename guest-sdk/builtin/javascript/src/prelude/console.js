// `console`: what is said goes to stdout, what is complained about to stderr.

{
    const STDOUT = 1, STDERR = 2;
    let indentation = '';
    const times = new Map(), counts = new Map();
    const writer = (stream) => (...values) => {
        const text = values.length === 0 ? '' : format(...values);
        host.write(stream, (indentation ? indentation + text.replaceAll('\n', `\n${indentation}`) : text).toWellFormed() + '\n');
    };
    const out = writer(STDOUT), err = writer(STDERR);
    const since = (label) => `${label}: ${(Date.now() - (times.get(label) ?? Date.now())).toFixed(0)}ms`;
    globalThis.console = {
        log: out, info: out, debug: out, error: err, warn: err,
        trace: (...values) => err(`Trace: ${values.length ? format(...values) : ''}\n${new Error().stack.trimEnd()}`),
        dir: (value) => out(inspect(value)),
        table: (value) => out(inspect(value)),
        assert: (holds, ...values) => { if (!holds) err(values.length ? `Assertion failed: ${format(...values)}` : 'Assertion failed'); },
        count: (label = 'default') => { counts.set(label, (counts.get(label) ?? 0) + 1); out(`${label}: ${counts.get(label)}`); },
        countReset: (label = 'default') => { counts.delete(label); },
        group: (...values) => { if (values.length) out(...values); indentation += '  '; },
        groupEnd: () => { indentation = indentation.slice(2); },
        time: (label = 'default') => { times.set(label, Date.now()); },
        timeLog: (label = 'default') => out(since(label)),
        timeEnd: (label = 'default') => { out(since(label)); times.delete(label); },
    };
}
