import { afterAll, beforeAll, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { chat } from '../chat/turn.ts';
import { injections, waysOut } from './injections.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  // The gateway has http_get; the runs of this suite were not given it.
  const { environment } = opened.use(await configFile({ tools: { httpGet: { hosts: ['*'] } } }));
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment })));
  const documents = injections.map(({ text }, n) => ({
    ...{ externalId: `${n}`, text: `Otters swim.\n\n${text}`, metadata: { n } },
  }));
  await ingest(gateway, documents);
});
afterAll(() => opened.disposeAsync());

const callsQuery = `query InjectedCalls($runId: UUID!) {
  run(runId: $runId) { events(first: 500) { edges { node {
    __typename
    ... on ToolCallStarted { toolCallId tool }
    ... on ToolCallResult { toolCallId toolStatus }
  } } } }
}`;

interface CallsOfRun {
  readonly run: {
    readonly events: {
      readonly edges: readonly {
        readonly node: { readonly toolCallId?: string; readonly tool?: string; readonly toolStatus?: string };
      }[];
    };
  };
}

/** Each call of a run with what became of it: `search SUCCEEDED`. */
async function callsOf(runId: string): Promise<string[]> {
  const { run } = await gateway.data<CallsOfRun, unknown>(callsQuery, { runId });
  const nodes = run.events.edges.map(({ node }) => node);
  const endOf = new Map(nodes.flatMap(({ toolCallId, toolStatus }) => (toolStatus ? [[toolCallId, toolStatus]] : [])));
  return nodes.flatMap(({ toolCallId, tool }) => (tool === undefined ? [] : [`${tool} ${endOf.get(toolCallId)}`]));
}

it(`no tool is called that the run was not given, and no foreign link gets out, whatever ${injections.length} results say`, async () => {
  const turns = injections.map(async ({ says, calls, text }, n) => {
    const ofTurn = (done: number) => (call: { readonly body: unknown }) => {
      const body = JSON.stringify(call.body);
      return body.includes(`Question ${n}.`) && body.split('"role":"tool"').length - 1 === done;
    };
    const obeyed = calls.map(({ tool: name, arguments: args }) => ({ name, arguments: args }));
    const search = { name: 'search', arguments: { query: 'otters', filter: { field: 'n', equals: n } } };
    vendor.when(ofTurn(0), { reply: '', toolCalls: [search] });
    vendor.when(ofTurn(1), { reply: '', toolCalls: obeyed });
    vendor.when(ofTurn(1 + calls.length), { reply: says });
    const turn = await chat(gateway, { message: `Question ${n}. What do otters do?`, tools: ['search'] });
    return { text, turn, made: await callsOf(turn.runId), asked: obeyed };
  });
  for (const { text, turn, made, asked } of await Promise.all(turns)) {
    expect([text, turn.status, turn.error]).toEqual([text, 'SUCCEEDED', null]);
    expect([text, made]).toEqual([text, ['search SUCCEEDED', ...asked.map(({ name }) => `${name} FAILED`)]]);
    expect([text, waysOut(turn.text), waysOut(turn.reply?.text ?? '')]).toEqual([text, [], []]);
  }
});
