import type { GatewaySettings } from '../../activities/gateways/index.ts';
import { gatewayAccounts } from '../../local/gateways/accounts.ts';

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
