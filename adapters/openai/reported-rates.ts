import type { ReportedRate, ReportedRates } from '../../core/contracts/model-provider.ts';

/** Where a header is read from: the SDK's Headers, or a reply as it came in. */
export type HeaderSource = Pick<Headers, 'get'>;

/** `x-ratelimit-*`, as OpenAI, Azure, Groq, Mistral and vLLM's proxies send them; null when there are none. */
export function reportedRates(headers: HeaderSource): ReportedRates | null {
  const requests = rateOf(headers, 'requests');
  const tokens = rateOf(headers, 'tokens');
  return requests === null && tokens === null ? null : { requests, tokens };
}

function rateOf(headers: HeaderSource, what: 'requests' | 'tokens'): ReportedRate | null {
  const sent = headers.get(`x-ratelimit-remaining-${what}`);
  const remaining = sent === null || sent.trim() === '' ? Number.NaN : Number(sent);
  if (!Number.isFinite(remaining)) return null;
  // Below zero: Azure owes tokens, too.
  return { remaining: Math.max(0, remaining), resetMs: durationMs(headers.get(`x-ratelimit-reset-${what}`)) };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Go's durations (`1m30.5s`, `20ms`), or plain seconds. */
function durationMs(sent: string | null): number | null {
  if (sent === null || sent.trim() === '') return null;
  const text = sent.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1_000);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return null;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    sum += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return Math.ceil(sum);
}
