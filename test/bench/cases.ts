/** Applications for the measurements, prepared through the public API. */
import { z } from 'zod';
import { aPdf } from '../builders/papers.ts';
import { eventually } from '../support/wait.ts';
import type { Machine } from './machine.ts';

const TYPE = 'restaurant';
const PDF = aPdf();
const AT_ONCE = 8;

const identified = z.looseObject({ id: z.string() });
const listed = z.object({ items: z.array(identified) });
const types = z.object({
  items: z.array(
    z.looseObject({
      code: z.string(),
      checklist: z.array(z.object({ kind: z.string(), required: z.boolean() })),
      exampleForm: z.record(z.string(), z.unknown()),
    }),
  ),
});

/** Drafts with every required document. */
export async function drafts(machine: Machine, count: number): Promise<string[]> {
  const [company] = listed.parse(await ask(machine, 'GET', 'users/companies')).items;
  const type = types.parse(await ask(machine, 'GET', 'licenses/types')).items.find(({ code }) => code === TYPE);
  if (!company || !type) throw new Error('the demonstration data has no company, or no restaurant licence');
  const body = { companyId: company.id, typeCode: TYPE, form: type.exampleForm };
  return together(count, async () => {
    const { id } = identified.parse(await ask(machine, 'POST', 'licenses/applications', body));
    for (const { kind, required } of type.checklist) if (required) await upload(machine, id, kind);
    return id;
  });
}

/** Cases that wait for their first decision. */
export async function openCases(machine: Machine, count: number): Promise<string[]> {
  const ids = await drafts(machine, count);
  const left = ids.values();
  await together(count, () => ask(machine, 'POST', `licenses/applications/${left.next().value}/submit`, {}));
  await atRest(machine, ids, 'document_verification', 2);
  return ids;
}

/** All are there, with their tasks assigned and so many letters sent each: nothing is left to do for the worker. */
export async function atRest(machine: Machine, ids: readonly string[], state: string, letters: number): Promise<void> {
  await eventually(
    `${ids.length} cases at rest in ${state}`,
    async () => {
      const result: { rows: { there: number; sent: number }[] } = await machine.db.raw(
        `select (select count(*)::int from applications where id = any(:ids) and state = :state
                    and (stage is null or assignee_id is not null)) as there,
                (select count(*)::int from mail_deliveries where application_id = any(:ids) and state = 'sent') as sent`,
        { ids, state },
      );
      const [now] = result.rows;
      return now?.there === ids.length && now.sent >= ids.length * letters;
    },
    // A machine that does something else beside shall not end a bench of an hour.
    60_000 + ids.length * 500,
  );
}

async function together<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      made.push(await make());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return made;
}

async function upload(machine: Machine, id: string, kind: string): Promise<void> {
  const form = new FormData();
  form.set('kind', kind);
  form.set('file', new Blob([PDF], { type: 'application/pdf' }), `${kind}.pdf`);
  await ask(machine, 'POST', `licenses/applications/${id}/documents`, form);
}

/** As the owner, unless another one is named. @returns the JSON that came back */
export async function ask(
  { apiUrl, people }: Machine,
  method: string,
  path: string,
  body?: unknown,
  by = people.owner,
): Promise<unknown> {
  const form = body instanceof FormData;
  const response = await fetch(`${apiUrl}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${by.token}`,
      ...(body === undefined || form ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
