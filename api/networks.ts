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

/** Of an address that cannot be read. */
export const UNKNOWN = 'unknown';

/** `203.0.113.0/24`, `2001:db8:7::/48`. */
export const networkOf = (address: string | null): string => cut(address, 24, 48);

/** Who is behind an address, as far as one can tell: an IPv6 line has a whole /64. */
export const lineOf = (address: string | null): string => cut(address, 32, 64);

function cut(address: string | null, v4Bits: number, v6Bits: number): string {
  if (address === null || !ipaddr.isValid(address)) return UNKNOWN;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? `${ipaddr.IPv4.networkAddressFromCIDR(`${parsed}/${v4Bits}`)}/${v4Bits}`
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${withoutZone(parsed.toString())}/${v6Bits}`)}/${v6Bits}`;
}

const withoutZone = (address: string): string => address.replace(/%.*$/, '');
