// What becomes of errors that nobody caught.

const report = (error) => {
    const text = error instanceof Error ? `Uncaught ${told(error)}` : `Uncaught ${inspect(error)}`;
    host.write(2, `${text}\n`.toWellFormed());
};
const outOfMemory = (error) => error instanceof InternalError && error.message === 'out of memory';
const exitCode = () => {
    const code = globalThis.process?.exitCode;
    return code === undefined || code === null ? undefined : Number(code) & 255;
};

return { delay, fire, report, outOfMemory, exitCode, modules };
