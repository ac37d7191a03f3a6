/** What V8's profiler writes. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds, without the time that the thread was idle. */
export interface Times {
  readonly total: number;
  /** By package, or by folder of ours. */
  readonly places: ReadonlyMap<string, number>;
  readonly functions: ReadonlyMap<string, number>;
  /** Of our own functions: what they took with all that they called. */
  readonly under: ReadonlyMap<string, number>;
}

export function timesOf({ nodes, samples, timeDeltas }: Profile): Times {
  const self = new Map<number, number>();
  for (const [index, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  const places = new Map<string, number>();
  const functions = new Map<string, number>();
  const under = new Map<string, number>();
  const add = (sums: Map<string, number>, key: string, us: number) => sums.set(key, (sums.get(key) ?? 0) + us);
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let total = 0;
  for (const { id, callFrame } of nodes) {
    const us = self.get(id) ?? 0;
    if (us === 0 || callFrame.functionName === '(idle)') continue;
    total += us;
    add(places, placeOf(callFrame), us);
    add(functions, `${callFrame.functionName || '(anonymous)'} ${fileOf(callFrame)}`, us);
    const seen = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = byId.get(at)?.callFrame;
      if (frame === undefined) continue;
      const name = `${frame.functionName || '(anonymous)'} ${fileOf(frame)}`;
      if (!seen.has(name)) add(under, name, us);
      seen.add(name);
    }
  }
  return { total, places, functions, under };
}

type Frame = Profile['nodes'][number]['callFrame'];

function fileOf({ url, lineNumber }: Frame): string {
  return url === '' ? '' : `${shortened(url)}:${lineNumber + 1}`;
}

function placeOf({ url, functionName }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return url.split('/').slice(0, 3).join('/');
  const path = shortened(url);
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path);
  return inPackage?.[1] ?? path.split('/').slice(0, 3).join('/');
}

const root = new URL('../../', import.meta.url).href;
const shortened = (url: string): string => url.replace(root, '').replace('node_modules/', 'node_modules/');
