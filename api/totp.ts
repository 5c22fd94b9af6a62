/** Codes of an authenticator app (RFC 6238): SHA-1, six digits, steps of 30 seconds, as every app knows them. */
import { generateSecret, generateURI, verifySync } from 'otplib';
import { toString as qrCode } from 'qrcode';

const PERIOD_SECONDS = 30;
const OPTIONS = { strategy: 'totp', algorithm: 'sha1', digits: 6, period: PERIOD_SECONDS } as const;
const ISSUER = 'Alur';

/** 160 bits in base32, as an authenticator app takes it. */
export const newTotpKey = (): string => generateSecret();

/** What a QR code for an authenticator app says. @param account shown there beside the issuer, such as an address */
export const otpauthUrl = (secret: string, account: string): string =>
  generateURI({ ...OPTIONS, secret, issuer: ISSUER, label: account });

/** An SVG of paths only, black on white, without a size of its own. */
export const qrSvg = (text: string): Promise<string> => qrCode(text, { type: 'svg', errorCorrectionLevel: 'M' });

/**
 * The time step that this code belongs to, of the one at `at` and its neighbours; null = none of them. A clock may be
 * half a minute off. Who takes the code must see to it that the step was not taken before.
 * @param code six digits
 */
export function totpStep(secret: string, code: string, at: Date): number | null {
  const epoch = Math.floor(at.getTime() / 1000);
  const result = verifySync({ ...OPTIONS, secret, token: code, epoch, epochTolerance: PERIOD_SECONDS });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}
