import { createParser } from 'eventsource-parser';

/** What one reader saw of one stream. */
export interface Read {
  /** Of each token: its arrival − the time it was due. */
  readonly latenessMs: readonly number[];
  /** It came to its proper end, with nothing missing. */
  readonly whole: boolean;
  readonly events: number;
}

/** One stream read straight from the vendor, as an app without a gateway would. */
export async function bareStream(vendorUrl: string): Promise<Read> {
  const response = await fetch(`${vendorUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4.1-mini', stream: true, messages: [{ role: 'user', content: 'Question' }] }),
  });
  const latenessMs: number[] = [];
  let done = false;
  let events = 0;
  const parser = createParser({
    onEvent: ({ data }) => {
      events += 1;
      if (data === '[DONE]') {
        done = true;
        return;
      }
      const stamp: unknown = JSON.parse(data).choices[0]?.delta?.content;
      if (typeof stamp !== 'string' || stamp === '') return;
      latenessMs.push(performance.timeOrigin + performance.now() - Number(stamp));
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
  return { latenessMs, whole: done, events };
}
