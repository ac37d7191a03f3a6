import { randomUUID } from 'node:crypto';
import type { Begun } from '../../runs/begun.ts';

/**
 * The ids of a run's tool calls. Models' own, as far as these tell the calls apart: some servers begin anew with `call_0` in every
 * reply, and a generation that broke off has left calls in the log that must not be gone on with.
 */
export class CallIds {
  readonly #taken: Set<string>;

  constructor({ toolCalls }: Pick<Begun, 'toolCalls'>) {
    this.#taken = new Set(toolCalls.keys());
  }

  /** One that no other call of the run has, of at most 100 characters. */
  take(sent: string): string {
    const wanted = /^[\w.:-]{1,90}$/.test(sent) ? sent : `call_${randomUUID()}`;
    let id = wanted;
    for (let count = 2; this.#taken.has(id); count += 1) id = `${wanted}-${count}`;
    this.#taken.add(id);
    return id;
  }
}
