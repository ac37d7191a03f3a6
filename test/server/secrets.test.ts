import { expect, it } from 'vitest';
import { temporaryDataDirectory } from '../helpers/embedded-database.ts';
import { startGatewayProcess } from '../helpers/gateway-process.ts';
import { startVendor } from '../helpers/vendor/vendor.ts';
import { askGraphql } from './edge.ts';

const gatewayKey = 'gateway-key-that-nobody-may-read';
const vendorKey = 'sk-vendor-key-that-nobody-may-read';
const words = 'words-that-a-person-wrote';

it('logs neither keys nor passwords nor what people wrote, however much it logs and whatever fails', async () => {
  await using directory = await temporaryDataDirectory();
  // It wants another key, so that every call fails, and says in its answer which one came.
  await using vendor = await startVendor({ apiKey: 'sk-the-right-one' });
  await using gateway = await startGatewayProcess({
    dataDir: directory.path,
    environment: {
      LOG_LEVEL: 'debug',
      SLUICE_API_KEY: gatewayKey,
      SLUICE_SEED_DOCS: 'false',
      OPENAI_API_KEY: vendorKey,
      OPENAI_BASE_URL: vendor.url,
    },
  });
  const authorization = `Bearer ${gatewayKey}`;
  const answers: string[] = [];
  for (const query of [
    `mutation { startChat(input: { message: "${words}" }) { run { finished { status error { message } } } } }`,
    `mutation { startIngest(input: { documents: [{ externalId: "a", text: "${words}" }] }) { run { finished { status error { message } } } } }`,
    `{ search(query: "${words}") { nodes { id } } embedding(text: "${words}") { tokens } models { name } health { ok components { name detail } } }`,
    `{ search(query: "${words}\\u0000") { nodes { id } } node(id: "${words}") { id } }`,
    `{ ${words}`,
  ]) {
    answers.push((await askGraphql(gateway.url, query, { authorization })).body);
    await askGraphql(gateway.url, query, { authorization: `Bearer ${gatewayKey}-wrong` });
    await askGraphql(`${gateway.url}?authorization=${gatewayKey}`, query);
  }
  expect(answers[0]).toContain('FAILED');
  expect(await gateway.stop()).toBe(0);
  expect(gateway.output).toContain('"level"');
  for (const secret of [gatewayKey, vendorKey]) {
    expect(gateway.output).not.toContain(secret);
    expect(answers.join('\n')).not.toContain(secret);
  }
  expect(gateway.output).not.toContain(words);
});
