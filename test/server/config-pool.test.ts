import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config/config.ts';
import { configFile } from '../helpers/config-file.ts';

async function load(values: Readonly<Record<string, unknown>>, environment: Readonly<Record<string, string>> = {}) {
  await using file = await configFile(values);
  return await loadConfig({ ...file.environment, ...environment });
}

async function faultsIn(values: Readonly<Record<string, unknown>>, environment = {}): Promise<readonly string[]> {
  const error = await load(values, environment).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${JSON.stringify(error)}`);
  return error.faults;
}

const near = { baseUrl: 'http://127.0.0.1:9/v1' };

describe('providers and routes in a configuration', () => {
  it('need no more than a preset and a key, a list of targets, and a name', async () => {
    const config = await load(
      {
        providers: { groq: { preset: 'groq', apiKey: '$GROQ_KEY' }, home: { preset: 'ollama' } },
        routes: {
          smart: {
            targets: [
              { provider: 'groq', model: 'llama-70b' },
              { provider: 'home', model: 'llama' },
            ],
          },
        },
        chatModel: 'smart',
      },
      { GROQ_KEY: 'gsk-secret' },
    );
    expect(config.providers['groq']).toMatchObject({ preset: 'groq', apiKey: 'gsk-secret', closed: false });
    expect(config.routes['smart']).toMatchObject({ policy: 'fallback', midStreamFallback: false });
  });

  it('report every fault at once, each under its path', async () => {
    const faults = await faultsIn({
      providers: {
        far: { baseUrl: 'https://models.example.com/v1' },
        nowhere: { apiKey: 'sk-1' },
        openai: near,
        twice: { ...near, models: [{ name: 'a' }, { name: 'a' }] },
        closed: { ...near, closed: true, models: [{ name: 'only' }] },
      },
      routes: {
        itself: { targets: [{ model: 'itself' }] },
        lost: {
          targets: [
            { provider: 'typo', model: 'a' },
            { provider: 'closed', model: 'other' },
          ],
        },
        one: { targets: [{ provider: 'twice', model: 'a' }], largerContext: 'two' },
        two: { targets: [{ provider: 'twice', model: 'a' }], largerContext: 'one' },
      },
    });
    expect(faults).toEqual([
      expect.stringMatching(/^providers\.far\.apiKey: expected a key/),
      expect.stringMatching(/^providers\.nowhere\.baseUrl: expected the address/),
      expect.stringMatching(/^providers\.openai: the name is taken/),
      expect.stringMatching(/^providers\.twice\.models\.1\.name: a is a model of this provider already, got "a"/),
      expect.stringMatching(/^routes\.lost\.targets\.0\.provider: expected one of .*twice.*, got "typo"/),
      expect.stringMatching(/^routes\.lost\.targets\.1\.model: closed has the models only only, got "other"/),
      expect.stringMatching(/^routes\.one\.largerContext: .*one → two → one/),
      expect.stringMatching(/^routes\.two\.largerContext: .*two → one → two/),
      expect.stringMatching(/^routes\.itself\.targets\.0\.model: itself is the route itself/),
    ]);
  });

  it('refuse a price below nothing, and a default that nobody has, with the nearest name', async () => {
    expect(await faultsIn({ providers: { p: { ...near, models: [{ name: 'm', inputUsdPerMillion: -1 }] } } })).toEqual([
      expect.stringMatching(/^providers\.p\.models\.0\.inputUsdPerMillion: .*>=0, got -1$/),
    ]);
    const closed = { ...near, closed: true, chatModel: 'talker' };
    const [fault] = await faultsIn({
      providers: { p: closed },
      routes: { smart: { targets: [{ model: 'talker' }] } },
      chatModel: 'smrt',
    });
    expect(fault).toMatch(/^chatModel: .*the nearest name is "smart", got "smrt"$/);
  });

  it('never repeat a key, and name the one whose variable is not set', async () => {
    const faults = await faultsIn({
      providers: {
        a: { baseUrl: 'https://user:sk-hidden@models.example.com/v1', apiKey: ['sk-hidden'] },
        b: { baseUrl: 'https://models.example.com/v1', apiKey: '$NOT_SET' },
      },
    });
    expect(faults.join('\n')).not.toContain('sk-hidden');
    expect(faults).toContainEqual(expect.stringMatching(/^providers\.a\.apiKey: /));
    expect(
      await faultsIn({ providers: { b: { baseUrl: 'https://models.example.com/v1', apiKey: '$NOT_SET' } } }),
    ).toEqual([expect.stringMatching(/^providers\.b\.apiKey: expected a key/)]);
  });
});
