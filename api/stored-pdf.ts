import type { FileStore } from '../db/files.ts';
import type { ApplicationId, CompanyId, OrderId, Sha256, SubscriptionId } from '../domain/ids.ts';
import type { ApiDeps } from './deps.ts';
import { type StreamReply, stream } from './reply.ts';
import type { Changes } from './waiting.ts';

/**
 * A PDF that Alur made and stored, shown in the browser.
 * @param number of the licence or invoice: the file is called after it, with hyphens for its slashes
 */
export async function storedPdf(files: FileStore, sha256: Sha256, number: string): Promise<StreamReply> {
  const file = await files.open(sha256);
  if (!file) throw new Error(`the PDF of ${number} is missing from the store`);
  return stream('application/pdf', file.stream, {
    bytes: file.bytes,
    filename: `${number.replaceAll('/', '-')}.pdf`,
    disposition: 'inline',
    etag: `"${sha256}"`,
    headers: { 'Cache-Control': 'private, no-cache' },
  });
}

const STORED_WITHIN_MS = 10_000;

/**
 * A PDF is made right after the record that it belongs to: who asks in between is answered once it is stored.
 * @returns null when it takes longer than a person waits
 */
export async function onceStored<Id extends string>(
  changes: Changes<Id>,
  id: Id,
  read: () => Promise<Sha256 | null>,
): Promise<Sha256 | null> {
  const until = performance.now() + STORED_WITHIN_MS;
  const done = new AbortController();
  try {
    for (;;) {
      // Listening before reading: a PDF stored between the two would be waited for in vain.
      const changed = changes.waitForChange(id, until - performance.now(), done.signal);
      const found = await read();
      if (found || !(await changed)) return found;
    }
  } finally {
    done.abort();
  }
}

/** The same for a paper about an invoice: whoever makes it speaks on the channel of what the invoice is of. */
export async function onceMade(
  { changes, companyChanges }: Pick<ApiDeps, 'changes' | 'companyChanges'>,
  paper: {
    readonly applicationId: ApplicationId | null;
    readonly subscriptionId: SubscriptionId | null;
    readonly orderId?: OrderId | null;
    readonly companyId: CompanyId;
  },
  read: () => Promise<Sha256 | null>,
): Promise<Sha256 | null> {
  const { applicationId, subscriptionId, orderId, companyId } = paper;
  if (applicationId) return onceStored(changes, applicationId, read);
  return subscriptionId || orderId ? onceStored(companyChanges, companyId, read) : null;
}
