import type { RunKey } from '../../core/contracts/event-log.ts';

/** So many hash tags: on a cluster a blocking read reaches one tag only, so an instance has at most so many of them. */
export const shardCount = 16;

/** The length keeps ("a:b", "c") and ("a", "b:c") apart. */
export function nameOf({ tenant, runId }: RunKey): string {
  return `${tenant.length}:${tenant}:${runId}`;
}

/** FNV-1a: every instance must come to the same shard, whatever its version. */
export function shardOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % shardCount;
}

/** `sluice:{s7}:log:6:tenant:run`: what belongs together has one tag, and so lies on one node of a cluster. */
export class RedisKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    if (/[{}]/.test(prefix)) throw new Error(`keyPrefix: expected no braces, which mark hash tags, got ${prefix}`);
    this.#prefix = prefix;
  }

  /** A key of what has this name. */
  of(kind: string, name: string): string {
    return this.inShard(shardOf(name), kind, name);
  }

  inShard(shard: number, kind: string, name: string): string {
    return `${this.#prefix}{s${shard}}:${kind}:${name}`;
  }

  /** Of what is no key: a channel of publish and subscribe. */
  channel(kind: string): string {
    return `${this.#prefix}${kind}`;
  }
}
