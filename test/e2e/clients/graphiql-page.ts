import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** GraphiQL in a browser, as a person sees and uses it. */
export interface GraphiqlPage extends AsyncDisposable {
  readonly page: Page;
  /** Addresses that anything on the page has asked for, sockets among them. */
  readonly requested: readonly string[];
  /** Errors that the page has thrown or written to its console. */
  readonly faults: readonly string[];
  tabs(): Promise<string[]>;
  /** Opens a tab by its title, and waits until its operation is the one that would run. */
  openTab(title: string): Promise<void>;
  /** Presses the play button. */
  run(): Promise<void>;
  /** Until the operation that runs has ended. */
  ended(): Promise<void>;
  /** What the result pane shows, with every run of white space as one space. */
  shown(): Promise<string>;
  /** Until it shows what is looked for; throws with what it shows instead. */
  showing(wanted: string | RegExp): Promise<void>;
}

const showsWithinMs = 30_000;
const resultLines = '.result-window .view-line';

export async function openGraphiql(
  browser: Browser,
  url: string,
  options: Pick<BrowserContextOptions, 'viewport' | 'deviceScaleFactor'>,
): Promise<GraphiqlPage> {
  const page = await browser.newPage(options);
  const requested: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => requested.push(request.url()));
  page.on('websocket', (socket) => requested.push(socket.url()));
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(url);
  const tabs = page.getByRole('tablist', { name: 'Select active operation' }).getByRole('tab');
  const execute = page.getByRole('button', { name: /^Execute query/ });
  await tabs.first().waitFor();
  await execute.waitFor();

  const shown = async () => {
    const lines = await page.locator(resultLines).evaluateAll((nodes) =>
      nodes
        .map((node) => node as unknown as { readonly offsetTop: number; readonly textContent: string })
        .sort((one, other) => one.offsetTop - other.offsetTop)
        .map(({ textContent }) => textContent)
        .join(' '),
    );
    return lines.replace(/\s+/g, ' ').trim();
  };
  return {
    page,
    requested,
    faults,
    tabs: () => tabs.allInnerTexts(),
    async openTab(title) {
      await tabs.getByRole('button', { name: title, exact: true }).click();
      await page.waitForURL((address) => RegExp(`^\\w+ ${title} `, 'm').test(address.searchParams.get('query') ?? ''));
    },
    run: () => execute.click(),
    ended: () => execute.waitFor(),
    shown,
    async showing(wanted) {
      const until = performance.now() + showsWithinMs;
      for (;;) {
        const text = await shown();
        if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return;
        if (performance.now() > until) throw new Error(`expected ${wanted} in the result pane, which shows: ${text}`);
        await page.waitForTimeout(20);
      }
    },
    [Symbol.asyncDispose]: () => page.close(),
  };
}
