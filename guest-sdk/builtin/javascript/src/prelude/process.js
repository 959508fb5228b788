// `process`, the arguments, and the two modules that a script can import: node:fs for its standard streams, node:process.

const modules = {};
{
    const STDOUT = 1, STDERR = 2;
    const text = (chunk) => (typeof chunk === 'string' ? chunk.toWellFormed() : ArrayBuffer.isView(chunk) ? new TextDecoder().decode(chunk) : String(chunk));
    const output = (fd) => ({
        fd,
        isTTY: false,
        writable: true,
        write(chunk, ...rest) {
            host.write(fd, text(chunk));
            const done = rest.find((argument) => typeof argument === 'function');
            if (done) queueMicrotask(() => done());
            return true;
        },
        end(chunk) { if (chunk !== undefined) this.write(chunk); },
        on() { return this; },
        once() { return this; },
    });
    let unread = true;
    const input = {
        fd: 0,
        isTTY: false,
        readable: true,
        setEncoding() { return this; },
        resume() { return this; },
        read() {
            const chunk = unread && script.stdin !== '' ? script.stdin : null;
            unread = false;
            return chunk;
        },
        on(event, callback) {
            if (event === 'data') setImmediate(() => { const chunk = this.read(); if (chunk !== null) callback(chunk); });
            if (event === 'readable') setImmediate(callback);
            if (event === 'end' || event === 'close') setTimeout(callback, 2);
            return this;
        },
        once(event, callback) { return this.on(event, callback); },
        async *[Symbol.asyncIterator]() {
            const chunk = this.read();
            if (chunk !== null) yield chunk;
        },
    };
    const namedArguments = script.arguments !== null && typeof script.arguments === 'object' && !Array.isArray(script.arguments);
    /** Named arguments as options are written for a program: `--name value`, or the name alone for `true`. */
    const optionsOf = (values) => Object.entries(values).flatMap(([name, value]) => {
        if (value === null || value === false) return [];
        const written = name.startsWith('-') ? name : `--${name}`;
        if (value === true) return [written];
        return [written, typeof value === 'string' ? value : JSON.stringify(value)];
    });
    const listed = namedArguments ? optionsOf(script.arguments) : (script.arguments ?? []);
    const process = {
        argv: ['js', script.name, ...listed],
        env: script.environment,
        exitCode: undefined,
        exit(code) { host.exit(Number(code ?? process.exitCode ?? 0) & 255); throw new Error('the script has ended'); },
        stdin: input,
        stdout: output(STDOUT),
        stderr: output(STDERR),
        platform: 'wasi',
        pid: 1,
        cwd: () => '/',
        uptime: () => (Date.now() - started) / 1000,
        nextTick: (callback, ...values) => queueMicrotask(() => callback(...values)),
        hrtime: Object.assign(() => { const now = Date.now(); return [Math.floor(now / 1000), (now % 1000) * 1e6]; }, { bigint: () => BigInt(Date.now()) * 1000000n }),
        on() { return process; },
        once() { return process; },
        off() { return process; },
    };
    const started = Date.now();
    globalThis.process = process;
    globalThis.global = globalThis;

    const refused = (path) => Object.assign(
        new Error(`ENOENT: there are no files in a cell, only the standard streams; ${inspect(path)} is neither stdin, stdout nor stderr`),
        { code: 'ENOENT' },
    );
    const stream = (path) => [0, 1, 2].find((fd) => path === fd || path === ['/dev/stdin', '/dev/stdout', '/dev/stderr'][fd]);
    const fs = {
        readFileSync(path, options) {
            if (stream(path) !== 0) throw refused(path);
            const encoding = typeof options === 'string' ? options : options?.encoding;
            return encoding ? script.stdin : Object.assign(new TextEncoder().encode(script.stdin), { toString: () => script.stdin });
        },
        writeFileSync(path, data) {
            const fd = stream(path);
            if (fd !== STDOUT && fd !== STDERR) throw refused(path);
            host.write(fd, text(data));
        },
        writeSync(fd, data) {
            fs.writeFileSync(fd, data);
            return data.length;
        },
        existsSync: (path) => stream(path) !== undefined,
    };
    fs.appendFileSync = fs.writeFileSync;
    fs.promises = {
        readFile: async (...values) => fs.readFileSync(...values),
        writeFile: async (...values) => fs.writeFileSync(...values),
    };
    Object.assign(modules, { 'node:fs': fs, 'node:fs/promises': fs.promises, 'node:process': process });
    globalThis.require = (name) => {
        const found = modules[name] ?? modules[`node:${name}`];
        if (found) return found;
        throw Object.assign(new Error(`there is no module ${inspect(name)} in a cell; there are ${Object.keys(modules).join(', ')}`), { code: 'MODULE_NOT_FOUND' });
    };

    // As the specification's earlier versions and its reference implementation have it: named arguments are variables, too.
    const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
    define('arguments', script.arguments ?? []);
    if (namedArguments) for (const [name, value] of Object.entries(script.arguments)) define(name, value);
}
