import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../bin/sluice.js', import.meta.url));

export interface SluiceOptions {
  /** Added to the environment of the tests; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to stdin, which is then closed; without it stdin is empty. */
  readonly input?: string;
  readonly node?: string;
  readonly cwd?: string;
}

export interface SluiceResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a person starts it: bin/sluice.js in a process of its own. */
export class SluiceProcess implements AsyncDisposable {
  readonly #child;
  readonly #closed: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], { env, input, node, cwd }: SluiceOptions = {}) {
    const { SLUICE_URL: _url, SLUICE_API_KEY: _key, LOG_LEVEL: _level, ...inherited } = process.env;
    this.#child = spawn(node ?? process.execPath, [script, ...args], {
      env: { ...inherited, NO_COLOR: '1', ...env },
      cwd,
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    // A command that fails early closes its stdin before it is written.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdin.end(input ?? '');
  }

  /** Resolves as soon as stdout or stderr holds the text, to all there is by then; rejects when the command ends without it. */
  async printed(text: string): Promise<string> {
    const ended = this.#closed.then(() => true);
    while (!this.#stdout.includes(text) && !this.#stderr.includes(text)) {
      const more = Promise.race([once(this.#child.stdout, 'data'), once(this.#child.stderr, 'data')]);
      if (await Promise.race([ended, more.then(() => false)])) {
        throw new Error(`sluice ended without printing ${JSON.stringify(text)}:\n${this.#stdout}${this.#stderr}`);
      }
    }
    return this.#stdout + this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<SluiceResult> {
    await this.#closed;
    const { exitCode: code, signalCode: signal } = this.#child;
    return { code, signal, stdout: this.#stdout, stderr: this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

export async function runSluice(args: readonly string[], options: SluiceOptions = {}): Promise<SluiceResult> {
  await using sluice = new SluiceProcess(args, options);
  return await sluice.ended();
}
