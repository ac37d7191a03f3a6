import { describe, expect, test } from 'vitest';
import { chatBody } from '../../../adapters/openai/chat-body.ts';
import { openaiProvider } from '../../../adapters/openai/openai-provider.ts';
import type { Attachment } from '../../../core/contracts/model-provider.ts';
import { all, apiKey, failure, never, request, start } from './setup.ts';

describe('the request on the wire', () => {
  test('carries the key, the messages and the wish for usage, and nothing that was not asked for', async () => {
    const { vendor, provider } = await start();
    const messages = [
      { role: 'SYSTEM', text: 'Be short.' },
      { role: 'USER', text: 'Hi' },
      { role: 'ASSISTANT', text: 'Hello!' },
      { role: 'USER', text: 'And?' },
    ] as const;
    await all(provider.chat(request({ messages }), never()));
    const call = await vendor.waitForCall('/chat/completions');
    expect(call.headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    });
    expect(call.body).toEqual({
      model: 'gpt-4.1-mini',
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello!' },
        { role: 'user', content: 'And?' },
      ],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test('carries every option under its own name', async () => {
    const { vendor, provider } = await start();
    const schema = { type: 'object', properties: { answer: { type: 'string' } } };
    const reply = await provider.complete(
      request({
        temperature: 0,
        topP: 0.5,
        stop: ['END'],
        seed: 7,
        reasoningEffort: 'NONE',
        maxOutputTokens: 50,
        responseSchema: schema,
      }),
      never(),
    );
    expect(JSON.parse(reply.text)).toEqual({ answer: 'text' });
    expect((await vendor.waitForCall('/chat/completions')).body).toEqual({
      model: 'gpt-4.1-mini',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: false,
      temperature: 0,
      top_p: 0.5,
      stop: ['END'],
      seed: 7,
      reasoning_effort: 'none',
      max_tokens: 50,
      response_format: { type: 'json_schema', json_schema: { name: 'reply', schema } },
    });
  });

  test('lets providerOptions add, but not replace what the gateway decides', async () => {
    const { vendor, provider } = await start();
    const providerOptions = {
      model: 'other',
      messages: [],
      stream: false,
      temperature: 1,
      top_k: 40,
      stream_options: { include_usage: false, include_obfuscation: false },
    };
    await all(provider.chat(request({ temperature: 0.2, providerOptions }), never()));
    expect((await vendor.waitForCall('/chat/completions')).body).toMatchObject({
      model: 'gpt-4.1-mini',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      temperature: 0.2,
      top_k: 40,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
    await provider.complete(request({ providerOptions }), never());
    const { body } = await vendor.waitForCall('/chat/completions', 2);
    expect(body).toMatchObject({ stream: false, temperature: 1 });
    expect(body).not.toHaveProperty('stream_options');
  });

  test('limits the output by the field that the server knows', () => {
    const limited = request({ maxOutputTokens: 9 });
    expect(chatBody(limited, false, 'max_tokens')).toMatchObject({ max_tokens: 9 });
    expect(chatBody(limited, false, 'max_completion_tokens')).toMatchObject({ max_completion_tokens: 9 });
  });

  test('sends no Authorization without a key, and the headers that were configured', async () => {
    const { vendor, provider } = await start({ apiKey: null, headers: { 'x-team': 'blue' } });
    await failure(provider.complete(request(), never()));
    const { headers } = await vendor.waitForCall('/chat/completions');
    expect(headers.authorization).toBeUndefined();
    expect(headers['x-team']).toBe('blue');
  });

  test('is sent once: an error is not tried again here', async () => {
    const { vendor, provider } = await start();
    vendor.when(() => true, { status: 500 });
    await failure(provider.complete(request(), never()));
    await failure(all(provider.chat(request(), never())));
    expect(vendor.calls()).toHaveLength(2);
  });
});

describe('attachments', () => {
  const parts: readonly (readonly [string, Attachment, object])[] = [
    [
      'an image at a URL',
      { mimeType: 'image/png', url: 'https://example.com/a.png' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    ],
    [
      'an image as data',
      { mimeType: 'image/jpeg', base64: 'AAAA' },
      { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,AAAA' } },
    ],
    [
      'a wav',
      { mimeType: 'audio/wav', base64: 'AAAA' },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    ],
    [
      'an mp3',
      { mimeType: 'audio/mpeg', base64: 'AAAA' },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
    ],
    [
      'a PDF',
      { mimeType: 'application/pdf', base64: 'AAAA' },
      { type: 'file', file: { filename: 'attachment.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
    ],
    [
      'a text',
      { mimeType: 'text/markdown; charset=utf-8', base64: Buffer.from('# Größe').toString('base64') },
      { type: 'text', text: '# Größe' },
    ],
  ];
  test.each(parts)('sends %s as the part that the protocol has for it', async (_, attachment, part) => {
    const { vendor, provider } = await start();
    const messages = [{ role: 'USER', text: 'What is this?', attachments: [attachment] }] as const;
    await provider.complete(request({ messages }), never());
    expect((await vendor.waitForCall('/chat/completions')).body).toMatchObject({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, part] }],
    });
  });

  const faults: readonly (readonly [string, Attachment, string])[] = [
    ['a type without a part', { mimeType: 'video/mp4', base64: 'AAAA' }, 'got "video/mp4"'],
    ['a PDF at a URL', { mimeType: 'application/pdf', url: 'https://example.com' }, 'application/pdf, got a url'],
    ['a text at a URL', { mimeType: 'text/plain', url: 'https://example.com' }, 'text/plain, got a url'],
    ['a sound at a URL', { mimeType: 'audio/wav', url: 'https://example.com' }, 'audio/wav, got a url'],
    ['a text that is none', { mimeType: 'text/plain', base64: '//79' }, 'must hold UTF-8 text'],
    ['nothing', { mimeType: 'image/png' }, 'got neither url nor base64'],
  ];
  test.each(faults)('refuses %s and names it, before any call', async (_, attachment, message) => {
    const { vendor, provider } = await start();
    const asked = request({ messages: [{ role: 'USER', text: 'Hm?', attachments: [attachment] }] });
    for (const error of [
      await failure(provider.complete(asked, never())),
      await failure(all(provider.chat(asked, never()))),
    ]) {
      expect(error).toMatchObject({ code: 'BAD_INPUT', retryable: false });
      expect(error.message).toContain('messages[0].attachments[0]');
      expect(error.message).toContain(message);
    }
    expect(vendor.calls()).toHaveLength(0);
  });

  test('refuses what has no place on the wire: TOOL messages without their call, attachments of others than the user', async () => {
    const { provider } = await start();
    const tool = request({ messages: [{ role: 'TOOL', text: '42' }] });
    expect((await failure(provider.complete(tool, never()))).message).toContain('messages[0] is a TOOL message');
    const attachments = [{ mimeType: 'image/png', base64: 'AAAA' }];
    const said = request({ messages: [{ role: 'ASSISTANT', text: 'Look', attachments }] });
    expect((await failure(provider.complete(said, never()))).message).toContain('messages[0].attachments');
  });
});

describe('the base URL', () => {
  test.each(['not a url', 'ftp://example.com', 'https://me:secret@example.com/v1', 'https://example.com/v1?version=2'])(
    'must be an http or https URL without credentials or query, got %s',
    (baseUrl) => {
      expect(() => openaiProvider({ baseUrl, apiKey })).toThrow(/^baseUrl must be/);
      expect(() => openaiProvider({ baseUrl, apiKey })).not.toThrow(/secret/);
    },
  );

  test('may end in a slash', async () => {
    const { vendor } = await start();
    const provider = openaiProvider({ baseUrl: `${vendor.url}/`, apiKey });
    expect(await provider.models(never())).toHaveLength(2);
  });
});
