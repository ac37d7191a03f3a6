import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Which process, so exactly that a later one with the same pid (a restarted container) is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** The running kernel and pid namespace; null where the system does not tell. Pids compare only within one. */
  readonly namespace: string | null;
  /** When the process began, in the kernel's own clock; null where the system does not tell. */
  readonly start: string | null;
}

export function thisProcess(): ProcessIdentity {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const pids = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return {
    pid: process.pid,
    host: hostname(),
    namespace: boot && pids ? `${boot} ${pids}` : null,
    start: startOf(process.pid),
  };
}

/** Null: it ran where this process cannot look. */
export function isAlive(other: ProcessIdentity): boolean | null {
  const here = thisProcess();
  if (other.host !== here.host || other.namespace !== here.namespace) return null;
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    // EPERM: alive, and another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return other.start === startOf(other.pid);
}

function startOf(pid: number): string | null {
  // Field 22 of proc(5); the name in field 2 may hold spaces and parentheses, so count from its end.
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
