import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../../authenticate.ts';
import type { Config } from '../../config/config-schema.ts';
import { refuse } from '../../http/answers.ts';
import type { Telemetry } from '../telemetry.ts';
import { metricsPath, metricsRefusal } from './metrics-endpoint.ts';

interface MetricsParts {
  readonly config: Pick<Config, 'metrics'>;
  readonly access: () => Access;
  readonly telemetry: Pick<Telemetry, 'registry'>;
}

/** For Prometheus; also while the gateway is not ready yet, or stops. */
export async function answerMetrics(
  { config, access, telemetry: { registry } }: MetricsParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { authorization } = request.headers;
  switch (
    metricsRefusal(
      authorization,
      await access()
        .authenticate(authorization)
        .catch(() => null),
      config.metrics.token,
    )
  ) {
    case null: {
      response.writeHead(200, { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' });
      response.end(await registry.metrics());
      return;
    }
    case 'UNAUTHENTICATED':
      response.setHeader('WWW-Authenticate', 'Bearer');
      return refuse(
        response,
        401,
        'UNAUTHENTICATED',
        `${metricsPath} needs a key with the scope OPERATOR, or metrics.token, as Authorization: Bearer <key>.`,
      );
    case 'FORBIDDEN':
      return refuse(
        response,
        403,
        'FORBIDDEN',
        `${metricsPath} needs a key with the scope OPERATOR, or metrics.token.`,
      );
  }
}
