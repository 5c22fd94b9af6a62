import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Response } from 'express';
import helmet from 'helmet';

/** Where browsers tell what a policy kept them from: older ones by `report-uri`, newer ones by `report-to`. */
export const CSP_REPORTS_PATH = '/csp-reports';
/** Ends every content security policy, those of pages (answer.ts) and of /docs (plumbing.ts) too. */
export const CSP_REPORTING = `report-uri ${CSP_REPORTS_PATH}; report-to csp`;

/** For JSON: nothing may be loaded, run or framed. Pages bring a policy of their own. */
const JSON_POLICY = `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; ${CSP_REPORTING}`;

/** What no page of Alur needs; helmet leaves this header to its user. */
const PERMISSIONS_POLICY = [
  'accelerometer',
  'browsing-topics',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'publickey-credentials-get',
  'usb',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * Sets what helmet sets, and what it leaves to its user. That is the same for every answer, so helmet, a chain of a
 * dozen middlewares, is asked once and not with each request.
 */
export function createSecurityHeaders(publicUrl: string): (res: Response) => void {
  const secure = helmet({
    contentSecurityPolicy: false,
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    // Over plain http browsers ignore it, and on one machine it would bar every other server on localhost.
    strictTransportSecurity: publicUrl.startsWith('https:') ? { maxAge: YEAR_SECONDS, includeSubDomains: true } : false,
  });
  const sample = new ServerResponse(new IncomingMessage(new Socket()));
  secure(sample.req, sample, () => undefined);
  const headers = Object.entries(sample.getHeaders()).map(([name, value]) => [name, String(value)] as const);
  headers.push(
    ['Content-Security-Policy', JSON_POLICY],
    ['Permissions-Policy', PERMISSIONS_POLICY],
    ['Reporting-Endpoints', `csp="${publicUrl}${CSP_REPORTS_PATH}"`],
  );
  return (res) => {
    for (const [name, value] of headers) res.setHeader(name, value);
  };
}
