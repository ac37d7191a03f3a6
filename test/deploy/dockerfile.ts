/** What a Dockerfile says, as far as this project's says it: an instruction or flag that is not known here is a fault. */
export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly type: 'workdir'; readonly path: string }
  | { readonly type: 'run'; readonly command: string }
  | {
      readonly type: 'copy';
      readonly from: string | null;
      readonly sources: readonly string[];
      readonly target: string;
    };

export interface ImageSettings {
  readonly environment: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly workdir: string;
  readonly port: number;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

export interface Dockerfile {
  readonly stages: readonly Stage[];
  /** Of the last stage. */
  readonly settings: ImageSettings;
}

interface Draft {
  name: string;
  image: string;
  steps: Step[];
  values: Map<string, string>;
}

export function parseDockerfile(text: string): Dockerfile {
  const stages: Draft[] = [];
  for (const [instruction, rest] of instructions(text)) {
    if (instruction === 'FROM') {
      const [, image = '', name = `${stages.length}`] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ name, image, steps: [], values: new Map() });
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`expected FROM before ${instruction}`);
    stage.values.set(instruction, rest);
    const step = stepOf(instruction, rest);
    if (step) stage.steps.push(step);
  }
  const last = stages.at(-1);
  if (!last) throw new Error('expected a FROM');
  return { stages, settings: settingsOf(last.values) };
}

function instructions(text: string): (readonly [string, string])[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
      if (instruction === '') throw new Error(`expected an instruction, got ${line}`);
      return [instruction, rest] as const;
    });
}

function stepOf(instruction: string, rest: string): Step | null {
  switch (instruction) {
    case 'WORKDIR':
      return { type: 'workdir', path: rest };
    case 'RUN':
      return { type: 'run', command: rest };
    case 'COPY': {
      const words = rest.split(' ');
      const from = words[0]?.startsWith('--from=') ? (words.shift()?.slice('--from='.length) ?? null) : null;
      const target = words.pop();
      if (target === undefined || words.length === 0 || words.some((word) => word.startsWith('--')))
        throw new Error(`expected COPY [--from=…] source… target, got COPY ${rest}`);
      return { type: 'copy', from, sources: words, target };
    }
    case 'ENV':
    case 'USER':
    case 'EXPOSE':
    case 'HEALTHCHECK':
    case 'ENTRYPOINT':
    case 'CMD':
      return null;
    default:
      throw new Error(`this instruction is not known here: ${instruction}`);
  }
}

function settingsOf(values: ReadonlyMap<string, string>): ImageSettings {
  const value = (instruction: string): string => {
    const found = values.get(instruction);
    if (found === undefined) throw new Error(`expected ${instruction} in the last stage`);
    return found;
  };
  const list = (json: string): string[] => JSON.parse(json) as string[];
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(value('USER')) ?? [];
  if (uid === undefined) throw new Error(`expected USER as numbers, got ${value('USER')}`);
  return {
    environment: Object.fromEntries(
      value('ENV')
        .split(' ')
        .map((pair) => pair.split('=', 2) as [string, string]),
    ),
    user: { uid: Number(uid), gid: Number(gid) },
    workdir: value('WORKDIR'),
    port: Number(value('EXPOSE')),
    command: [...list(value('ENTRYPOINT')), ...list(value('CMD'))],
    healthcheck: list(value('HEALTHCHECK').replace(/^.* CMD /, '')),
  };
}
