import { launchChromium } from '../test/e2e/clients/browser.ts';
import { openGraphiql } from '../test/e2e/clients/graphiql-page.ts';
import { startGateway } from '../test/helpers/gateway.ts';

// Writes docs/images/graphiql.png: GraphiQL of a gateway without a key, after its chat tab has been run.
await using gateway = await startGateway({ environment: { SLUICE_SEED_DOCS: 'true' } });
const browser = await launchChromium();
try {
  await using graphiql = await openGraphiql(browser, gateway.url, { viewport: { width: 1_280, height: 720 } });
  await graphiql.openTab('Chat');
  await graphiql.run();
  await graphiql.showing('"RunFinished"');
  await graphiql.ended();
  await graphiql.page.mouse.move(0, 0);
  await graphiql.page.screenshot({ path: 'docs/images/graphiql.png' });
} finally {
  await browser.close();
}
