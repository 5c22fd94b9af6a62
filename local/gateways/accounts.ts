/** What this machine's merchant and its gateways share, made from one secret so that both sides know it without asking. */

export interface GatewayAccounts {
  readonly xendit: { readonly secretKey: string; readonly callbackToken: string };
  readonly stripe: { readonly secretKey: string; readonly webhookSecret: string };
  /** Of the state's registries, which stand on the same port. */
  readonly registries: { readonly token: string };
  /** The same of the carrier. */
  readonly carrier: { readonly key: string; readonly webhookSecret: string };
  readonly billplz: { readonly apiKey: string; readonly xSignatureKey: string; readonly collectionId: string };
}

/** @param secret marked as one of the local mode, so that production refuses whatever is made from it */
export const gatewayAccounts = (secret: string): GatewayAccounts => ({
  xendit: { secretKey: `${secret}-xendit`, callbackToken: `${secret}-xendit-callback` },
  stripe: { secretKey: `${secret}-stripe`, webhookSecret: `whsec_${secret}-stripe` },
  registries: { token: `${secret}-registries` },
  carrier: { key: `${secret}-carrier`, webhookSecret: `${secret}-carrier-webhook` },
  billplz: { apiKey: `${secret}-billplz`, xSignatureKey: `${secret}-billplz-signature`, collectionId: 'alur' },
});
