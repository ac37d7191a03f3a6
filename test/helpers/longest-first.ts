import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, by name, longest first: mostly starts of processes, or waits for time to pass. */
const longest = [
  'deploy/production-install',
  'faults/faults',
  'e2e/durability/kill',
  'adapters/postgres/embedded',
  'e2e/fuzz',
  'e2e/seed',
  'e2e/clients/graphiql',
  'e2e/agents/team',
  'core/models/resilience',
  'server/cli/start',
  'server/shutdown',
  'e2e/durability/failed-start',
  'e2e/runs/killed-process',
  'server/secrets',
  'server/cli/key',
];

/**
 * The longest files begin first, so that no core waits for one of them in the end. Vitest orders files by their time in the last run,
 * and where there has been none, as in CI and after an install, by their size, which says little.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      return found < 0 ? longest.length : found;
    };
    // Stable, and the files of a project stay together: that they share a process depends on it.
    const projects = Map.groupBy(await super.sort(files), ({ project }) => project);
    return [...projects.values()].flatMap((ofProject) => ofProject.sort((one, other) => rank(one) - rank(other)));
  }
}
