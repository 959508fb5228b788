#!/usr/bin/env node
// Makes a component of a task: hotcell-task src/task.ts --output task.wasm

import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const USAGE = `Makes a hotcell task of a module in JavaScript or TypeScript, whose default export is the task.

  hotcell-task [FILE] [--output FILE]     default: src/task.ts, task.wasm`;

const own = (relative) => fileURLToPath(new URL(relative, import.meta.url));

class Refused extends Error {}

/** One module of the task and all that it imports, with what a cell calls around it. */
async function bundle(source, outfile) {
  const { build } = await import('esbuild');
  const wrapper = `
    import * as task from ${JSON.stringify(source)};
    import { handler as handle } from ${JSON.stringify(own('./cell.js'))};
    export const handler = handle(task);
  `;
  await build({
    stdin: { contents: wrapper, resolveDir: path.dirname(source), sourcefile: 'hotcell-task.js' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    mainFields: ['module', 'main'],
    conditions: ['import', 'default'],
    external: ['hotcell:*'],
    logLevel: 'error',
  });
}

async function component(script) {
  const { componentize } = await import('@bytecodealliance/componentize-js');
  // No HTTP: a component that imports it is refused, and fetch would only fail late.
  const options = { sourcePath: script, witPath: own('../wit'), worldName: 'task', disableFeatures: ['http', 'fetch-event'] };
  return (await componentize(options)).component;
}

export async function make(source, output) {
  const work = await mkdtemp(path.join(tmpdir(), 'hotcell-task-'));
  try {
    const script = path.join(work, 'task.js');
    await bundle(path.resolve(source), script);
    const bytes = await component(script);
    await mkdir(path.dirname(path.resolve(output)), { recursive: true });
    // Beside its place first: whoever reads it meanwhile reads a whole one.
    await writeFile(`${output}.new`, bytes);
    await rename(`${output}.new`, output);
    return bytes.length;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function main() {
  let given;
  try {
    given = parseArgs({
      allowPositionals: true,
      options: { output: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new Refused(`${error.message}\n\n${USAGE}`);
  }
  if (given.values.help) return console.log(USAGE);
  if (given.positionals.length > 1) throw new Refused(`one module is one task\n\n${USAGE}`);
  const source = given.positionals[0] ?? 'src/task.ts';
  const output = given.values.output ?? 'task.wasm';
  const size = await make(source, output);
  console.error(`${output}: ${(size / (1 << 20)).toFixed(1)} MiB, from ${source}`);
}

main().catch((error) => {
  // esbuild has told its errors, with the line, already.
  if (!Array.isArray(error.errors)) console.error(`hotcell-task: ${error instanceof Refused ? error.message : (error.stack ?? error)}`);
  process.exitCode = 1;
});
