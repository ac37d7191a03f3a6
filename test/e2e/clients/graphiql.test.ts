import { randomUUID } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { findChromium, launchChromium } from './browser.ts';
import { type GraphiqlPage, openGraphiql } from './graphiql-page.ts';
import { playTeam, teamAnswer, teamGoal } from './team-run.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
let browser: Browser;
let graphiql: GraphiqlPage;
const viewport = { width: 1_600, height: 4_000 };

// CI installs one: there its absence is a failure, of launchChromium.
const cannotRun = findChromium() === null && !process.env['CI'];

describe.skipIf(cannotRun)('GraphiQL in Chromium', () => {
  beforeAll(async () => {
    const config = opened.use(await configFile({ tools: { settings: { calculate: { requiresApproval: true } } } }));
    const environment = { ...config.environment, SLUICE_SEED_DOCS: 'true' };
    ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment })));
    browser = await launchChromium();
    opened.defer(() => browser.close());
    // One page, as a person has one: to load it anew for each test would take most of their time.
    // Search hits are long, and the editor has only those lines on the page that are in view.
    graphiql = await openGraphiql(browser, gateway.url, { viewport });
  });
  afterAll(() => opened.disposeAsync());

  it('loads nothing from elsewhere, and has a tab for every common operation', async () => {
    expect(await graphiql.tabs()).toEqual(['Search', 'Searches', 'Chat', 'Ingest', 'DeferredSummary']);
    expectOwnOrigin();
    expect(graphiql.faults).toEqual([]);
  });

  it('shows the text of a chat grow', async () => {
    const words = 'A run goes on when its client disconnects, and the client can follow it to its end [1].'.split(' ');
    const gates = [4, 12].map((afterTokens) => ({ afterTokens, ...Promise.withResolvers<void>() }));
    vendor.next({
      reply: words.join(' '),
      gates: gates.map(({ afterTokens, promise: opened }) => ({ afterTokens, opened })),
    });
    await graphiql.openTab('Chat');
    await graphiql.run();
    for (const { afterTokens, resolve } of gates) {
      await graphiql.showing(`"textSoFar": "${words.slice(0, afterTokens).join(' ')}"`);
      resolve();
    }
    await graphiql.ended();
    await graphiql.showing(`"text": "${words.join(' ')}", "citations": [ { "number": 1,`);
    // Sent by POST: an address has no room for a long message.
    expect(graphiql.requested.filter((url) => url.includes('query='))).toEqual([]);
    expectOwnOrigin();
    expect(graphiql.faults).toEqual([]);
  });

  it('shows the hits first and their summary when it is written', async () => {
    const hold = Promise.withResolvers<void>();
    vendor.next({ reply: 'Every answer cites its passages [1].', hold: hold.promise });
    await graphiql.openTab('DeferredSummary');
    await graphiql.run();
    await graphiql.showing(/^\{ "data": \{ "search": \{ "nodes": \[ \{ "text": "/);
    expect(await graphiql.shown()).not.toContain('"summary"');
    hold.resolve();
    await graphiql.ended();
    await graphiql.showing(/"summary": \{ "text": "Every answer cites its passages \[1\]\."/);
    expect(graphiql.faults).toEqual([]);
  });

  it.each([
    ['Search', /"edges": \[ \{ "score": \d.*"document": \{ "title": "/],
    ['Searches', /^\{ "data": \{ "limits": \{ "nodes": \[ \{ "document": .*"citations": .*"files": /],
    ['Ingest', /"finished": \{ "status": "SUCCEEDED", "documentsDone": 1, "documentsSkipped": 0, "failures": \[\]/],
  ])('runs the tab %s', async (title, result) => {
    await graphiql.openTab(title);
    await graphiql.run();
    await graphiql.showing(result);
    await graphiql.ended();
    expect(await graphiql.shown()).not.toContain('"errors"');
    expectOwnOrigin();
    expect(graphiql.faults).toEqual([]);
  });

  it('follows a team to its end, while the approval that it waits for is given in another window', async () => {
    const stop = playTeam(vendor);
    const runId = randomUUID();
    const { agent, goal } = teamGoal();
    await using following = await openOperation(`subscription Team {
      agent(input: { runId: "${runId}", agent: "${agent}", goal: "${goal}" }) {
        __typename seq
        ... on RunParked { runStatus }
        ... on RunFinished { run { status ... on AgentRun { output { text } steps { key toolCalls { tool status } } } } }
      }
    }`);
    await following.run();
    await following.showing(/"__typename": "RunParked", "seq": \d+, "runStatus": "AWAITING_APPROVAL"/);
    const waiting = `query Waiting { run(runId: "${runId}") { pendingApprovals { id tool } } }`;
    await using looking = await openOperation(waiting);
    await looking.run();
    await looking.showing('"tool": "calculate"');
    const [, toolCallId] = /"id": "([^"]+)"/.exec(await looking.shown()) ?? [];
    await using approving = await openOperation(`mutation Approve {
      resolveApproval(input: { runId: "${runId}", toolCallId: "${toolCallId}", approve: true }) { run { runId } }
    }`);
    await approving.run();
    await approving.showing(runId);
    await following.ended();
    await following.showing(`"status": "SUCCEEDED", "output": { "text": "${teamAnswer}" }`);
    expect(await following.shown()).toContain('"tool": "calculate", "status": "SUCCEEDED"');
    for (const { faults } of [following, looking, approving]) expect(faults).toEqual([]);
    stop();
  });

  it('is still itself, with its tabs, after a reload', async () => {
    await graphiql.openTab('Chat');
    expect(new URL(graphiql.page.url()).searchParams.get('query')).toContain('subscription Chat');
    // GraphiQL keeps which tab is open, half a second later.
    await graphiql.page.waitForFunction(`JSON.parse(localStorage['graphiql:tabState'] ?? '{}').activeTabIndex === 2`);
    await graphiql.page.reload();
    await graphiql.page.getByRole('tab', { name: 'Chat', selected: true }).waitFor();
    expect(await graphiql.tabs()).toContain('DeferredSummary');
  });
});

/** A window of its own, which an address with an operation opens. */
const openOperation = (query: string): Promise<GraphiqlPage> =>
  openGraphiql(browser, `${gateway.url}?${new URLSearchParams({ query })}`, { viewport });

function expectOwnOrigin(): void {
  const { requested } = graphiql;
  const { origin } = new URL(gateway.url);
  expect(requested.length).toBeGreaterThan(1);
  expect(requested.filter((url) => new URL(url).origin !== origin)).toEqual([]);
}
