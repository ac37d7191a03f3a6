import type { ResponseSchemas } from '../core/chat/response-schemas.ts';
import type { Logger } from '../core/contracts/logger.ts';
import { calculate } from '../core/tools/builtin/calculate.ts';
import { createToolbox, type Toolbox } from '../core/tools/toolbox.ts';
import type { Config } from './config-schema.ts';

/** The tools of this gateway: the built-in ones first, so that no server can take their names. */
export function openTools(
  config: Config,
  { schemas, logger }: { readonly schemas: ResponseSchemas; readonly logger: Logger },
): Toolbox {
  const builtin = [calculate];
  return createToolbox({
    providers: [{ tools: () => builtin }],
    ...{ schemas, logger },
    ...config.tools,
  });
}
