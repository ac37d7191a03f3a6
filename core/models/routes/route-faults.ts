import type { RouteOptions } from './route-options.ts';

/** A fault of the configuration, under its path in `routes`. */
export interface RouteFault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What is known of a provider where routes are checked. */
export interface KnownProvider {
  readonly name: string;
  /** Null: it takes names that nobody has listed. */
  readonly models: readonly string[] | null;
}

/** Everything that makes routes unusable, all at once. */
export function routeFaults(routes: readonly RouteOptions[], providers: readonly KnownProvider[]): RouteFault[] {
  const names = new Set(routes.map(({ name }) => name));
  return routes.flatMap((route) => [
    ...targetFaults(route, providers),
    ...largerContextFaults(route, routes, names, providers),
  ]);
}

function targetFaults(route: RouteOptions, providers: readonly KnownProvider[]): RouteFault[] {
  const faults: RouteFault[] = [];
  if (route.targets.length === 0) {
    faults.push({ path: [route.name, 'targets'], message: 'a route needs at least one target, got none' });
  }
  for (const [index, { provider, model }] of route.targets.entries()) {
    const path = [route.name, 'targets', String(index)];
    const known = providers.find(({ name }) => name === provider);
    if (known === undefined) {
      const message = `expected one of the providers ${providers.map(({ name }) => name).join(', ')}`;
      faults.push({ path: [...path, 'provider'], message });
    } else if (known.models?.includes(model) === false) {
      const message = `${provider} has the models ${known.models.join(', ')} only`;
      faults.push({ path: [...path, 'model'], message });
    }
    const isTwice = route.targets.findIndex((each) => each.provider === provider && each.model === model) < index;
    if (isTwice) faults.push({ path, message: `${provider}/${model} is a target of this route already` });
  }
  return faults;
}

function largerContextFaults(
  route: RouteOptions,
  routes: readonly RouteOptions[],
  names: ReadonlySet<string>,
  providers: readonly KnownProvider[],
): RouteFault[] {
  const { name, largerContext } = route;
  if (largerContext === undefined) return [];
  const path = [name, 'largerContext'];
  if (!names.has(largerContext)) {
    const isKnown = providers.some(
      (provider) =>
        provider.models === null ||
        provider.models.includes(largerContext) ||
        largerContext.startsWith(`${provider.name}/`),
    );
    return isKnown ? [] : [{ path, message: 'expected a route or a model of a provider' }];
  }
  const seen = [name];
  for (let next: string | undefined = largerContext; next !== undefined; ) {
    const isCycle = seen.includes(next);
    seen.push(next);
    if (isCycle) return [{ path, message: `a route must not lead back to itself: ${seen.join(' → ')}` }];
    next = routes.find((each) => each.name === next)?.largerContext;
  }
  return [];
}
