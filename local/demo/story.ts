/** What every chapter of the story needs: the client, the narrator, and how to wait for a case to come along. */
import { z } from 'zod';
import { formatInZone } from '../../domain/calendar.ts';
import { APPLICATION_STATES, isClosed } from '../../domain/licensing.ts';
import type { ReadyFile } from '../ready-file.ts';
import { type DemoClient, read } from './client.ts';
import { DemoFailure } from './failure.ts';
import { letterFrom } from './letters.ts';
import type { Narrator } from './narrator.ts';

export interface Story {
  readonly ready: ReadyFile;
  readonly client: DemoClient;
  readonly narrator: Narrator;
  /** When this telling began; ISO 8601. */
  readonly since: string;
}

export const idShape = z.object({ id: z.string() });

const statusShape = z.object({
  state: z.enum(APPLICATION_STATES),
  invoice: z
    .object({ id: z.string(), number: z.string(), total: z.object({ formatted: z.string() }), dueAt: z.string() })
    .optional(),
  license: z.object({ id: z.string(), number: z.string(), verifyUrl: z.string() }).optional(),
});
export type Status = z.infer<typeof statusShape>;

const WITHIN_MS = 120_000;

/**
 * Holds a request open until the case changes, and does so again until it is as it should be.
 * @throws DemoFailure when the case ends otherwise, or nothing happens in time
 */
export async function statusOnce(
  { client }: Story,
  id: string,
  what: string,
  holds: (status: Status) => boolean,
): Promise<Status> {
  const giveUpAt = performance.now() + WITHIN_MS;
  let etag: string | null = null;
  for (;;) {
    const path = `licenses/status/${id}${etag === null ? '' : '?wait=30'}`;
    const headers: Record<string, string> = etag === null ? {} : { 'if-none-match': etag };
    const response = await client.send('GET', path, { as: 'owner', headers });
    if (response.status !== 304) {
      etag = response.headers.get('etag');
      const status = await read(statusShape, response, `GET ${path}`);
      if (holds(status)) return status;
      if (isClosed(status.state)) throw new DemoFailure(`The application ended ${status.state}, before ${what}.`);
    }
    if (performance.now() > giveUpAt)
      throw new DemoFailure(`Waited ${WITHIN_MS / 1_000} s for ${what}, in vain; the worker's log may say why.`);
  }
}

type More = readonly (readonly [name: string, value: string])[];

/** The workflow in the Temporal UI, where there is one. */
export const workflowLink = ({ ready }: Story, workflowId: string): More =>
  ready.temporalUi === null
    ? []
    : [['workflow', `${ready.temporalUi}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`]];

/** Tells of the letter that the owner gets; without a mailbox of this machine, nothing is told. */
export async function tellLetter(
  story: Story,
  what: string,
  fits: Parameters<typeof letterFrom>[2]['fits'],
): Promise<void> {
  const { ready, client, narrator, since } = story;
  if (ready.mailbox === null) return;
  const letter = await letterFrom(client, ready.mailbox, { what, to: ready.accounts.owner.email, since, fits });
  const attached = letter.attachments.map(
    ({ filename, bytes }) => ['attached', `${filename} (${bytes} bytes)`] as const,
  );
  await narrator.step({
    who: 'owner',
    what: `gets mail: ${letter.subject}`,
    more: [['mail', letter.url], ...attached],
  });
}

/** `2026-11-28 16:00 WIB`: the demonstration office is in the west of Indonesia. */
export const jakartaTime = (iso: string): string =>
  `${formatInZone(Date.parse(iso), 'Asia/Jakarta').slice(0, 16).replace('T', ' ')} WIB`;

/** Numbers of invoices and licences hold slashes; files do not. */
export const pdfName = (number: string): string => `${number.replaceAll('/', '-')}.pdf`;
