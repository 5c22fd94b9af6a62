/**
 * Reads what Billplz sends, off the wire: callbacks to us, and what it hangs on the address of the payer's way back.
 * Pure: storing, signalling and answering are the route's. https://www.billplz.com/api#payment-completion
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { NotificationReading } from './notification.ts';

const said = z.object({
  id: z.string().min(1),
  collection_id: z.string().min(1),
  paid: z.enum(['true', 'false']),
  state: z.string().min(1),
  amount: z.string().regex(/^\d+$/),
  paid_amount: z.string().regex(/^\d+$/),
  url: z.string().default(''),
  paid_at: z.string().default(''),
  transaction_id: z.string().optional(),
  transaction_status: z.string().optional(),
});

/**
 * `ok` = Billplz wrote this body. **The reference is not part of it**: whoever holds one genuine callback could send it to
 * the address of another payment. And the signature joins names and values without a mark between them, so that other
 * fields with the same join are signed as well. So ask Billplz for the bill and compare its `reference_1` before acting.
 * @param rawBody the form as received.
 * @param address where it was sent, path and query or whole: `/webhooks/billplz?reference=…`.
 * @param xSignatureKey the "X Signature Key" of the account's settings; an empty one lets nobody in.
 */
export function readBillplzNotification(rawBody: Buffer, address: string, xSignatureKey: string): NotificationReading {
  const fields = new URLSearchParams(rawBody.toString('utf8'));
  if (!fields.has('id') || hasRepeats(fields)) return { ok: false, problem: 'malformed' };
  if (!isSigned(fields, 'x_signature', xSignatureKey)) return { ok: false, problem: 'bad_signature' };
  const body = said.safeParse(Object.fromEntries(fields));
  if (!body.success) return { ok: false, problem: 'malformed' };
  const { id } = body.data;
  return {
    ok: true,
    notification: {
      gateway: 'billplz',
      reference: referenceIn(address) ?? id,
      objectId: id,
      status: statusOf(body.data),
      body: body.data,
    },
  };
}

export type RedirectReading =
  | { readonly ok: true; readonly billId: string; readonly paid: boolean }
  | { readonly ok: false; readonly problem: 'bad_signature' | 'malformed' };

/**
 * What Billplz tells the payer's browser to say: good for showing the right page at once, never for counting money.
 * @param address where the browser came to, with `billplz[id]`, `billplz[paid]`, `billplz[paid_at]`, `billplz[x_signature]`.
 */
export function readBillplzRedirect(address: string, xSignatureKey: string): RedirectReading {
  // The signature is over names without brackets: `billplzid`, `billplzpaid`, `billplzpaid_at`.
  const fields = new URLSearchParams();
  for (const [name, value] of queryOf(address)) {
    if (/^billplz\[[a-z_]+\]$/.test(name)) fields.append(name.replace(/[[\]]/g, ''), value);
  }
  const billId = fields.get('billplzid');
  const paid = fields.get('billplzpaid');
  if (!billId || hasRepeats(fields)) return { ok: false, problem: 'malformed' };
  if (!isSigned(fields, 'billplzx_signature', xSignatureKey)) return { ok: false, problem: 'bad_signature' };
  if (paid !== 'true' && paid !== 'false') return { ok: false, problem: 'malformed' };
  return { ok: true, billId, paid: paid === 'true' };
}

// Two values under one name leave open which of them counts.
const hasRepeats = (fields: URLSearchParams): boolean => new Set(fields.keys()).size !== [...fields.keys()].length;

function isSigned(fields: URLSearchParams, signatureField: string, key: string): boolean {
  const given = fields.get(signatureField);
  // Buffer.from stops quietly at the first character that is not hex, so the length alone proves nothing.
  if (key === '' || given === null || !/^[0-9a-f]{64}$/i.test(given)) return false;
  return timingSafeEqual(Buffer.from(given, 'hex'), xSignature(fields, signatureField, key));
}

/**
 * https://www.billplz.com/api#x-signature: each name with its value, sorted without regard to case and byte by byte (a
 * locale would put `_` elsewhere), joined by `|`; HMAC-SHA256.
 */
function xSignature(fields: URLSearchParams, signatureField: string, key: string): Buffer {
  const elements = [...fields].filter(([name]) => name !== signatureField).map(([name, value]) => name + value);
  const sorted = elements.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.toLowerCase()), Buffer.from(b.toLowerCase())),
  );
  return createHmac('sha256', key).update(sorted.join('|')).digest();
}

const queryOf = (address: string): URLSearchParams =>
  new URLSearchParams(address.includes('?') ? address.slice(address.indexOf('?') + 1) : '');

function referenceIn(address: string): string | null {
  const reference = queryOf(address).get('reference');
  return reference !== null && /^[A-Za-z0-9._~-]{1,50}$/.test(reference) ? reference : null;
}

/** A try that fails leaves the bill `due`; two such tries are told apart only by their transaction, if it is told. */
function statusOf({ state, paid_amount, transaction_id, transaction_status }: z.infer<typeof said>): string {
  const transaction = transaction_id ? [`${transaction_id}:${transaction_status ?? ''}`] : [];
  return [state.toLowerCase(), paid_amount, ...transaction].join('/');
}
