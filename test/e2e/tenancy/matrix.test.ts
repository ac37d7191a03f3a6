import { randomUUID } from 'node:crypto';
import { isInterfaceType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeScopes } from '../../../resolvers/node-scopes.ts';
import { schema } from '../../../schema/index.ts';
import { createKey } from '../../helpers/api-keys.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { textOf } from '../../helpers/vendor/reply.ts';
import { agentInput, agUiUrl } from '../ag-ui/agent.ts';
import { type Row, rows } from './rows.ts';
import { nobodysThings, startTenant, type Tenant, type Things } from './tenants.ts';

/*
 * Every field of the roots and every type that has ids, asked for the things of one tenant: with its own key, with the key of
 * another tenant, without a key. What the stranger gets must hold nothing of the owner's, and must be word for word what it
 * gets for things that nobody has: otherwise it would learn that they are there.
 */

const staticKey = 'the-static-key-of-this-test';
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let owner: Tenant;
let stranger: Tenant;
beforeAll(async () => {
  ({ gateway } = opened.use(
    await startGatewayWithVendor({
      environment: { SLUICE_API_KEY: staticKey },
      // A reply that tells what was asked: the texts of a tenant are in all that is made of them.
      vendor: { defaults: { reply: ({ messages }) => `You said: ${messages.map(textOf).join(' ')} [1]` } },
    }),
  ));
  owner = await startTenant(gateway, 'ownertenant', staticKey);
  stranger = await startTenant(gateway, 'strangertenant', staticKey);
});
afterAll(() => opened.disposeAsync());

const toTake = rows.filter((row) => row.owner === 'taken');
const named = (list: readonly Row[]) => list.map((row, index) => [`${index + 1}. ${row.of}`, row] as const);

describe('the table', () => {
  it('has a row for every field of the roots, and for every type that has ids', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const fields = roots.flatMap((root) =>
      Object.keys(root?.getFields() ?? {}).map((field) => `${root?.name}.${field}`),
    );
    const nodes = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'))
      .map(({ name }) => `node ${name}`);
    expect(new Set(rows.map((row) => row.of))).toEqual(new Set([...fields, ...nodes]));
    expect(isInterfaceType(schema.getType('Node'))).toBe(true);
    expect(
      Object.keys(nodeScopes)
        .map((type) => `node ${type}`)
        .toSorted(),
    ).toEqual(nodes.toSorted());
  });
});

describe('with the key of another tenant', () => {
  let before: string;
  beforeAll(async () => {
    before = await everything(owner);
    expect(before).toContain(owner.marker);
  });

  it.each(named(rows))('%s shows nothing, and not even that there is something', async (_name, row) => {
    const [foreign, nobodys] = await Promise.all([
      ask(row, stranger.key.headers, owner.things),
      ask(row, stranger.key.headers, nobodysThings(owner.things.runCursor)),
    ]);
    expect(foreign.text).not.toContain(owner.marker);
    for (const id of [owner.key.prefix, ...Object.values(owner.things)]) expect(foreign.text).not.toContain(id);
    if (!row.ofCaller && row.variables) expect(foreign).toEqual(nobodys);
  });

  it('nothing of it has changed anything', async () => {
    expect(await everything(owner)).toBe(before);
  });

  it('AG-UI makes a run of its own under the same ids', async () => {
    const input = agentInput(`Is ${owner.marker} there?`, { threadId: 'shared', runId: 'shared' });
    const mine = agentInput('What is there?', { threadId: 'shared', runId: 'shared' });
    const post = (tenant: Tenant, body: object) => postAgUi(tenant.key, body);
    expect(await post(owner, input)).toContain(owner.marker);
    const answer = await post(stranger, mine);
    expect(answer).toContain('RUN_FINISHED');
    expect(answer).not.toContain(owner.marker);
  });

  it('AG-UI takes no answer to a run that waits, and tells nothing of it', async () => {
    const { waitingRun, waitingCall } = owner.things;
    const answerTo = (runId: string) => {
      const id = `${waitingCall}@${runId}`;
      const call = { id, type: 'function', function: { name: 'locate', arguments: '{}' } };
      const said = [
        { id: '1', role: 'user', content: 'Where?' },
        { id, role: 'assistant', toolCalls: [call] },
      ];
      const resume = [{ interruptId: `approval-1:${id}`, status: 'resolved', payload: { approved: true } }];
      const result = { id: '2', role: 'tool', toolCallId: id, content: 'Here.' };
      return [agentInput('Where?', { resume }), agentInput('Where?', { messages: [...said, result] })];
    };
    const [foreign = [], nobodys = []] = await Promise.all(
      [waitingRun, randomUUID()].map(async (runId) => {
        const answers = await Promise.all(answerTo(runId).map((body) => postAgUi(stranger.key, body)));
        return answers.map((text) => text.replaceAll(runId, 'the run'));
      }),
    );
    expect(foreign[0]).toContain('NOT_FOUND');
    expect(foreign[0]).toBe(nobodys[0]);
    // It is what was said in a conversation of the stranger's own.
    expect(foreign[1]).toContain('RUN_FINISHED');
    expect(nobodys[1]).toContain('RUN_FINISHED');
    expect(foreign.join()).not.toContain(owner.marker);
    // Nor may a key of its own tenant that may not see such runs.
    const ofAgents = await createKey(gateway, { scopes: ['AGENT'], tenant: owner.things.tenant }, staticKey);
    for (const body of answerTo(waitingRun)) expect(await postAgUi(ofAgents, body)).toContain('FORBIDDEN');
    const status = 'query ($runId: UUID!) { run(runId: $runId) { status } }';
    expect(await gateway.request(status, { runId: waitingRun }, { headers: owner.key.headers })).toMatchObject({
      data: { run: { status: 'AWAITING_TOOL_RESULT' } },
    });
  });
});

async function postAgUi({ headers: ofKey }: Tenant['key'], body: object): Promise<string> {
  const headers = { 'content-type': 'application/json', ...ofKey };
  return (await fetch(agUiUrl(gateway), { method: 'POST', headers, body: JSON.stringify(body) })).text();
}

it.each(named(rows))('without a key %s is refused', async (_name, row) => {
  const { status, text } = await ask(row, {}, owner.things);
  expect(status).toBe(401);
  expect(text).toContain('UNAUTHENTICATED');
  expect(text).not.toContain(owner.marker);
});

it('the metrics name no tenant and nothing that is theirs, and are not for keys of tenants', async () => {
  const metrics = async (headers: Readonly<Record<string, string>>) => {
    const response = await fetch(new URL('/metrics', gateway.url), { headers });
    return { status: response.status, text: await response.text() };
  };
  expect(await metrics({})).toMatchObject({ status: 401 });
  expect(await metrics(stranger.key.headers)).toMatchObject({ status: 403 });
  const { status, text } = await metrics({ authorization: `Bearer ${staticKey}` });
  expect(status).toBe(200);
  for (const tenant of [owner, stranger])
    for (const each of [tenant.marker, tenant.key.prefix, ...Object.values(tenant.things)])
      expect(text).not.toContain(each);
});

describe('with its own key', () => {
  it.each(named(rows.filter((row) => row.owner !== 'taken')))('%s answers', async (_name, row) => {
    const { status, text } = await ask(row, owner.key.headers, owner.things);
    expect(status).toBe(200);
    if (row.owner === 'shown') expect(text).toContain(owner.marker);
    if (row.owner === 'shown') expect(text).not.toContain('"errors"');
    expect(text).not.toContain(stranger.marker);
  });

  it.each(named(toTake))('%s takes away what a stranger could not', async (_name, row) => {
    const { text } = await ask(row, owner.key.headers, owner.things);
    expect(text).not.toContain('"errors"');
  });
});

interface Answer {
  readonly status: number;
  /** Without what was sent: that is said again in errors, and is no secret to whoever sent it. */
  readonly text: string;
}

async function ask(
  { query, variables }: Row,
  headers: Readonly<Record<string, string>>,
  things: Things,
): Promise<Answer> {
  const sent = variables?.(things) ?? {};
  const accept = query.startsWith('subscription') ? 'text/event-stream' : 'application/json';
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...headers },
    body: JSON.stringify({ query, variables: sent }),
  });
  const values = Object.values(sent)
    .flat()
    .map(String)
    .flatMap((value) => [value, ...insideOf(value)]);
  const isOwner = headers['authorization'] === owner.key.headers.authorization;
  // Comments between events keep the connection; how many come depends on the time.
  const text = (await response.text()).replaceAll(/^:\n\n/gm, '');
  return {
    status: response.status,
    text: isOwner ? text : values.reduce((rest, value) => rest.replaceAll(value, '<sent>'), text),
  };
}

/** What a global id holds, which errors name. */
function insideOf(value: string): string[] {
  const [, id] = /^\w+:([\da-f-]{36})$/.exec(Buffer.from(value, 'base64url').toString()) ?? [];
  return id === undefined ? [] : [id];
}

/** All that a tenant can see of itself. */
async function everything({ key, things }: Tenant): Promise<string> {
  const query = `query ($run: UUID!, $person: String!) {
    collections { edges { node { id name documentCount documents { edges { node { id title text: externalId metadata } } } } } }
    conversations { edges { node { id title user messages { edges { node { id text } } } } } }
    runs { edges { node { runId status } } }
    run(runId: $run) { status events { edges { node { seq } } } }
    apiKeys { edges { node { id name revokedAt } } }
    profile(externalId: $person) { id externalId interests metadata interactionCount }
  }`;
  const { data, errors } = await gateway.request(
    query,
    { run: things.chatRun, person: things.person },
    { headers: key.headers },
  );
  expect(errors).toBeUndefined();
  return JSON.stringify(data);
}
