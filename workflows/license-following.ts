/**
 * Follows one licence to the end of its validity, for years:
 *
 *   renewal opens → reminders, each once, by day → expired, or superseded by its next term
 *
 * Whatever is due is done in one transaction that reads the record first, so that nobody is reminded of what was paid, suspended or
 * revoked a moment before. In between it sleeps; a signal makes it look again, and so does every timer.
 */
import {
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Upcoming } from '../activities/renewals.ts';
import type { ApplicationId, InvoiceId } from '../domain/ids.ts';
import { clock, orNull } from './answers.ts';
import { activationId } from './ids.ts';
import { invoiceClosedSignal, type LicenseFollowingInput, licenseChangedSignal } from './messages.ts';
import { LOOK_AT_LICENSE_AGAIN_MS, records } from './policies.ts';

const { followLicense } = proxyActivities<Activities>({
  ...records,
  summary: 'Do what the calendar asks of the licence',
});

export async function licenseFollowing({ licenseId }: LicenseFollowingInput): Promise<void> {
  let hasChanged = false;
  setHandler(licenseChangedSignal, () => {
    hasChanged = true;
  });
  for (;;) {
    hasChanged = false;
    const { next, cancelled = [] } = await followLicense({ licenseId, at: clock() });
    for (const { applicationId, invoiceId } of cancelled) await tellActivation(applicationId, invoiceId);
    if (!next) return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof licenseFollowing>({ licenseId });
    setCurrentDetails(inWords(next));
    await condition(() => hasChanged, sleepOf(next), { summary: SUMMARIES[next.what] });
  }
}

/** Of a renewal that ended with the licence. It may have ended before: it reads the record as well. */
async function tellActivation(applicationId: ApplicationId, invoiceId: InvoiceId): Promise<void> {
  const waiting = getExternalWorkflowHandle(activationId(applicationId));
  await orNull(waiting.signal(invoiceClosedSignal, { invoiceId, outcome: 'cancelled' }));
}

/** A policy may change in a year: nobody sleeps past that. A timer of zero would be none. */
const sleepOf = ({ at }: Upcoming): number =>
  Math.min(Math.max(1, Date.parse(at) - Date.now()), LOOK_AT_LICENSE_AGAIN_MS);

const SUMMARIES: Readonly<Record<Upcoming['what'], string>> = {
  open: 'Until its renewal opens',
  remind: 'Until the next reminder',
  look: 'Suspended: no reminders, look again',
  end: 'Until the end of its validity',
};

const inWords = ({ what, at, days }: Upcoming): string => {
  switch (what) {
    case 'open':
      return `The renewal opens; the owner is told on ${at}.`;
    case 'remind':
      return `The owner is reminded of the renewal on ${at} (${days} days before the end).`;
    case 'look':
      return `Suspended: nobody is reminded. Looked at again on ${at}.`;
    case 'end':
      return `Nobody needs to be reminded any more. Its validity ends on ${at}.`;
  }
};
