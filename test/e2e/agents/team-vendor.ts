import type { AgentRole } from '../../../core/contracts/run-event.ts';
import type { Behaviour, WireChat } from '../../helpers/vendor/behaviour.ts';
import type { VendorCall } from '../../helpers/vendor/journal.ts';
import { textOf } from '../../helpers/vendor/reply.ts';

/** Which member of a team a call is of, by the instructions of the shipped agents. */
const beginnings: readonly [string, AgentRole][] = [
  ['You plan research', 'PLANNER'],
  ['You research one question', 'RESEARCHER'],
  ['You check a finding', 'VALIDATOR'],
  ['You write the answer', 'EXECUTOR'],
  ['You are a careful assistant', 'ASSISTANT'],
];

export function roleOf({ messages }: Pick<WireChat, 'messages'>): AgentRole | null {
  const [system] = messages;
  const text = system === undefined ? '' : textOf(system);
  return beginnings.find(([beginning]) => text.startsWith(beginning))?.[1] ?? null;
}

export const bodyOf = ({ body }: VendorCall): WireChat => body as WireChat; // chat calls of our own

/** The question of a researcher's or a validator's call; empty for any other, embeddings too. */
export function questionOf({ messages = [] }: Partial<Pick<WireChat, 'messages'>>): string {
  const text = messages.map(textOf).join('\n');
  return /^(?:Your|The) question: (.*)$/m.exec(text)?.[1] ?? '';
}

export interface Script {
  readonly plan?: string | ((request: WireChat) => string);
  readonly find?: (question: string, request: WireChat) => string;
  readonly judge?: (question: string, request: WireChat) => object;
  readonly answer?: string | ((request: WireChat) => string);
  readonly other?: (request: WireChat) => string;
}

/** A vendor that plays every part of a team. */
export function playing(script: Script): Behaviour {
  const accept = { verdict: 'accept', objection: '', further: null };
  return {
    reply: (request) => {
      const question = questionOf(request);
      switch (roleOf(request)) {
        case 'PLANNER':
          return told(script.plan ?? planOf(['only']), request);
        case 'RESEARCHER':
          return script.find?.(question, request) ?? `About ${question} the sources say enough [1].`;
        case 'VALIDATOR':
          return JSON.stringify(script.judge?.(question, request) ?? accept);
        case 'EXECUTOR':
        case 'ASSISTANT':
          return told(script.answer ?? 'It is so [1].', request);
        default:
          return script.other?.(request) ?? '{}';
      }
    },
  };
}

const told = (text: string | ((request: WireChat) => string), request: WireChat): string =>
  typeof text === 'string' ? text : text(request);

export type Edge = string | readonly [key: string, ...dependsOn: string[]];

/** The JSON of a plan: keys, each with what it depends on. */
export function planOf(edges: readonly Edge[]): string {
  const steps = edges.map((edge) => {
    const [key, ...dependsOn] = typeof edge === 'string' ? [edge] : edge;
    return { key, title: `About ${key}`, task: `What is ${key}?`, role: 'RESEARCHER', dependsOn };
  });
  return JSON.stringify({ steps });
}
