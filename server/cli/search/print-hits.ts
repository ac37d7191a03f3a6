import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { printableLine } from '../printable.ts';
import type { SearchHit } from './search-operation.ts';

const excerptCharacters = 240;
const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&#x27;': "'",
};

/** Numbered results: title and score, where it is, and what matched. Matches are bold where the stream shows it. */
export function printHits(hits: readonly SearchHit[], stream: Writable): void {
  hits.forEach((hit, index) => {
    const { document } = hit.node;
    const title = printableLine(document.title ?? document.externalId);
    const place = [document.externalId, document.url].filter((part) => part !== null).map(printableLine);
    stream.write(`${index === 0 ? '' : '\n'}${index + 1}. ${title}  (${hit.score.toFixed(3)})\n`);
    stream.write(`   ${place.join('  ')}\n`);
    stream.write(`   ${excerpt(hit, stream)}\n`);
  });
}

function excerpt(hit: SearchHit, stream: Writable): string {
  if (hit.highlights.length === 0) {
    const text = printableLine(hit.node.text);
    return text.length <= excerptCharacters ? text : `${text.slice(0, excerptCharacters).toWellFormed()}…`;
  }
  return hit.highlights
    .map((fragment) =>
      fragment
        .split(/(<mark>.*?<\/mark>)/gsu)
        .map((part) => styled(part, stream))
        .join(''),
    )
    .join(' … ');
}

/** Highlights are HTML: everything but <mark> is escaped. */
function styled(part: string, stream: Writable): string {
  const marked = part.startsWith('<mark>');
  const html = marked ? part.slice('<mark>'.length, -'</mark>'.length) : part;
  const text = html.replace(/&(?:amp|lt|gt|quot|#39|#x27);/gu, (entity) => entities[entity] ?? entity);
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ');
  return marked ? styleText('bold', line, { stream }) : line;
}
