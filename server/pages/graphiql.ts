import type { IncomingMessage } from 'node:http';
import { graphqlPath } from '../app.ts';
import { graphiqlTabs } from './graphiql-tabs.ts';
import { makePage, type Page } from './page.ts';

/** A person's browser. GraphiQL keeps the shown operation in `?query=`, so a reload of the page has one too. */
export function wantsGraphiql({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/**
 * GraphiQL leaves its tabs moved aside by their first animation, and hides that by a rule that ends with the focus: a tab
 * that is pressed jumps away from under the pointer, and the click is lost.
 */
const keepTabsInPlace = '<style>.graphiql-tab { transform: none !important; }</style>';

let page: Promise<Page> | undefined;

/** GraphiQL, whole in one page of 9 MB: it loads nothing from elsewhere. */
export function graphiqlPage(): Promise<Page> {
  page ??= render();
  return page;
}

async function render(): Promise<Page> {
  // 50 MB of memory, and 0.1 s of a start, for gateways that nobody opens in a browser.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = renderGraphiQL({
    endpoint: graphqlPath,
    title: 'Sluice',
    defaultTabs: graphiqlTabs,
    subscriptionsProtocol: 'SSE',
    // Its default for subscriptions is GET, whose address has no room for a long message.
    method: 'POST',
  });
  return makePage('text/html', html.replace('</head>', `${keepTabsInPlace}</head>`));
}
