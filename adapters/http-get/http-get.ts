import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Tool } from '../../core/contracts/tool.ts';
import { whyNotAllowed } from './allowed-hosts.ts';
import { type Answer, boundedGet } from './bounded-get.ts';
import { checkedLookup, type Resolve } from './checked-lookup.ts';
import { readPage } from './read-page.ts';

export interface HttpGetOptions {
  /** See allowed-hosts.ts; at least one. */
  readonly hosts: readonly string[];
  /** Of one answer, unpacked; what is longer is cut. */
  readonly maxBytes: number;
  /** Characters of JSON that the whole result may have; a longer text is cut. */
  readonly maxResultChars: number;
  readonly resolve?: Resolve;
  /** Stands between the checked look-up and the socket; left out: nothing does. */
  readonly dial?: (lookup: LookupFunction) => LookupFunction;
}

const maxRedirects = 5;
const maxUrlChars = 2_000;
/** Of the result beside its text. */
const restChars = 2 * maxUrlChars + 1_000;

/** Reads a page or an answer of an API at the hosts that the operator listed, at public addresses only, redirects included. */
export function httpGet({ hosts, maxBytes, maxResultChars, resolve = systemResolve, dial }: HttpGetOptions): Tool {
  const checked = checkedLookup(resolve);
  const socketLookup = dial?.(checked) ?? checked;
  return {
    name: 'http_get',
    description: `Reads a web page or an answer of an API by GET, as text. Only hosts on this list can be read: ${hosts.join(', ')}`,
    parameters: {
      type: 'object',
      properties: {
        url: { type: 'string', minLength: 1, maxLength: maxUrlChars, description: 'Absolute, of http or https' },
      },
      required: ['url'],
      additionalProperties: false,
    },
    requiresApproval: false,
    source: 'BUILTIN',
    changesWorld: false,
    timeoutMs: 15_000,
    resultSchema: null,
    async call({ url: written }, { signal }) {
      let url = readUrl(String(written), undefined);
      for (let redirects = 0; ; redirects += 1) {
        const why = whyNotAllowed(url, hosts);
        if (why !== null) throw new GatewayError('FORBIDDEN', `${redirects === 0 ? 'url' : 'The redirect'} ${why}.`);
        const answer = await boundedGet(url, { maxBytes, lookup: socketLookup, signal });
        if (answer.location === null) return { value: await result(url, answer, maxResultChars, signal) };
        if (redirects === maxRedirects) {
          throw new GatewayError('FORBIDDEN', `The page redirects more than ${maxRedirects} times.`);
        }
        const next = readUrl(answer.location, url);
        if (url.protocol === 'https:' && next.protocol === 'http:') {
          throw new GatewayError('FORBIDDEN', 'The redirect leads from https to http.');
        }
        url = next;
      }
    },
  };
}

const systemResolve: Resolve = (host) => lookup(host, { all: true });

function readUrl(written: string, base: URL | undefined): URL {
  const url = written.length > maxUrlChars ? null : URL.parse(written, base);
  if (url !== null) return url;
  const what = base === undefined ? 'url' : 'The redirect';
  throw new GatewayError('BAD_INPUT', `${what} must be an absolute URL of at most ${maxUrlChars} characters.`);
}

async function result(
  url: URL,
  { status, contentType, body, isCut }: Answer,
  maxResultChars: number,
  signal: AbortSignal,
) {
  const page = await readPage(body, contentType, url.href, signal);
  if (page === null) {
    const type = contentType.slice(0, 100) || 'none';
    throw new GatewayError('BAD_INPUT', `The answer must be text, HTML, JSON, XML or YAML, got the type ${type}.`);
  }
  const text = within(page.text, Math.max(maxResultChars - restChars, 0));
  const isWhole = !isCut && text.length === page.text.length;
  return { url: url.href, status, title: page.title?.slice(0, 300) ?? null, text, isWhole };
}

/** The beginning of a text that is at most so long as JSON; half a character at its end is left out. */
function within(text: string, maxChars: number): string {
  let kept = text.slice(0, maxChars);
  for (let over = jsonChars(kept) - maxChars; over > 0; over = jsonChars(kept) - maxChars) {
    kept = kept.slice(0, -Math.max(1, Math.ceil(over / 6)));
  }
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}

const jsonChars = (text: string): number => JSON.stringify(text).length - 2;
