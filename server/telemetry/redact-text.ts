export const redacted = '[redacted]';

/** Guessing reads no further: its cost is bounded, and a log line is cut long before. */
const maxRead = 10_000;

/**
 * Takes secrets out of a text: every configured one, as it is, as it stands in a URL and in JSON, and whatever looks like
 * one. `secrets` may hold whole connection URLs: their passwords are then secrets as well.
 */
export function createTextRedactor(secrets: readonly string[]): (text: string) => string {
  const configured = configuredPattern(secrets);
  return (text) => {
    let clean = (configured === undefined ? text : text.replace(configured, redacted)).slice(0, maxRead);
    for (const [pattern, replacement] of wellKnown) clean = clean.replace(pattern, replacement);
    return clean;
  };
}

/** What gives itself away by its shape or by the name before it. */
const wellKnown: readonly (readonly [RegExp, string])[] = [
  // scheme://user:password@host; the last @ before the path, since passwords are often not encoded as they should be.
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@]{0,200}):[^\s/?#]{1,500}@/gi, `$1:${redacted}@`],
  [/\b(Bearer) +[\w.~+/=-]{8,}/gi, `$1 ${redacted}`],
  [/\b(Basic) +(?=[A-Za-z0-9+/]*[0-9A-Z+/=])[A-Za-z0-9+/]{12,}={0,2}/g, `$1 ${redacted}`],
  [/\bsk-[\w-]{8,}/g, redacted],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, redacted],
  // A header in a dump of headers, to the end of its line.
  [/\b((?:proxy-)?authorization|x-api-key|(?:set-)?cookie)( ?: ?)[^\r\n"'}]+/gi, `$1$2${redacted}`],
  // name=value, "name":"value"; not `name: words`, which is how faults of a configuration read.
  [
    /((?:api[_-]?key|passw(?:or)?d|secret|authorization|(?:access|refresh|id)[_-]?token)["']?(?:=|\\?["']? ?: ?\\?["']))(?!\[redacted\])[^\s"'\\,;&}]+/gi,
    `$1${redacted}`,
  ],
];

function configuredPattern(secrets: readonly string[]): RegExp | undefined {
  const spellings = new Set<string>();
  for (const secret of secrets.flatMap((each) => [each, ...passwordsOf(each)])) {
    if (secret === '') continue;
    spellings.add(secret);
    spellings.add(encodeURIComponent(secret.toWellFormed()));
    spellings.add(JSON.stringify(secret).slice(1, -1));
  }
  if (spellings.size === 0) return undefined;
  // The longest first: of two secrets, one the beginning of the other, nothing must be left over.
  const longestFirst = [...spellings].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((each) => each.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

/** As it stands in the URL, and decoded. */
function passwordsOf(text: string): string[] {
  const password = URL.parse(text)?.password ?? '';
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
