import { createClient } from 'graphql-ws';

/**
 * A research team at work, drawn as it runs: one line for each step, with a bar for its time, so that steps which overlap are seen to.
 * On a terminal the picture is drawn anew with each event; elsewhere it is printed once, at the end. Then comes the answer.
 *
 *     node examples/research-team.ts "Compare vector and keyword search."
 */
const url = process.env['SLUICE_WS_URL'] ?? 'ws://127.0.0.1:4000/graphql';
const apiKey = process.env['SLUICE_API_KEY'];
const goal = process.argv[2] ?? 'How are answers cited? What happens when an instance dies? How is a budget set?';

const operation = /* GraphQL */ `
  subscription ResearchTeam($input: StartAgentInput!) {
    agent(input: $input) {
      __typename
      at
      ... on StepStarted {
        step
        title
        role
      }
      ... on StepFinished {
        step
        stepStatus
      }
      ... on TextMessageDelta {
        delta
      }
      ... on TextMessageReset {
        reason
      }
      ... on SourceCited {
        citation {
          number
          title
          quote
        }
      }
      ... on RunFailed {
        error {
          code
          message
        }
      }
    }
  }
`;

interface AgentEvent {
  readonly __typename: string;
  readonly at: string;
  readonly step?: string | null;
  readonly title?: string;
  readonly role?: string | null;
  readonly stepStatus?: string;
  readonly delta?: string;
  readonly citation?: { readonly number: number; readonly title: string | null; readonly quote: string };
  readonly error?: { readonly code: string; readonly message: string };
}

interface Line {
  readonly title: string;
  readonly role: string;
  /** From the beginning of the run, in milliseconds; a step that was sent back has two. */
  readonly spans: { readonly from: number; to: number | null }[];
  status: string;
}

const lines = new Map<string, Line>();
const sources: string[] = [];
let text = '';
let begunAt: number | null = null;
let now = 0;
let drawn = 0;

const client = createClient({
  url,
  ...(apiKey ? { connectionParams: { authorization: `Bearer ${apiKey}` } } : {}),
  retryAttempts: 0,
});
const input = { agent: 'research-team', goal };
for await (const { data, errors } of client.iterate<{ agent: AgentEvent }>({
  query: operation,
  variables: { input },
})) {
  if (errors) throw new Error(errors.map((error) => error.message).join('; '));
  if (!data) continue;
  take(data.agent);
  if (process.stdout.isTTY) draw();
}
await client.dispose();
if (!process.stdout.isTTY) draw();
console.log(`\n${text}\n\n${sources.join('\n')}`);

function take(event: AgentEvent): void {
  begunAt ??= Date.parse(event.at);
  now = Date.parse(event.at) - begunAt;
  const key = event.step ?? 'plan';
  switch (event.__typename) {
    case 'StepStarted': {
      const line = lines.get(key) ?? { title: event.title ?? key, role: event.role ?? '', spans: [], status: '' };
      line.spans.push({ from: now, to: null });
      line.status = 'RUNNING';
      lines.set(key, line);
      break;
    }
    case 'StepFinished': {
      const line = lines.get(key);
      const span = line?.spans.at(-1);
      if (line && span) [line.status, span.to] = [event.stepStatus ?? '', now];
      break;
    }
    case 'TextMessageDelta':
      text += event.delta ?? '';
      break;
    case 'TextMessageReset':
      text = '';
      sources.length = 0;
      break;
    case 'SourceCited':
      if (event.citation) sources.push(`[${event.citation.number}] ${event.citation.title}: "${event.citation.quote}"`);
      break;
    case 'RunFailed':
      console.error(`${event.error?.code}: ${event.error?.message}`);
      process.exitCode = 1;
      break;
  }
}

/** Over the picture before it, which was so many lines high. */
function draw(): void {
  const width = 40;
  const scale = (ms: number): number => Math.round((ms / Math.max(1, now)) * width);
  const picture = [...lines.values()].map(({ title, role, spans, status }) => {
    const bar = Array.from({ length: width }, () => '·');
    for (const { from, to } of spans) {
      const end = Math.max(scale(from) + 1, scale(to ?? now));
      bar.fill('█', Math.min(scale(from), width - 1), end);
    }
    const last = spans.at(-1);
    const ms = last === undefined ? 0 : (last.to ?? now) - last.from;
    return `${role.padEnd(10)} ${title.slice(0, 44).padEnd(44)} ${bar.join('')} ${`${ms}`.padStart(6)} ms  ${status}`;
  });
  if (drawn > 0) process.stdout.write(`\u001b[${drawn}A`);
  process.stdout.write(picture.map((line) => `\u001b[2K${line}\n`.slice(process.stdout.isTTY ? 0 : 4)).join(''));
  drawn = picture.length;
}
