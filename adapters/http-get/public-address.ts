import ipaddr from 'ipaddr.js';

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
/** Where a network translates addresses (NAT64), the last 32 bits are the IPv4 address that is reached. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Whether an address is one of the public internet: no private, loopback, link-local (the metadata services of clouds), shared,
 * multicast or reserved one, and no IPv6 address that carries such an IPv4 address. Tunnels (6to4, Teredo) are refused whatever they carry.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // Unpacks ::ffff:127.0.0.1.
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === 'unicast';
  if (parsed.match(nat64)) return isPublicAddress(parsed.toByteArray().slice(12).join('.'));
  // Outside of it nothing is assigned, and there are old forms that carry IPv4 addresses: ::7f00:1.
  return parsed.match(globalUnicast) && parsed.range() === 'unicast';
}
