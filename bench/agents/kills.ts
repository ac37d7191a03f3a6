import { randomUUID } from 'node:crypto';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { resume } from '../../examples/resume.ts';
import { type EventSeen, eventFields, textIn } from '../../test/e2e/agents/agent-run.ts';
import { planOf, playing } from '../../test/e2e/agents/team-vendor.ts';
import { type Fleet, startFleet } from '../../test/faults/fleet.ts';

/**
 * Kills the instance that executes a team run with SIGKILL, at a random moment of the run, again and again; the other of two
 * instances goes on with it. Exits with 1 unless every run ends whole, tells each step once, and costs no more provider calls than
 * an undisturbed one and those whose replies were not kept. How many the vendor was still answering at the kill is counted beside
 * it: a reply on its way into the database is not in flight any more, and is asked for again all the same. Needs PostgreSQL and
 * Redis.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const rounds = Number(values.rounds);
const latencyMs = 150;
const plan = planOf(['a', 'b', ['c', 'a', 'b']]);
const undisturbed = 1 + 3 + 3 + 1;
const startOperation = 'mutation ($input: StartAgentInput!) { startAgent(input: $input) { run { runId } } }';

await using fleet = await startFleet({ tokensPerSecond: 0 });
const { vendor } = fleet;
vendor.when((call) => call.path === '/chat/completions', { ...playing({ plan }), latencyMs });
console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}\n`,
);
await prepare(fleet);
const lengthMs = await undisturbedMs();

let faulty = 0;
let exceeding = 0;
let late = 0;
for (let round = 0; round < rounds; round += 1) {
  const victim = fleet.members[round % 2];
  const survivor = fleet.members[(round + 1) % 2];
  if (victim === undefined || survivor === undefined) throw new Error('two instances are needed');
  const before = vendor.calls('/chat/completions').length;
  const runId = randomUUID();
  await victim.process()?.data(startOperation, { input: { ...input(round), runId } });
  const following = follow([...fleet.urls()].toReversed(), runId);
  const killedAfterMs = Math.random() * lengthMs;
  await sleep(killedAfterMs);
  const answering = vendor.inFlight;
  await victim.kill();
  // Every call of a team is kept under a key of its own.
  const begun = vendor.calls('/chat/completions').length - before;
  const unkept = begun - (await keptOf(runId));
  const events = await following;
  const calls = vendor.calls('/chat/completions').length - before;
  const faults = faultsOf(events, calls, unkept);
  exceeding += calls - undisturbed;
  if (calls > undisturbed + answering) late += 1;
  if (faults.length > 0) faulty += 1;
  const said = faults.length === 0 ? '' : `\n  FAULT: ${faults.join('\n  FAULT: ')}`;
  console.log(
    `kill ${round + 1}: after ${killedAfterMs.toFixed(0)} of ${lengthMs.toFixed(0)} ms, the vendor answered ${answering}, ${unkept} not kept; ${calls} calls in all, ${undisturbed} undisturbed${said}`,
  );
  await victim.start();
}
console.log(
  `\n${rounds} kills: ${faulty} with a fault; ${exceeding} provider calls made again in all; ${late} kills with more of them than the vendor was answering`,
);
if (faulty > 0) process.exitCode = 1;

function input(round: number) {
  return { agent: 'research-team', goal: `What of the lamp, in round ${round}, ${randomUUID()}?` };
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
  for (const round of [-2, -1]) {
    const started = performance.now();
    const runId = randomUUID();
    await fleet.members[0]?.process()?.data(startOperation, { input: { ...input(round), runId } });
    await follow(fleet.urls(), runId);
    ms = performance.now() - started;
  }
  return ms;
}

async function follow(urls: readonly string[], runId: string): Promise<EventSeen[]> {
  const query = `subscription ($runId: UUID!, $after: String) { event: runEvents(runId: $runId, after: $after) { ${eventFields} } }`;
  const events: EventSeen[] = [];
  for await (const event of resume<EventSeen>(() => urls, query, { runId })) events.push(event);
  return events;
}

function faultsOf(events: readonly EventSeen[], calls: number, unkept: number): string[] {
  const faults: string[] = [];
  if (events.at(-1)?.__typename !== 'RunFinished') faults.push(`it ended with ${events.at(-1)?.__typename}`);
  if (events.some(({ seq }, index) => seq !== index + 1)) faults.push('its events have a gap, or stand twice');
  if (textIn(events) !== 'It is so [1].') faults.push(`its text is ${JSON.stringify(textIn(events))}`);
  for (const type of ['StepStarted', 'StepFinished']) {
    const told = events.filter(({ __typename }) => __typename === type).map(({ step }) => step);
    if (new Set(told).size !== told.length || told.length !== 8) faults.push(`${type} of ${told.join(', ')}`);
  }
  if (calls > undisturbed + unkept) faults.push(`${calls} calls, with ${unkept} not kept at the kill`);
  return faults;
}
