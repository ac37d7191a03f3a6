import { z } from 'zod';
import { parseJsonReply } from '../../models/json-reply.ts';
import { answerKey, type PlannedStep } from './plan.ts';

const text = z.string().trim().min(1);

export const planSchema = z.object({
  steps: z.array(
    z.object({
      key: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'expected 1–40 letters, digits, dashes or underscores'),
      title: text.max(200),
      task: text.max(4_000),
      role: z.enum(['RESEARCHER', 'EXECUTOR']),
      dependsOn: z.array(z.string()).max(100),
    }),
  ),
});

export type PlanReading =
  | { readonly ok: true; readonly steps: readonly PlannedStep[] }
  /** One line each, for whoever wrote the plan to mend it. */
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads a planner's reply: JSON of the right shape, unique keys, known dependencies, no cycle, at most `maxPlanned` steps. */
export function readPlan(reply: string, maxPlanned: number): PlanReading {
  const value = parseJsonReply(reply);
  if (value === undefined) return refused(['the reply is not JSON']);
  const parsed = planSchema.safeParse(value);
  if (!parsed.success) {
    return refused(parsed.error.issues.slice(0, 10).map(({ path, message }) => `${path.join('.') || '/'}: ${message}`));
  }
  const { steps } = parsed.data;
  const faults = [...sizeFaults(steps, maxPlanned), ...keyFaults(steps), ...dependencyFaults(steps)];
  // Only of a graph whose edges lead somewhere can it be said whether they lead in a circle.
  const all = faults.length > 0 ? faults : cycleFaults(steps);
  return all.length === 0 ? { ok: true, steps } : refused(all);
}

const refused = (faults: readonly string[]): PlanReading => ({ ok: false, faults: faults.slice(0, 10) });

function sizeFaults({ length }: readonly PlannedStep[], maxPlanned: number): string[] {
  if (length === 0) return ['steps: expected at least one step, got none'];
  return length > maxPlanned ? [`steps: expected at most ${maxPlanned} steps, got ${length}`] : [];
}

function keyFaults(steps: readonly PlannedStep[]): string[] {
  const seen = new Set<string>();
  return steps.flatMap(({ key }) => {
    if (key === answerKey || key.startsWith('check-') || key.endsWith('-further')) {
      return [`steps: "${key}" is a key of the gateway's own steps; choose another`];
    }
    const isTwice = seen.has(key);
    seen.add(key);
    return isTwice ? [`steps: the key "${key}" stands twice`] : [];
  });
}

function dependencyFaults(steps: readonly PlannedStep[]): string[] {
  const keys = new Set(steps.map(({ key }) => key));
  return steps.flatMap(({ key, dependsOn }) =>
    dependsOn.flatMap((other) => {
      if (other === key) return [`${key}: depends on itself`];
      return keys.has(other) ? [] : [`${key}: dependsOn names "${other.slice(0, 60)}", which is no step`];
    }),
  );
}

/** Steps without open dependencies are taken away until none is left: what remains goes round. */
function cycleFaults(steps: readonly PlannedStep[]): string[] {
  const left = new Map(steps.map((step) => [step.key, step.dependsOn]));
  for (let size = -1; size !== left.size; ) {
    size = left.size;
    for (const [key, dependsOn] of left) {
      if (!dependsOn.some((other) => left.has(other))) left.delete(key);
    }
  }
  return left.size === 0 ? [] : [`these steps wait for each other: ${[...left.keys()].join(', ')}`];
}
