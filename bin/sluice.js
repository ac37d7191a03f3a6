#!/usr/bin/env node
// Runs server/cli/main.ts. Plain JavaScript, because the machine's Node may be too old to run TypeScript: then the
// project's own Node (the npm package `node`) runs this same file again.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);

/*
 * What bounds the memory of a gateway, and can be said at a process's start only. Of the heap for new objects twice 16 MB: on a machine
 * with much memory V8 lets it grow to twice 64. Of glibc's arenas two: it would make one for each thread, and each keeps what was freed
 * in it.
 */
const newHeap = '--max-semi-space-size';
const gatewayFlags = [`${newHeap}=16`];
const gatewayEnvironment = { MALLOC_ARENA_MAX: '2' };

if (major > 22 || (major === 22 && minor >= 18)) {
  if (process.argv[2] === 'start') boundMemory();
  // Hundreds of files of TypeScript: what Node made of them is kept for the next start, where the tree may be written.
  const compiled = join(import.meta.dirname, '../node_modules/.cache/sluice');
  const { directory } = nodeModule.enableCompileCache(compiled);
  // Threads and child programs look for it there. One that finds nothing loads a compiler of its own, which takes 18 MB.
  // biome-ignore lint/style/noProcessEnv: this file is the process's entry, a part of server/.
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= compiled;
  const { main } = await import('../server/cli/main.ts');
  process.exitCode = await main(process.argv.slice(2), process);
} else {
  const node = ownNode();
  // biome-ignore lint/style/noProcessEnv: this file is the process's entry, a part of server/.
  if (node === null || process.env.SLUICE_REEXECUTED) {
    process.stderr.write(
      `sluice: needs Node 22.18 or newer, this is ${process.versions.node}: install one, or run \`npm install\` in the project\n`,
    );
    process.exitCode = 1;
  } else {
    runWith(node);
  }
}

/** The same process begins again, within the bounds, unless it has them. Windows has no such call, and none of the bounds. */
function boundMemory() {
  const flags = missingFlags();
  if (process.platform === 'win32' || flags.length === 0) return;
  const line = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)];
  // biome-ignore lint/style/noProcessEnv: this file is the process's entry, a part of server/.
  process.execve(process.execPath, line, { ...gatewayEnvironment, ...process.env });
}

/** None where the operator has set the bound. */
function missingFlags() {
  // biome-ignore lint/style/noProcessEnv: this file is the process's entry, a part of server/.
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''];
  return given.some((flags) => flags.includes(newHeap)) ? [] : gatewayFlags;
}

/** @returns {string | null} the Node that the project brings, null when it is not installed */
function ownNode() {
  try {
    const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
    return existsSync(node) ? node : null;
  } catch {
    return null;
  }
}

/** @param {string} node */
function runWith(node) {
  const flags = process.argv[2] === 'start' ? missingFlags() : [];
  const child = spawn(node, [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    // Guards against a package `node` that is itself too old: it would start itself for ever.
    // biome-ignore lint/style/noProcessEnv: this file is the process's entry, a part of server/.
    env: { ...gatewayEnvironment, ...process.env, SLUICE_REEXECUTED: '1' },
  });

  // A terminal sends Ctrl-C to both processes; forwarding it as well would count as a second Ctrl-C.
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => {
    if (!atTerminal) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));

  child.on('error', (error) => {
    process.stderr.write(`sluice: cannot run ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
