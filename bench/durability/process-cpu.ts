import { readFile } from 'node:fs/promises';

/** Of USER_HZ, which Linux gives to programs as 100 on every machine. */
const tickMs = 10;

/** Milliseconds of CPU that a process has used so far, in all its threads (proc(5): utime and stime). */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
