import type { LinkKind } from './known-links.ts';

export interface Reading {
  /** Where it leads; of a tag all its addresses. */
  readonly destinations: readonly string[];
  /** Just behind it; of what is no link for want of its end, behind the destination. */
  readonly end: number;
}

export interface DestinationReading extends Reading {
  /** False: the brackets are not closed as Markdown wants it. A reader that is less strict may take it for a link all the same. */
  readonly isClosed: boolean;
}

/** No real one is longer. */
const maxLength = 4_096;

/** `](destination "title")` or `]: destination` at the beginning of a text that is still arriving. */
export function readDestination(pending: string, isEnd: boolean): DestinationReading | 'none' | 'partial' | 'endless' {
  const text = pending.slice(0, maxLength);
  const more = pending.length > maxLength ? 'endless' : isEnd ? 'none' : 'partial';
  const start = afterBlank(text, 2);
  if (start === text.length) return more;
  if (text.charAt(1) === ':') return definition(text, start, more);
  const found = text.charAt(start) === '<' ? inAngles(text, start) : bareDestination(text, start);
  if (found === null) return more;
  const { destination, end } = found;
  let close = afterBlank(text, end);
  if (close === text.length) return more;
  const quote = closingQuote(text.charAt(close));
  if (quote !== null && close > end) {
    const titleEnd = unescaped(text, close + 1, quote);
    if (titleEnd === text.length) return more;
    close = afterBlank(text, titleEnd + 1);
    if (close === text.length) return more;
  }
  const isClosed = text.charAt(close) === ')';
  return { destinations: [destination], end: isClosed ? close + 1 : end, isClosed };
}

/** What follows it, tags of HTML too, is looked at by itself: it may be no definition after all. */
function definition<T>(text: string, start: number, more: T): DestinationReading | 'none' | T {
  const angle = text.charAt(start) === '<' ? 1 : 0;
  const length = text.slice(start + angle).search(/[\s<>]/);
  if (length < 0 && more === 'partial') return more;
  const end = length < 0 ? text.length : start + angle + length;
  const destination = text.slice(start + angle, end);
  const close = angle === 1 && text.charAt(end) === '>' ? 1 : 0;
  return destination === '' ? 'none' : { destinations: [destination], end: end + close, isClosed: true };
}

/** Null: its end has not come yet. A line's end within it makes it none, and so it ends there. */
function inAngles(text: string, start: number): { destination: string; end: number } | null {
  const end = unescaped(text, start, '>', '\n');
  if (end === text.length) return null;
  return { destination: text.slice(start + 1, end), end: end + (text.charAt(end) === '>' ? 1 : 0) };
}

/** Where one of the marks stands that no backslash takes for a letter; the length of the text: nowhere. */
function unescaped(text: string, from: number, ...marks: readonly string[]): number {
  let at = from;
  while (at < text.length && !marks.includes(text.charAt(at))) at += text.charAt(at) === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

function bareDestination(text: string, start: number): { destination: string; end: number } | null {
  let depth = 0;
  for (let end = start; end < text.length; end += 1) {
    const character = text.charAt(end);
    if (character === '\\' && /[!-/:-@[-`{-~]/.test(text.charAt(end + 1))) end += 1;
    else if (character === '(') depth += 1;
    else if (/\s/.test(character) || (character === ')' && depth-- === 0)) {
      return { destination: text.slice(start, end), end };
    }
  }
  return null;
}

/** A line that goes on in a quotation begins with its mark, which is no part of what goes on. */
function afterBlank(text: string, from: number): number {
  const blank = /(?:[^\S\n]|\n[\s>]*)*/y;
  blank.lastIndex = from;
  return from + (blank.exec(text)?.[0].length ?? 0);
}

function closingQuote(opening: string): string | null {
  if (opening === '"' || opening === "'") return opening;
  return opening === '(' ? ')' : null;
}

const linkAttributes = new Set([
  ...['href', 'cite', 'action', 'formaction', 'ping', 'xlink:href', 'src', 'srcset', 'poster', 'background', 'data'],
  ...['lowsrc', 'dynsrc', 'longdesc', 'imagesrcset', 'attributionsrc', 'icon', 'codebase', 'archive', 'manifest'],
]);
const activeTags = new Set([
  ...['script', 'style', 'base', 'meta', 'link', 'iframe', 'frame', 'object', 'embed', 'form', 'applet'],
  // They give an address to the tag around them.
  ...['set', 'animate', 'animatemotion', 'animatetransform'],
]);

export interface AngleReading extends Reading {
  readonly kind: LinkKind;
  /** It does more than show something: nothing of it is let through, wherever it leads. */
  readonly isActive: boolean;
}

/** `<https://…>` or a tag of HTML, at the beginning of a text that is still arriving. */
export function readAutolinkOrTag(pending: string, isEnd: boolean): AngleReading | 'none' | 'partial' | 'endless' {
  const text = pending.slice(0, maxLength);
  const more = pending.length > maxLength ? 'endless' : isEnd ? 'none' : 'partial';
  if (text.length === 1) return more;
  if (!/^<[a-z/]/i.test(text)) return 'none';
  const autolink = /^<([a-z][a-z0-9+.-]{1,31}:[^\s<>]*)(>?)/i.exec(text);
  if (autolink !== null) {
    const [all, destination = '', close] = autolink;
    if (close !== '') return { destinations: [destination], end: all.length, kind: 'link', isActive: false };
    if (all.length === text.length) return more;
  }
  const end = tagEnd(text);
  if (end === null) return more;
  return end === 0 ? 'none' : readTag(text.slice(0, end));
}

/**
 * Behind the `>` that closes the tag, attributes in quotes left aside; 0: it is none; null: it has not come yet. One at the beginning of a
 * line may be the mark of a quotation that the tag goes on in: then as much is read as could be the tag.
 */
function tagEnd(text: string): number | null {
  let quote = '';
  let isValue = false;
  let least = 0;
  for (let end = 1; end < text.length; end += 1) {
    const character = text.charAt(end);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '>') {
      if (!/\n[ \t>]*$/.test(text.slice(Math.max(0, end - 80), end))) return end + 1;
      least ||= end + 1;
    } else if (character === '<') return least;
    // Elsewhere it is an apostrophe of the text.
    else if (isValue && (character === '"' || character === "'")) quote = character;
    else if (character === '\n' && /^\s*\n/.test(text.slice(end + 1))) return least;
    isValue = character === '=' || (isValue && /\s/.test(character));
  }
  return null;
}

function readTag(tag: string): AngleReading {
  const name = /^<\/?([a-z][^\s/>]*)/i.exec(tag)?.[1]?.toLowerCase() ?? '';
  const attributes = [...tag.matchAll(/([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/g)].map(
    ([, attribute = '', ...values]) =>
      [attribute.toLowerCase(), values.find((value) => value !== undefined) ?? ''] as const,
  );
  const leads = attributes.filter(([attribute]) => linkAttributes.has(attribute));
  const acts = attributes.some(
    ([attribute, value]) => attribute.startsWith('on') || attribute === 'style' || /\burl\s*\(/i.test(value),
  );
  return {
    destinations: leads.map(([, value]) => value.trim()),
    end: tag.length,
    kind: name === 'a' || name === 'area' ? 'link' : 'image',
    isActive: acts || activeTags.has(name),
  };
}

const named: Readonly<Record<string, string>> = { colon: ':', sol: '/', period: '.', commat: '@', num: '#' };

/**
 * `&#58;`, `&colon;` or a backslash before `:`, `/` or `.` at the beginning of a text that is still arriving: what of an address was
 * written another way. Other entities stay as they are, since decoded they could be marks of Markdown or HTML.
 */
export function readEntity(text: string): { readonly text: string; readonly length: number } | 'none' | 'partial' {
  if (text.startsWith('\\')) {
    if (text.length === 1) return 'partial';
    return /^\\[:/.]/.test(text) ? { text: text.charAt(1), length: 2 } : 'none';
  }
  const [all = ''] = /^&#?\w{0,10};?/.exec(text) ?? [];
  if (!all.endsWith(';')) return all.length === text.length ? 'partial' : 'none';
  const body = all.slice(1, -1);
  const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(body);
  if (number === null) return body in named ? { text: named[body] ?? '', length: all.length } : 'none';
  const point = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
  const character = point < 128 ? String.fromCharCode(point) : '';
  return /[a-z0-9:/.@-]/i.test(character) ? { text: character, length: all.length } : 'none';
}
