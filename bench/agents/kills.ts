import { randomUUID } from 'node:crypto';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { z } from 'zod';
import { resume } from '../../examples/resume.ts';
import { type EventSeen, eventFields, textIn } from '../../test/e2e/agents/agent-run.ts';
import { planOf, playing } from '../../test/e2e/agents/team-vendor.ts';
import { type Fleet, type Member, startFleet } from '../../test/faults/fleet.ts';
import { startToolServer } from '../../test/helpers/tool-server.ts';
import { textOf } from '../../test/helpers/vendor/reply.ts';

/**
 * Kills the instance that executes a team run with SIGKILL, at a random moment of the run, again and again; the other of two
 * instances goes on with it. Exits with 1 unless every run ends whole, tells each step once, costs no more provider calls than an
 * undisturbed one and those in flight at the kill, and launches once what its executor launches, or asks and launches at most once.
 *
 * To a gateway a call is in flight until its reply is kept: one that the vendor has answered, and that died on its way into the
 * database, is made again. How many the vendor itself was still answering is counted beside it. Launches are counted by the server
 * that carries them out, in this process, which nobody kills. Needs PostgreSQL and Redis.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const rounds = Number(values.rounds);
const latencyMs = 150;
const launching = { key: 'launch', title: 'Launch', task: 'Launch it.', role: 'EXECUTOR', dependsOn: ['a'] };
const plan = JSON.stringify({ steps: [...JSON.parse(planOf(['a', 'b', ['c', 'a', 'b']])).steps, launching] });
/** The plan, three look-ups with their checks, a call of the tool and a report of it, the answer. */
const undisturbed = 1 + 3 + 3 + 2 + 1;
const steps = 1 + 3 + 3 + 1 + 1;
const startOperation = 'mutation ($input: StartAgentInput!) { startAgent(input: $input) { run { runId } } }';

/** By what the run calls itself. */
const launches = new Map<string, number>();
await using world = await startToolServer((server) => {
  const inputSchema = z.object({ run: z.string() });
  server.registerTool('launch', { description: 'Launches it.', inputSchema }, async ({ run }) => {
    launches.set(run, (launches.get(run) ?? 0) + 1);
    await sleep(latencyMs);
    return { content: [{ type: 'text', text: 'Launched.' }] };
  });
});
await using fleet = await startFleet({
  tokensPerSecond: 0,
  config: {
    mcpServers: { world: { url: world.at.url, requiresApproval: false } },
    agents: {
      launchers: {
        description: 'A team that launches.',
        members: ['PLANNER', 'RESEARCHER', 'VALIDATOR', 'EXECUTOR'].map((role) => ({ role })),
        tools: ['search', 'world__launch'],
      },
    },
  },
});
const { vendor } = fleet;
vendor.when((call) => call.path === '/chat/completions', {
  ...playing({ plan }),
  latencyMs,
  toolCalls: ({ messages, tools = [] }) => {
    const isAsked = tools.some(({ function: { name } }) => name === 'world__launch');
    if (!isAsked || messages.some(({ role }) => role === 'tool')) return [];
    const [, run = ''] = /run-([0-9a-f-]{36})/.exec(messages.map(textOf).join()) ?? [];
    return [{ name: 'world__launch', arguments: { run } }];
  },
});
console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}\n`,
);
await prepare(fleet);
const lengthMs = await undisturbedMs();

let faulty = 0;
let exceeding = 0;
let late = 0;
let asking = 0;
for (let round = 0; round < rounds; round += 1) {
  const victim = fleet.members[round % 2];
  const survivor = fleet.members[(round + 1) % 2];
  if (victim === undefined || survivor === undefined) throw new Error('two instances are needed');
  const before = vendor.calls('/chat/completions').length;
  const runId = randomUUID();
  await victim.process()?.data(startOperation, { input: input(runId) });
  const following = follow([...fleet.urls()].toReversed(), runId, survivor);
  const killedAfterMs = Math.random() * lengthMs;
  await sleep(killedAfterMs);
  const answering = vendor.inFlight;
  await victim.kill();
  // Every call of a team is kept under a key of its own.
  const begun = vendor.calls('/chat/completions').length - before;
  const unkept = begun - (await keptOf(runId));
  const events = await following;
  const calls = vendor.calls('/chat/completions').length - before;
  const launched = launches.get(runId) ?? 0;
  const isAsked = events.some(({ __typename }) => __typename === 'ApprovalRequested');
  const faults = [...faultsOf(events, calls, unkept), ...launchFaults(launched, isAsked)];
  if (isAsked) asking += 1;
  exceeding += calls - undisturbed;
  if (calls > undisturbed + answering) late += 1;
  if (faults.length > 0) faulty += 1;
  const said = faults.length === 0 ? '' : `\n  FAULT: ${faults.join('\n  FAULT: ')}`;
  console.log(
    `kill ${round + 1}: after ${killedAfterMs.toFixed(0)} of ${lengthMs.toFixed(0)} ms, the vendor answered ${answering}, ${unkept} in flight; ${calls} calls in all, ${undisturbed} undisturbed; launched ${launched}${isAsked ? ', and asked' : ''}${said}`,
  );
  await victim.start();
}
console.log(
  `\n${rounds} kills: ${faulty} with a fault; ${exceeding} provider calls made again in all; ${late} kills with more of them than the vendor was answering; ${asking} runs asked whether to launch again`,
);
if (faulty > 0) process.exitCode = 1;

function input(runId: string) {
  return { runId, agent: 'launchers', goal: `What of the lamp, and launch it for run-${runId}?` };
}

function launchFaults(launched: number, isAsked: boolean): string[] {
  return launched === 1 || (isAsked && launched === 0) ? [] : [`it launched ${launched} times`];
}

/** How many replies of the run are in the database; all of them, when it has ended. */
async function keptOf(runId: string): Promise<number> {
  const client = new pg.Client({ connectionString: fleet.postgres.url });
  await client.connect();
  try {
    const { rows } = await client.query(
      `select finished_at is not null as ended, (select count(*)::int from run_checkpoints k where k.run_id = runs.run_id
          and k.key ~ '^(plan|answer|check/.*|.*/turn .*)$') as kept
        from runs where run_id = $1`,
      [runId],
    );
    return rows[0]?.ended ? undisturbed : (rows[0]?.kept ?? 0);
  } finally {
    await client.end();
  }
}

async function prepare({ members }: Fleet): Promise<void> {
  const documents = [{ externalId: 'lamp', title: 'The lamp', text: 'The lamp turns twice a minute.' }];
  const mutation = `mutation ($documents: [DocumentInput!]!) {
    startIngest(input: { documents: $documents }) { run { finished { status } } }
  }`;
  await members[0]?.process()?.data(mutation, { documents });
}

async function undisturbedMs(): Promise<number> {
  let ms = 0;
  for (const member of fleet.members) {
    const started = performance.now();
    const runId = randomUUID();
    await member.process()?.data(startOperation, { input: input(runId) });
    await follow(fleet.urls(), runId, member);
    ms = performance.now() - started;
  }
  return ms;
}

/** Where the run asks whether to launch again, it is told not to. */
async function follow(urls: readonly string[], runId: string, member: Member): Promise<EventSeen[]> {
  const query = `subscription ($runId: UUID!, $after: String) {
    event: runEvents(runId: $runId, after: $after) { ${eventFields} ... on ApprovalRequested { toolCall { id } } }
  }`;
  const refuse = 'mutation ($input: ResolveApprovalInput!) { resolveApproval(input: $input) { run { runId } } }';
  const events: EventSeen[] = [];
  for await (const event of resume<EventSeen & { readonly toolCall?: { readonly id: string } }>(() => urls, query, {
    runId,
  })) {
    events.push(event);
    const { toolCall } = event;
    if (toolCall) await member.process()?.data(refuse, { input: { runId, toolCallId: toolCall.id, approve: false } });
  }
  return events;
}

function faultsOf(events: readonly EventSeen[], calls: number, unkept: number): string[] {
  const faults: string[] = [];
  if (events.at(-1)?.__typename !== 'RunFinished') faults.push(`it ended with ${events.at(-1)?.__typename}`);
  if (events.some(({ seq }, index) => seq !== index + 1)) faults.push('its events have a gap, or stand twice');
  if (textIn(events) !== 'It is so [1].') faults.push(`its text is ${JSON.stringify(textIn(events))}`);
  for (const type of ['StepStarted', 'StepFinished']) {
    const told = events.filter(({ __typename }) => __typename === type).map(({ step }) => step);
    if (new Set(told).size !== told.length || told.length !== steps) faults.push(`${type} of ${told.join(', ')}`);
  }
  if (calls > undisturbed + unkept) faults.push(`${calls} calls, with ${unkept} in flight at the kill`);
  return faults;
}
