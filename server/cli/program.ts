import { Command, InvalidArgumentError, Option } from 'commander';
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

  return program;
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

function resultCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new InvalidArgumentError('It must be a whole number, 1–100.');
  }
  return count;
}
