/** Where a bare address ends at the latest. */
export const urlEnd = /[\s<>"]/;
/** What ends a sentence or a bracket rather than an address, where it stands last. */
const trailing = new Set("?!.,:;*_~'`)]}|\\。，、；：！？）」』】》");
const maxOwnBrackets = 8;
/** Within an address, where it may end: what follows it in a text without a space. */
const cut = /[)\]}'`|*,;\\]|\P{ASCII}/gu;
const maxCuts = 8;
const bare = /(?:[a-z][a-z0-9+.-]{1,30}:\/\/|(?<![a-z0-9.@/-])www\.)[^\s<>"]{1,4096}/gi;
const scheme = /[a-z][a-z0-9+.-]{1,30}:\/\//gi;
const maxRuns = 2_000;

/** Each address of a text, from its scheme, or `www.`, to the next blank; what stands after it without one may still be on it. */
export function urlRuns(text: string): string[] {
  const runs: string[] = [];
  // An address can stand within what seems to be another one: `[a](https://a.b)[c](https://d.e)`.
  for (const line of text.matchAll(bare)) {
    runs.push(line[0]);
    for (const { index } of line[0].matchAll(scheme)) if (index > 0) runs.push(line[0].slice(index));
    if (runs.length >= maxRuns) break;
  }
  return runs.slice(0, maxRuns);
}

export function withoutTrailing(run: string): string {
  let end = run.length;
  while (end > 0 && trailing.has(run.charAt(end - 1))) end -= 1;
  // A bracket that the address itself has opened belongs to it: /wiki/Otter_(animal).
  for (let own = 0; own < maxOwnBrackets && run.charAt(end) === ')'; own += 1) {
    const url = run.slice(0, end);
    if (count(url, '(') <= count(url, ')')) break;
    end += 1;
  }
  return run.slice(0, end);
}

/** What of a run may be the address: all of it first, then shorter and shorter. */
export function prefixesOf(run: string): string[] {
  const ends = [...run.matchAll(cut)].slice(0, maxCuts).map(({ index }) => index);
  const prefixes = [withoutTrailing(run), ...ends.toReversed().map((end) => withoutTrailing(run.slice(0, end)))];
  return [...new Set(prefixes)].filter((prefix) => prefix !== '');
}

/** One spelling for addresses that lead to the same place: scheme of the web, case of the host, fragment, last slash left out. */
export function canonicalUrl(url: string): string {
  const parsed = parse(url);
  if (parsed === null) return url;
  if (!isWeb(parsed)) return parsed.href;
  const { username, password, host, pathname, search } = parsed;
  const user = username === '' && password === '' ? '' : `${username}:${password}@`;
  return `${user}${withoutWww(host)}${pathname.replace(/\/+$/, '')}${search}`;
}

/** Addresses and texts that hold them, so that one can be looked for in the other: however its characters are escaped, in one case. */
export function comparable(text: string): string {
  return text
    .toWellFormed()
    .replace(/\P{ASCII}+/gu, encodeURIComponent)
    .replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .toLowerCase();
}

/** Null: it leads to no host of the web, or with a user's name, which hides one. */
export function hostOf(url: string): string | null {
  const parsed = parse(url) ?? parse(`https://${url}`);
  if (parsed === null || !isWeb(parsed) || parsed.username !== '' || parsed.password !== '') return null;
  return withoutWww(parsed.host);
}

/** It names a host, or another scheme than the web's: not a place within the page's own. */
function isAbsolute(destination: string): boolean {
  if (/^www\./i.test(destination)) return true;
  // As browsers read it: `//host` and `\\host` leave the page too, and so does `https:host` where the page is of http.
  return pages.some((page) => URL.parse(destination, page)?.host !== 'relative.invalid');
}

const pages = ['https://relative.invalid/', 'http://relative.invalid/'];
const entity = /&#?\w+;/;

/** Whether it may be absolute once Markdown and HTML have read it, who take entities and backslashes out of it. */
export function mayLeave(destination: string): boolean {
  return isAbsolute(destination) || isAbsolute(destination.replaceAll('\\', '')) || entity.test(destination);
}

const destination =
  /\]\(\s*<?([^\s<>)]{1,2000})|\]:\s*<?([^\s<>]{1,2000})|\b(?:href|src)\s*=\s*["']?([^\s"'<>]{1,2000})/gi;
const email = /\b[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}\b/gi;

/** Destinations of a text's links as they stand there, relative ones too, and mail addresses as links to them. */
export function linkDestinations(text: string): string[] {
  const written = [...text.matchAll(destination)].slice(0, maxRuns);
  const mails = [...text.matchAll(email)].slice(0, maxRuns);
  return [
    ...written.map((match) => match[1] ?? match[2] ?? match[3] ?? ''),
    ...mails.map(([address]) => `mailto:${address}`),
  ];
}

function parse(url: string): URL | null {
  return URL.parse(/^www\./i.test(url) ? `https://${url}` : url);
}

const isWeb = ({ protocol }: URL): boolean => protocol === 'https:' || protocol === 'http:';
const withoutWww = (host: string): string => host.replace(/^www\./, '');
const count = (text: string, character: string): number => text.split(character).length - 1;
