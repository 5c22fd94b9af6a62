/** Blocks of addresses (CIDR) and whether an address is in one. An IPv4 address written as IPv6 counts as IPv4. */
import ipaddr from 'ipaddr.js';

export type NetworkProblem = 'not_a_network' | 'not_its_first_address';

export type ReadNetwork =
  | { readonly network: string; readonly problem?: undefined }
  | { readonly problem: NetworkProblem };

/**
 * A block as it is stored: `203.0.113.0/24`, `2001:db8::/32`. Not taken: addresses without a length, the short and octal
 * spellings that programs read differently, and blocks that do not start at their own address, which hide slips.
 */
export function readNetwork(text: string): ReadNetwork {
  if (!ipaddr.isValidCIDR(text) || text.includes('%') || isOldSpelling(text)) return { problem: 'not_a_network' };
  const [address, length] = ipaddr.parseCIDR(text);
  const plain = ipaddr.process(address.toString());
  if (plain.kind() !== address.kind()) {
    return length < MAPPED_BITS
      ? { problem: 'not_a_network' }
      : readNetwork(`${plain.toString()}/${length - MAPPED_BITS}`);
  }
  const network = `${address.toString()}/${length}`;
  return firstOf(network) === address.toString() ? { network } : { problem: 'not_its_first_address' };
}

/** ::ffff:0:0/96 holds the IPv4 addresses. */
const MAPPED_BITS = 96;

const isOldSpelling = (text: string): boolean => !text.includes(':') && !ipaddr.IPv4.isValidCIDRFourPartDecimal(text);

const firstOf = (cidr: string): string =>
  (cidr.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4).networkAddressFromCIDR(cidr).toString();

/** No blocks = from anywhere. An address that cannot be read is in none. */
export function inNetworks(address: string, networks: readonly string[] = []): boolean {
  if (networks.length === 0) return true;
  if (!ipaddr.isValid(address)) return false;
  const from = ipaddr.process(address);
  return networks.some((network) => {
    const block = ipaddr.parseCIDR(network);
    return block[0].kind() === from.kind() && from.match(block);
  });
}
