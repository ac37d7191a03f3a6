/** `api.example.org`, `*.example.org` for every host below it, `*` for every host; `:8443` behind it names another port. */
export const hostPattern = /^(?:\*|(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::\d{1,5})?$/;

const defaultPort: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Null: it may be asked. Otherwise why not, to stand after the address. */
export function whyNotAllowed(url: URL, hosts: readonly string[]): string | null {
  const own = defaultPort[url.protocol];
  if (own === undefined) return `is not of http or https, but of ${url.protocol.replace(':', '')}`;
  if (url.username !== '' || url.password !== '') return 'holds a user or a password';
  const port = url.port === '' ? own : url.port;
  const name = url.hostname.replace(/\.$/, '');
  const isAllowed = hosts.some((pattern) => {
    const [host = '', listedPort] = pattern.split(':');
    if (listedPort === undefined ? port !== own : port !== listedPort) return false;
    if (host === '*') return true;
    return host.startsWith('*.') ? name.endsWith(host.slice(1)) : name === host;
  });
  return isAllowed ? null : `is of a host or port that http_get may not read (it may read ${hosts.join(', ')})`;
}
