import type { StepStatus } from '../../contracts/run-event.ts';

export interface GraphStep {
  readonly key: string;
  /** Keys of steps of the same graph. */
  readonly dependsOn: readonly string[];
  readonly status: StepStatus;
  /** It has ended, and left something to build on. */
  readonly hasResult: boolean;
}

export interface NextSteps {
  /** In this order, so many as there is room for. */
  readonly start: readonly string[];
  /** What they would have built on failed, all of it. */
  readonly skip: readonly string[];
}

/**
 * What is to be done now. A step may start as soon as all that it depends on has ended; it works with what there is, and is
 * skipped when there is nothing. Where not all that may start can, those with the longest way behind them go first: they decide
 * how long the whole takes.
 */
export function nextSteps(steps: readonly GraphStep[], maxParallel: number): NextSteps {
  const skipped = new Set<string>();
  const byKey = new Map(steps.map((step) => [step.key, step]));
  const hasEnded = (key: string): boolean => skipped.has(key) || isOver(byKey.get(key)?.status);
  const hasResult = (key: string): boolean => byKey.get(key)?.hasResult === true;

  const ready = (): GraphStep[] =>
    steps.filter(
      ({ key, status, dependsOn }) => status === 'PENDING' && !skipped.has(key) && dependsOn.every(hasEnded),
    );
  for (let size = -1; size !== skipped.size; ) {
    size = skipped.size;
    for (const { key, dependsOn } of ready()) {
      if (dependsOn.length > 0 && !dependsOn.some(hasResult)) skipped.add(key);
    }
  }
  const running = steps.filter(({ status }) => status === 'RUNNING').length;
  const length = lengths(steps);
  const start = ready()
    .map(({ key }) => key)
    // Stable: of equally long ways the order of the plan.
    .sort((left, right) => (length.get(right) ?? 0) - (length.get(left) ?? 0))
    .slice(0, Math.max(0, maxParallel - running));
  return { start, skip: [...skipped] };
}

export function isOver(status: StepStatus | undefined): boolean {
  return status !== 'PENDING' && status !== 'RUNNING';
}

/** How many steps the longest way from each one to an end has, itself counted. */
function lengths(steps: readonly GraphStep[]): ReadonlyMap<string, number> {
  const followers = new Map<string, string[]>();
  for (const { key, dependsOn } of steps) {
    for (const other of dependsOn) followers.set(other, [...(followers.get(other) ?? []), key]);
  }
  const known = new Map<string, number>();
  const lengthOf = (key: string): number => {
    const length = known.get(key) ?? 1 + Math.max(0, ...(followers.get(key) ?? []).map(lengthOf));
    known.set(key, length);
    return length;
  };
  for (const { key } of steps) lengthOf(key);
  return known;
}
