import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from './browser.ts';
import { type ClientRig, startClientRig } from './rig.ts';

const opened = new AsyncDisposableStack();
let rig: ClientRig;
let browser: Browser;
let page: Page;
const faults: string[] = [];
const foreign: string[] = [];

const cannotRun = findChromium() === null && !process.env['CI'];
const reply = 'Fishing boats leave at four in the morning [1]. They come back at noon, when the tide allows it.';

describe.skipIf(cannotRun)('examples/chat.html in Chromium', () => {
  beforeAll(async () => {
    rig = opened.use(await startClientRig());
    browser = await launchChromium();
    opened.defer(() => browser.close());
  });
  afterAll(() => opened.disposeAsync());
  afterEach(async () => {
    await page.close();
    expect(faults.splice(0)).toEqual([]);
    expect(foreign.splice(0)).toEqual([]);
  });

  it('shows the text grow, its sources, and after a reload the same run again', async () => {
    const gate = Promise.withResolvers<void>();
    const before = rig.vendor.calls('/chat/completions').length;
    rig.vendor.next({ reply, gates: [{ afterTokens: 6, opened: gate.promise }] });
    await open();
    await ask('When do fishing boats leave?');
    await showing('article.assistant .text', reply.split(' ').slice(0, 6).join(' '));
    await page.reload();
    await showing('article.assistant .text', reply.split(' ').slice(0, 6).join(' '));
    gate.resolve();
    await showing('article.assistant .text', reply);
    await showing('.sources', 'The harbour');
    await page.locator('#send').waitFor();
    expect(await page.locator('article').count()).toBe(2);
    expect(rig.vendor.calls('/chat/completions').length - before).toBe(1);

    rig.vendor.next({ reply: 'At noon.' });
    await ask('And when do they come back?');
    await showing('article.assistant:last-child .text', 'At noon.');
    await page.locator('#send').waitFor();
    await page.reload();
    await showing('article.assistant:last-child .text', 'At noon.');
    expect(await page.locator('article').allInnerTexts()).toHaveLength(4);
  });

  it('stops a run, down to the provider', async () => {
    rig.vendor.next({ reply, gates: [{ afterTokens: 3, opened: new Promise(() => {}) }] });
    await open();
    await page.locator('#new').click();
    await ask('When do fishing boats leave?');
    await showing('article.assistant .text', 'Fishing boats leave');
    await page.locator('#cancel').click();
    await showing('article.assistant .note', 'Stopped.');
    const call = rig.vendor.calls('/chat/completions').at(-1);
    expect(call && (await rig.vendor.waitForClose(call))).toMatchObject({ completed: false });
  });

  it('makes no markup of what a model writes', async () => {
    // What loads something from elsewhere has been taken out on its way already.
    const hostile = '<b onmouseover="document.title=1" style="position:fixed;inset:0">Read this</b>';
    rig.vendor.next({ reply: hostile });
    await open();
    await page.locator('#new').click();
    await ask('Say something hostile.');
    await showing('article.assistant .text', '<b onmouseover=');
    await page.locator('#send').waitFor();
    expect(await page.title()).toBe('Sluice: chat');
    expect(await page.locator('article b').count()).toBe(0);
  });
});

async function open(): Promise<void> {
  const { origin } = new URL(rig.gateway.url);
  page = await browser.newPage();
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('request', (request) => new URL(request.url()).origin !== origin && foreign.push(request.url()));
  await page.goto(`${origin}/chat`);
}

async function ask(question: string): Promise<void> {
  await page.locator('#question').fill(question);
  await page.locator('#send').click();
}

async function showing(selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).last().waitFor();
}
