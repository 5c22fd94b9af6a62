/** `s•••@warung.id`: enough for whoever knows the address to recognise it, and for nobody else to write to it. */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, at > 1 ? 1 : 0)}•••${address.slice(at)}`;
}
