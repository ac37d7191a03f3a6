import { Command, InvalidArgumentError, Option } from 'commander';
import { type Scope, scopes } from '../../core/contracts/api-key-store.ts';
import packageJson from '../../package.json' with { type: 'json' };
import type { CommandContext } from './command-context.ts';

/**
 * The command line. Each action is imported when it runs, so that `sluice --help` and `sluice search` don't wait for what
 * only `sluice start` needs.
 */
export function createProgram(context: CommandContext): Command {
  const program = new Command('sluice')
    .description('A GraphQL gateway for AI services: search, cited chat and streaming behind one typed graph.')
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failure, 2 wrong usage, 130 interrupted. LOG_LEVEL=debug shows stack traces.',
    );

  program
    .command('start')
    .description('Start the gateway. Configured by environment variables and SLUICE_CONFIG; zero configuration works.')
    .action(async () => (await import('./commands/start.ts')).start(context));

  clientCommand(program, 'ingest')
    .description('Read md, txt, html, pdf, csv and jsonl files, and put them into a collection.')
    .argument('<paths...>', 'files, or folders that are walked')
    .addOption(collectionOption())
    .action(async (paths, options) => (await import('./commands/ingest.ts')).ingest(paths, options, context));

  clientCommand(program, 'search')
    .description('Search a collection.')
    .argument('<query>', 'words or a question')
    .addOption(collectionOption())
    .option('--first <number>', 'how many results, 1–100', resultCount, 10)
    .addOption(new Option('--mode <mode>', 'how to rank').choices(['hybrid', 'vector', 'keyword']).default('hybrid'))
    .option('--json', 'print the result as JSON')
    .action(async (query, options) => (await import('./commands/search.ts')).search(query, options, context));

  clientCommand(program, 'chat')
    .description(
      'Ask a question about a collection. Without a message: a conversation (Ctrl-C cancels the answer, Ctrl-D exits).',
    )
    .argument('[message]', 'the question')
    .addOption(collectionOption())
    .option('--model <name>', "the model that answers (default: the gateway's)")
    .option('--no-retrieval', 'answer without looking anything up')
    .option('--conversation <id>', 'go on with this conversation')
    .action(async (message, options) => (await import('./commands/chat.ts')).chat(message, options, context));

  keyCommands(program.command('key').description('Make, list and revoke API keys.'), context);

  return program;
}

/** At the database of the gateway's own configuration; with --url, or while a gateway has that open, through the gateway. */
function keyCommands(keys: Command, context: CommandContext): void {
  clientCommand(keys, 'create')
    .description('Make a key. Its secret is printed once.')
    .requiredOption('--name <name>', 'for people; unique in the tenant')
    .requiredOption('--scopes <scopes>', `with commas between them: ${scopes.join(', ')}`, scopeList)
    .option('--tenant <tenant>', 'whose key it is (default: default, or that of the key it is made with)')
    .option('--expires <when>', 'a time such as 2030-01-31T12:00:00Z, or 12h, 30d from now (default: never)', moment)
    .option('--requests-per-minute <number>', 'at most so many operations', amount)
    .option('--tokens-per-minute <number>', 'at most so many tokens of models', amount)
    .option('--usd-per-day <number>', 'at most so many US dollars, a day in UTC', amount)
    .option('--runs-at-once <number>', 'at most so many runs under way', amount)
    .option('--allow-unknown-price', 'let a key with a budget use models whose price is not known')
    .action(async (options) => (await import('./commands/key.ts')).createKey(options, context));

  clientCommand(keys, 'list')
    .description('List the keys of a tenant, newest first.')
    .option('--tenant <tenant>', 'whose keys')
    .option('--json', 'print one JSON object a line')
    .action(async (options) => (await import('./commands/key.ts')).listKeys(options, context));

  clientCommand(keys, 'revoke')
    .description('Revoke a key: what it holds open ends within seconds.')
    .argument('<prefix>', 'as sluice key list shows it')
    .option('--tenant <tenant>', 'whose key it is')
    .action(async (prefix, options) => (await import('./commands/key.ts')).revokeKey(prefix, options, context));
}

function clientCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .option('--url <url>', 'the gateway (default: SLUICE_URL, or http://127.0.0.1:4000/graphql)')
    .option('--api-key <key>', 'the key (default: SLUICE_API_KEY)');
}

function collectionOption(): Option {
  return new Option('--in <collection>', 'the collection').default('default');
}

function scopeList(value: string): readonly Scope[] {
  return value.split(',').map((part) => {
    const scope = scopes.find((known) => known === part.trim().toUpperCase());
    if (scope === undefined) throw new InvalidArgumentError(`There is no scope "${part.trim()}".`);
    return scope;
  });
}

function moment(value: string): Date {
  const [, count, unit] = /^(\d{1,6})([hd])$/.exec(value) ?? [];
  const time =
    count === undefined ? Date.parse(value) : Date.now() + Number(count) * (unit === 'h' ? 1 : 24) * 3_600_000;
  if (!Number.isNaN(time)) return new Date(time);
  throw new InvalidArgumentError('It must be a time such as 2030-01-31T12:00:00Z, or a span such as 12h or 30d.');
}

/** Whether it is a fit one, the gateway says. */
function amount(value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It must be a number.');
}

function resultCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new InvalidArgumentError('It must be a whole number, 1–100.');
  }
  return count;
}
