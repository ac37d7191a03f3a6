import type { Source } from '../../core/contracts/model-provider.ts';
import { splitSentences } from '../../core/text/sentences.ts';
import { contentStems } from '../../core/text/words.ts';

/** A sentence that could stand in an answer: `text` is literally in its source. */
export interface Candidate {
  readonly text: string;
  readonly source: number;
  /** Its place among all sentences: sources in their order, sentences in theirs. */
  readonly position: number;
  /** 0, 1, 2 … within its source. */
  readonly place: number;
  readonly stems: ReadonlySet<string>;
  /** Words of its title, its heading, and of the question it answers in a list of questions and answers. */
  readonly heading: ReadonlySet<string>;
  /** Words of its whole source. */
  readonly passage: ReadonlySet<string>;
}

const maxLength = 500;
/** What a citation mark looks like. Inside a quoted sentence it would become a citation of the answer. */
const marks = /\s*(?:\[\s*\d+(?:\s*[,;–-]\s*\d+)*\s*\]|【\s*\d[^】]*】)/;
/** An image is no sentence, whatever its description says. */
const image = /!\[[^\]]*\][([]/;
const trailingMarks = new RegExp(`(?:${marks.source})+$`);

/** The sentences of prose in the sources. Overlapping passages say some twice: the first one stays. */
export function candidates(sources: readonly Source[]): Candidate[] {
  const found: Candidate[] = [];
  const seen = new Set<string>();
  for (const source of sources) {
    const title = contentStems(source.title ?? '');
    const passage = new Set([...title, ...contentStems(source.text)]);
    let heading: readonly string[] = [];
    let place = 0;
    for (const sentence of splitSentences(source.text)) {
      if (sentence.kind === 'heading' || sentence.text.endsWith('?')) {
        heading = contentStems(sentence.text);
        continue;
      }
      const text = sentence.text.replace(trailingMarks, '');
      const key = text.replace(/\s+/g, ' ');
      const isProse = sentence.kind !== 'code' && sentence.kind !== 'table';
      if (!isProse || !isQuotable(text) || seen.has(key)) continue;
      seen.add(key);
      found.push({
        text,
        source: source.number,
        position: found.length,
        place,
        stems: new Set(contentStems(text)),
        heading: new Set([...title, ...heading]),
        passage,
      });
      place += 1;
    }
  }
  return found;
}

function isQuotable(text: string): boolean {
  const backticks = text.split('`').length - 1;
  return (
    text.length <= maxLength &&
    (text.match(/[\p{L}\p{N}]+/gu) ?? []).length >= (/[\u3040-\u9fff]/.test(text) ? 1 : 3) &&
    // What introduces a list or a block says nothing without it.
    !/[:：]$/.test(text) &&
    !/\n\s*>/.test(text) &&
    !marks.test(text) &&
    !image.test(text) &&
    // An open code span would swallow the mark that follows.
    backticks % 2 === 0
  );
}
