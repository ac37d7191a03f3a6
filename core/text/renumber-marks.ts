/** Code, fenced or inline: brackets in it are no marks. */
const code = /(```[\s\S]*?(?:```|$)|~~~[\s\S]*?(?:~~~|$)|(`+)(?!`)[^\n]*?\2)/;
const mark = /\[(\d{1,6})\]/g;

/** A cited text with other numbers in its marks; a number that `numberOf` does not know keeps its mark. */
export function renumberMarks(text: string, numberOf: (number: number) => number | undefined): string {
  let rest = text;
  let result = '';
  for (let match = code.exec(rest); match !== null; match = code.exec(rest)) {
    result += renumbered(rest.slice(0, match.index), numberOf) + match[0];
    rest = rest.slice(match.index + match[0].length);
  }
  return result + renumbered(rest, numberOf);
}

function renumbered(text: string, numberOf: (number: number) => number | undefined): string {
  return text.replace(mark, (whole, digits: string) => {
    const number = numberOf(Number(digits));
    return number === undefined ? whole : `[${number}]`;
  });
}
