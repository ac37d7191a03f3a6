/** What a process exports, as Prometheus reads it. */
export interface Exported {
  readonly text: string;
  /** The sum of all series of the name that have these labels; 0 when there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
  /** Name → names of its labels, over all its series; those of histograms without their suffix and `le`. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** `url` of the endpoint: the metrics are beside it. */
export async function readMetrics(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Exported> {
  const response = await fetch(new URL('/metrics', url), { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`/metrics answered ${response.status}: ${text}`);
  return parseMetrics(text);
}

export function parseMetrics(text: string): Exported {
  const series = text.split('\n').flatMap((line) => {
    const [, name, inner = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const labels = Object.fromEntries(
      [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', of = '']) => [key, of]),
    );
    return [{ name, labels, value: Number(value) }];
  });
  // Declared ones too: a counter that nothing has counted yet has no series.
  const labels = new Map<string, Set<string>>();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\w+) /gm)) labels.set(name, new Set());
  for (const { name, labels: own } of series) {
    const base = labels.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');
    const names = labels.get(base) ?? new Set();
    for (const label of Object.keys(own)) if (label !== 'le') names.add(label);
    labels.set(base, names);
  }
  return {
    text,
    labels,
    value: (name, wanted = {}) =>
      series
        .filter((each) => each.name === name)
        .filter((each) => Object.entries(wanted).every(([key, value]) => each.labels[key] === value))
        .reduce((sum, each) => sum + each.value, 0),
  };
}
