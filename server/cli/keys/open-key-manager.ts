import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import { ConfigError, loadConfig } from '../../config/config.ts';
import { type ConnectionOptions, connectionFrom } from '../client/connection.ts';
import { CommandError } from '../command-error.ts';
import { databaseKeyManager } from './database-key-manager.ts';
import { gatewayKeyManager } from './gateway-key-manager.ts';
import type { KeyManager } from './key-manager.ts';

/**
 * The database of the gateway's own configuration, or, with --url or SLUICE_URL, a gateway. An embedded database that a gateway
 * has open cannot be opened a second time: then that gateway is asked.
 */
export async function openKeyManager(
  options: ConnectionOptions,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<KeyManager> {
  if (options.url || environment['SLUICE_URL']) return gatewayKeyManager(connectionFrom(options, environment), signal);
  const config = await loadConfig(environment).catch((error: unknown) => {
    throw error instanceof ConfigError ? new CommandError(error.message, { cause: error }) : error;
  });
  try {
    return await databaseKeyManager(config);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code !== 'CONFLICT') throw new CommandError(error.message, { cause: error });
    const url = `http://127.0.0.1:${config.port}/graphql`;
    return gatewayKeyManager(connectionFrom({ url, ...options }, environment), signal);
  }
}
