import { expect, it } from 'vitest';
import { createKey, revokeKey } from '../../helpers/api-keys.ts';
import { startGateway, startGatewayWithVendor } from '../../helpers/gateway.ts';
import { temporaryDatabase } from '../../helpers/test-database.ts';
import { startVendor } from '../../helpers/vendor/vendor.ts';

const viewer = '{ viewer { tenant keyName } }';

it('the first key closes an open gateway for good, and ends what was open', async () => {
  await using running = await startGatewayWithVendor();
  const { gateway } = running;
  const socket = gateway.socket();
  expect((await socket.iterate({ query: viewer }).next()).value.data).toMatchObject({ viewer: { keyName: null } });
  const kept = gateway.socket();
  const ended = new Promise((resolve) => kept.on('closed', resolve));
  const events = kept.iterate({
    query: 'subscription { runEvents(runId: "0190a0a0-0000-7000-8000-000000000000") { seq } }',
  });
  const told = events.next().catch((error: unknown) => error);
  await new Promise<void>((resolve) => void kept.on('connected', () => resolve()));
  const { secret, id, headers } = await createKey(gateway, { name: 'first', scopes: ['ADMIN'] });
  expect(await ended).toMatchObject({ code: 4403, reason: expect.stringMatching(/API key was created/) });
  await told;
  expect((await gateway.request(viewer)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  expect((await gateway.request(viewer, {}, { headers })).data).toEqual({
    viewer: { tenant: 'default', keyName: 'first' },
  });
  expect(await revokeKey(gateway, id, secret)).toBe(1);
  expect((await gateway.request(viewer)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
});

it('on an address that other machines reach, it starts with a key in the database and not without', async () => {
  await using vendor = await startVendor();
  await using database = await temporaryDatabase();
  const environment = { ...database.environment, HOST: '0.0.0.0' };
  await expect(startGateway({ vendor, environment })).rejects.toThrow(
    /^The configuration has a fault:\n- HOST: .*SLUICE_API_KEY.*sluice key create.*got "0\.0\.0\.0"/s,
  );
  const made = await startGateway({ vendor, environment: database.environment });
  const { headers } = await createKey(made, { name: 'first', scopes: ['CHAT'] });
  await made[Symbol.asyncDispose]();
  await using gateway = await startGateway({ vendor, environment });
  expect((await gateway.request(viewer)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  expect((await gateway.request(viewer, {}, { headers })).data).toMatchObject({ viewer: { keyName: 'first' } });
});
