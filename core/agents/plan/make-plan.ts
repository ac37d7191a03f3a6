import { z } from 'zod';
import type { ChatMessage } from '../../contracts/model-provider.ts';
import type { CallOptions } from '../../models/models.ts';
import { titleOf } from '../../text/title-of.ts';
import { budgetedOutput, conversationText } from '../team/prompts.ts';
import { member, type Work, writes } from '../work.ts';
import type { Plan, PlannedStep } from './plan.ts';
import { planSchema, readPlan } from './read-plan.ts';
import { splitGoal } from './split-goal.ts';

/**
 * The plan of a goal, of at most `maxPlanned` steps. A planner whose reply is no plan is told what is wrong with it, once; after
 * that, and where no model can write, the goal is parted by its form.
 */
export async function makePlan(work: Work, maxPlanned: number, call: CallOptions): Promise<Plan> {
  const planner = member(work, 'PLANNER');
  if (!writes(work, planner)) return planByRules(questionOf(work), maxPlanned);
  let messages: readonly ChatMessage[] = [
    { role: 'SYSTEM', text: `${planner.instructions}\n\n${format(work, maxPlanned)}` },
    { role: 'USER', text: goalText(work) },
  ];
  for (let attempt = 1; attempt <= 2 && !work.budget.isSpent; attempt += 1) {
    const request = { model: planner.model, messages, sources: null, temperature: 0, responseSchema };
    const { text } = await work.services.models.complete({ ...request, ...budgetedOutput(work) }, call);
    const reading = readPlan(text, maxPlanned);
    if (reading.ok) return { steps: reading.steps, madeBy: 'MODEL', isCut: false };
    const objection = `That is no valid plan: ${reading.faults.join('; ')}. Reply again, with the JSON of a valid plan and nothing else.`;
    // A reply that is much too long is not sent back whole.
    messages = [
      ...messages,
      { role: 'ASSISTANT', text: text.slice(0, 4_000).toWellFormed() },
      { role: 'USER', text: objection },
    ];
  }
  return planByRules(questionOf(work), maxPlanned);
}

const responseSchema = z.toJSONSchema(planSchema);

export function planByRules(goal: string, maxPlanned: number): Plan {
  const parts = splitGoal(goal);
  const steps = parts.slice(0, maxPlanned).map(
    ({ text, builds }, index): PlannedStep => ({
      key: `look-up-${index + 1}`,
      title: capitalised(titleOf(text) ?? text),
      task: text,
      role: 'RESEARCHER',
      dependsOn: builds && index > 0 ? [`look-up-${index}`] : [],
    }),
  );
  return { steps, madeBy: 'RULES', isCut: parts.length > maxPlanned };
}

/** "And why?" says too little by itself: what was asked before it says what it is about. */
function questionOf({ input, history }: Work): string {
  const before = history.findLast(({ role }) => role === 'USER');
  const isShort = input.goal.trim().split(/\s+/).length < 4;
  return isShort && before !== undefined ? `${before.text} ${input.goal}` : input.goal;
}

function goalText({ input, history }: Work): string {
  if (history.length === 0) return input.goal;
  return `What was said before:\n${conversationText(history)}\n\nThe goal: ${input.goal}`;
}

function format({ agent, input }: Work, maxPlanned: number): string {
  const tools = [...agent.tools, ...input.clientTools.map(({ name }) => name)];
  const actions =
    tools.length === 0
      ? 'Every step has the role RESEARCHER.'
      : `A step of role RESEARCHER looks something up; one of role EXECUTOR does something with the tools ${tools.join(', ')}, and only when the goal asks for it.`;
  return `Reply with JSON only: {"steps": [{"key": a short unique name, "title": a few words, "task": the whole question or task, to be
understood without the others, "role": the role, "dependsOn": [keys of steps whose findings it needs]}]}. At most ${maxPlanned} steps. ${actions}
Steps run at the same time unless one depends on another: add a dependency only where a step cannot be done without it. One step is
enough for a simple goal. Do not plan the final answer; it is written from all findings.`;
}

const capitalised = (title: string): string => title.replace(/^\p{Ll}/u, (first) => first.toUpperCase());
