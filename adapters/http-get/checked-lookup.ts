import type { LookupAddress, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { isPublicAddress } from './public-address.ts';

/** All addresses of a host, as the system's resolver knows them now. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/**
 * A `lookup` for sockets: it resolves a name once, and hands exactly the addresses that it has checked to the socket. What a name
 * stands for may change between two look-ups; there is no second one. One address that is not public refuses the name as a whole.
 */
export function checkedLookup(resolve: Resolve): LookupFunction {
  return (host: string, options: LookupOptions, callback) => {
    resolve(host).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) callback(notFound(host), '');
        else if (!addresses.every(({ address }) => isPublicAddress(address))) callback(notPublic(host), '');
        else if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      () => callback(notFound(host), ''),
    );
  };
}

/** Which address it was is nothing that a model should learn about the network. */
export const notPublic = (host: string): GatewayError =>
  new GatewayError(
    'FORBIDDEN',
    `${host.slice(0, 253)} leads to an address that is not public; http_get reads public ones only.`,
  );

const notFound = (host: string): GatewayError =>
  new GatewayError('NOT_FOUND', `${host.slice(0, 253)} was not found: it has no address.`);
