/** The end of the story: the licence, its certificate, and the proof that anybody can look up. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import { activationId } from '../../workflows/ids.ts';
import { DemoFailure } from './failure.ts';
import { pdfName, type Status, type Story, statusOnce, tellLetter, workflowLink } from './story.ts';

type License = NonNullable<Status['license']>;

/** @param directory where the certificate is put; made when it is missing */
export async function receive(
  story: Story,
  id: string,
  directory: string,
): Promise<{ certificate: string; verifyUrl: string }> {
  const { state, license } = await statusOnce(story, id, 'it was active', (now) => now.state === 'active');
  if (!license) throw new DemoFailure(`Application ${id} is active and has no licence.`);
  await story.narrator.step({
    who: 'Alur',
    what: `issues licence ${license.number}`,
    state,
    more: workflowLink(story, activationId(asId(id))),
  });
  await tellLetter(story, `licence ${license.number}`, ({ attachments }) =>
    attachments.some(({ filename }) => filename === pdfName(license.number)),
  );
  const certificate = await download(story, license, directory);
  await verify(story, license);
  return { certificate, verifyUrl: license.verifyUrl };
}

async function download(story: Story, license: License, directory: string): Promise<string> {
  const { client, narrator } = story;
  await certificateStored(story, license);
  const answer = await client.send('GET', `licenses/${license.id}/certificate`, { as: 'owner' });
  const content = Buffer.from(await answer.arrayBuffer());
  const file = join(directory, pdfName(license.number));
  await mkdir(directory, { recursive: true });
  await writeFile(file, content);
  await narrator.step({ who: 'owner', what: `downloads the signed certificate (${content.length} bytes)` });
  return file;
}

const licenseShape = z.object({ certificateUrl: z.string().nullable() });
const STORED_WITHIN_MS = 30_000;

/** The licence is in force before its certificate is drawn and signed. */
async function certificateStored({ client }: Story, { id, number }: License): Promise<void> {
  const giveUpAt = performance.now() + STORED_WITHIN_MS;
  for (;;) {
    const { certificateUrl } = await client.get(licenseShape, `licenses/${id}`, { as: 'owner' });
    if (certificateUrl !== null) return;
    if (performance.now() > giveUpAt)
      throw new DemoFailure(`The certificate of ${number} was not made in time; the worker's log may say why.`);
    await setTimeout(200);
  }
}

const verification = z.object({ status: z.string(), number: z.string(), companyName: z.string() });

async function verify({ client, narrator }: Story, license: License): Promise<void> {
  const found = await client.get(verification, license.verifyUrl);
  if (found.number !== license.number)
    throw new DemoFailure(`${license.verifyUrl} leads to ${found.number}, and the certificate is ${license.number}'s.`);
  await narrator.step({
    who: 'anybody',
    what: `looks it up by its QR code: ${found.number} of ${found.companyName} is ${found.status}`,
  });
}
