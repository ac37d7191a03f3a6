import { Counter, type Registry } from 'prom-client';

/** Hears of every HTTP answer; `path` is one of the gateway's own, or "other". */
export type CountAnswer = (path: string, status: number) => void;

export function httpMetrics(registry: Registry): CountAnswer {
  const requests = new Counter({
    name: 'sluice_http_requests_total',
    help: 'HTTP requests by path and status, refused ones too.',
    labelNames: ['path', 'status'],
    registers: [registry],
  });
  return (path, status) => requests.inc({ path, status });
}
