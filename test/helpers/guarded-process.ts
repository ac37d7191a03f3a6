import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export interface GuardedProcess {
  readonly pid: number;
  /** Settles when the program has ended, by itself or by a signal. */
  readonly exited: Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** The last of what it has written. */
  log(): Promise<string>;
}

export interface GuardedOptions {
  /** Where the program runs and writes its log. Removed when this process was killed before the program. */
  readonly directory: string;
  /** Servers that refuse to run as root. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/**
 * The shell outlives a test run that is interrupted or killed: the pipe at its descriptor 3 then ends. It ends the program and
 * removes what was left. In a session of its own, so that Ctrl-C does not reach it first.
 */
const guard = `directory=$1; shift
"$@" >>"$directory/log" 2>&1 3<&- & program=$!
echo $program
exec >&-
(read -r never <&3; : >"$directory/abandoned"; kill -INT $program) & watch=$!
wait $program; code=$?
if [ -e "$directory/abandoned" ]; then rm -rf "$directory"; else kill $watch; fi
exit $code`;

/** Starts a program that ends with this process, however that ends. */
export async function spawnGuarded(
  command: string,
  parameters: readonly string[],
  { directory, user }: GuardedOptions,
): Promise<GuardedProcess> {
  const logPath = `${directory}/log`;
  const shell = spawn('sh', ['-c', guard, 'guard', directory, command, ...parameters], {
    cwd: directory,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    ...user,
  });
  const exited = once(shell, 'exit').then(() => {});
  if (!shell.stdout) throw new Error('expected a pipe');
  const [line] = await once(createInterface(shell.stdout), 'line');
  const pid = Number(line);
  return {
    pid,
    exited,
    signal(signal) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended already.
      }
    },
    log: async () => (await readFile(logPath, 'utf8').catch(() => '')).slice(-4_000),
  };
}

/** Whom servers that refuse to run as root run as; undefined where the tests are not root. */
export function unprivilegedUser(): GuardedOptions['user'] {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root: expected a user postgres or nobody');
}
