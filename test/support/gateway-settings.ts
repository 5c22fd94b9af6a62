import type { GatewaySettings } from '../../activities/gateways/index.ts';
import { gatewayAccounts } from '../../local/gateways/accounts.ts';

/** Where the registries of a run are asked, and with what token. */
export const registrySettings = (midtransServerKey: string, sandboxUrl: string) => ({
  url: `${sandboxUrl}/registries`,
  token: gatewayAccounts(midtransServerKey).registries.token,
});

/** Where the carrier of a run sells labels; `webhookSecret` signs what it tells. */
export const carrierSettings = (midtransServerKey: string, sandboxUrl: string) => ({
  url: `${sandboxUrl}/carrier`,
  ...gatewayAccounts(midtransServerKey).carrier,
});

/** Accounts and addresses of the sandboxes of a run, as the worker is told them. */
export function gatewaySettings(midtransServerKey: string, sandboxUrl: string, publicUrl: string): GatewaySettings {
  const { xendit, stripe, billplz } = gatewayAccounts(midtransServerKey);
  return {
    midtrans: { serverKey: midtransServerKey, snapUrl: `${sandboxUrl}/midtrans`, apiUrl: `${sandboxUrl}/midtrans` },
    xendit: { ...xendit, apiUrl: `${sandboxUrl}/xendit` },
    stripe: { ...stripe, apiUrl: `${sandboxUrl}/stripe` },
    billplz: { ...billplz, apiUrl: `${sandboxUrl}/billplz/api`, callbackUrl: `${publicUrl}/webhooks/billplz` },
  };
}
