import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

/**
 * Kills the child when this process ends before it is disposed of: by an error, by Ctrl-C, or by the signal of whoever thought that it
 * took too long. (Nothing can be done about SIGKILL; servers that must not outlive even that are in guarded-process.ts.)
 */
export function endWithUs<T extends ChildProcess>(child: T): T {
  if (children.size === 0) listen();
  children.add(child);
  child.once('exit', () => {
    children.delete(child);
    if (children.size === 0) unlisten();
  });
  return child;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function listen(): void {
  process.on('exit', killAll);
  for (const signal of signals) process.on(signal, endBy);
}

function unlisten(): void {
  process.off('exit', killAll);
  for (const signal of signals) process.off(signal, endBy);
}

function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** As the signal would have ended us without a listener. */
function endBy(signal: NodeJS.Signals): void {
  killAll();
  unlisten();
  process.kill(process.pid, signal);
}
