// Timers. The interpreter asks when the next one is due, sleeps until then, and fires it.

const timers = new Map();
{
    let last = 0;
    const set = (callback, delay, values, repeat) => {
        if (typeof callback !== 'function') throw new TypeError(`a timer takes a function, not ${inspect(callback)}`);
        const wait = Math.min(Math.max(Number(delay) || 0, 1), 2 ** 31 - 1);
        timers.set(++last, { at: Date.now() + wait, callback, values, repeat: repeat ? wait : undefined });
        return last;
    };
    const clear = (timer) => { timers.delete(timer); };
    globalThis.setTimeout = (callback, delay, ...values) => set(callback, delay, values, false);
    globalThis.setInterval = (callback, delay, ...values) => set(callback, delay, values, true);
    globalThis.setImmediate = (callback, ...values) => set(callback, 0, values, false);
    globalThis.clearTimeout = globalThis.clearInterval = globalThis.clearImmediate = clear;
    globalThis.queueMicrotask ??= (callback) => { Promise.resolve().then(callback); };
}

const nextTimer = () => {
    let next;
    for (const entry of timers) if (next === undefined || entry[1].at < next[1].at) next = entry;
    return next;
};
/** Milliseconds until the next timer; undefined without one. */
const delay = () => {
    const next = nextTimer();
    return next && Math.max(next[1].at - Date.now(), 0);
};
const fire = () => {
    const [id, timer] = nextTimer();
    if (timer.repeat === undefined) timers.delete(id);
    else timer.at = Date.now() + timer.repeat;
    timer.callback(...timer.values);
};
