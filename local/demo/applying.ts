/** The owner's part: choose, fill in, attach, submit. */
import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { DemoFailure } from './failure.ts';
import { paperFor } from './papers.ts';
import { idShape, type Story, statusOnce, tellLetter, workflowLink } from './story.ts';

const typeShape = z.object({
  code: z.string(),
  name: z.string(),
  risk: z.string(),
  stages: z.array(z.string()),
  checklist: z.array(z.object({ kind: z.string(), required: z.boolean() })),
  exampleForm: z.record(z.string(), z.unknown()),
  legalWorkingDays: z.number(),
  fee: z.object({ formatted: z.string() }),
});
type LicenseType = z.infer<typeof typeShape>;
const listOf = <Shape extends z.ZodType>(items: Shape) => z.object({ items: z.array(items) });

/** @returns ID of the submitted application */
export async function apply(story: Story, typeCode: string): Promise<string> {
  const { ready, client, narrator } = story;
  await client.logIn('owner');
  await narrator.step({ who: 'owner', what: `logs in as ${ready.accounts.owner.email}` });
  const type = await choose(story, typeCode);
  const id = await draft(story, type);
  for (const { kind, required } of type.checklist) if (required) await attach(story, id, kind);
  await submit(story, id);
  return id;
}

async function choose({ client, narrator }: Story, typeCode: string): Promise<LicenseType> {
  const { items } = await client.get(listOf(typeShape), 'licenses/types', { as: 'owner' });
  const type = items.find(({ code }) => code === typeCode);
  if (!type) {
    const codes = items.map(({ code }) => code).join(', ');
    throw new DemoFailure(`There is no licence type ${typeCode}; --type takes one of: ${codes}.`);
  }
  const { name, code, risk, stages, fee, legalWorkingDays } = type;
  const review = stages.length === 0 ? 'no person decides' : stages.map(words).join(', ');
  await narrator.step({
    who: 'owner',
    what: `chooses: ${name} (${code}), risk ${words(risk)}`,
    more: [
      ['fee', fee.formatted],
      ['review', `${review}; at most ${legalWorkingDays} working days`],
    ],
  });
  return type;
}

async function draft({ client, narrator }: Story, { code, exampleForm }: LicenseType): Promise<string> {
  const { items } = await client.get(listOf(idShape.extend({ name: z.string() })), 'users/companies', { as: 'owner' });
  const [company] = items;
  if (!company)
    throw new DemoFailure('The owner has no company; npm run reset and npm start load the demonstration anew.');
  const { id } = await client.post(idShape, 'licenses/applications', {
    as: 'owner',
    body: { companyId: company.id, typeCode: code, form: exampleForm },
  });
  await narrator.step({
    who: 'owner',
    what: `fills in the form for ${company.name}`,
    state: 'draft',
    more: [['application', id]],
  });
  return id;
}

async function attach({ client, narrator }: Story, id: string, kind: string): Promise<void> {
  const { filename, contentType, content } = await paperFor(kind, `Application ${id}`);
  const body = new FormData();
  body.set('kind', kind);
  body.set('file', new Blob([new Uint8Array(content)], { type: contentType }), filename);
  await client.post(idShape, `licenses/applications/${id}/documents`, { as: 'owner', body });
  await narrator.step({ who: 'owner', what: `uploads ${filename} (${content.length} bytes)`, state: 'draft' });
}

async function submit(story: Story, id: string): Promise<void> {
  const { client, narrator } = story;
  await client.send('POST', `licenses/applications/${id}/submit`, { as: 'owner' });
  const { state } = await statusOnce(story, id, 'it was submitted', (status) => status.state !== 'draft');
  await narrator.step({
    who: 'owner',
    what: 'submits the application',
    state,
    more: workflowLink(story, licenseReviewId(asId(id))),
  });
  await tellLetter(story, 'the receipt of the application', ({ text }) => text.includes(id));
}

const words = (code: string): string => code.replaceAll('_', ' ');
