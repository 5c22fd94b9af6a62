import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { createPersonalData } from '../../db/personal-data.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { sealNik } from '../builders/sealed.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { type HistoryJson, type StoredHistory, storedHistories } from './histories.ts';

const NIK = '3273015708850002';

/** Whoever may look at Temporal sees every history: it must not tell who the people are. */
describe('what Temporal keeps of a case', () => {
  let database: TestDatabase;
  let histories: StoredHistory[];
  let personal: string[];

  before(async () => {
    database = await createTestDatabase();
    await sealNik(database.db, createPersonalData([PERSONAL_DATA_KEY]), demoUserId('owner'), NIK);
    histories = await storedHistories();
    personal = await personalDataOf(database.db);
  });
  after(() => database?.drop());

  it('is looked through for people, companies and their numbers', () => {
    for (const known of [
      'Budi Santoso',
      'owner@alur.example',
      'Kopi Senja Nusantara',
      '0012345678901000',
      NIK,
      maskNumber(NIK),
    ])
      assert.ok(personal.includes(known), known);
    const [history] = histories;
    assert.ok(history);
    const payload = { data: Buffer.from('{"note":"ask Budi Santoso"}').toString('base64') };
    const told: HistoryJson = { events: [...history.json.events, { eventId: '999', input: { payloads: [payload] } }] };
    assert.deepEqual(found(personal, told), ['Budi Santoso']);
    assert.deepEqual(
      new Set(found(personal, { ...told, who: 'OWNER@alur.example' })),
      new Set(['Budi Santoso', 'owner@alur.example']),
    );
  });

  it('holds no name, address or number of a person or company', () => {
    const told = histories.flatMap(({ name, json }) => found(personal, json).map((value) => `${name}: ${value}`));
    assert.deepEqual(told, []);
  });

  it('holds no e-mail address at all', () => {
    const told = histories.flatMap(({ name, json }) =>
      texts(json).flatMap((text) =>
        [...text.matchAll(/[\w.+-]+@[\w-]+\.[a-z]{2,}/gi)].map(([address]) => `${name}: ${address}`),
      ),
    );
    assert.deepEqual(told, []);
  });

  it('holds no number of a person or company, whoever it may be of, nor what is left of one when it is masked', () => {
    const numbers = (json: unknown) =>
      texts(json).flatMap((text) => [...text.matchAll(/(?<![\w.-])\d{15,16}(?![\w.-])|•+/g)].map(([number]) => number));
    const payload = { data: Buffer.from(`{"note":"NIK ${NIK}, ${maskNumber(NIK)}"}`).toString('base64') };
    assert.deepEqual(numbers({ input: { payloads: [payload] } }), [NIK, '••••••••']);
    const told = histories.flatMap(({ name, json }) => numbers(json).map((number) => `${name}: ${number}`));
    assert.deepEqual(told, []);
  });

  it('is filtered by IDs, codes and times only', () => {
    // Temporal's own attribute of changed code is a list, of their names.
    const values = histories.flatMap(({ json }) => searchAttributes(json)).flat();
    assert.ok(values.length > 50, `only ${values.length} search attributes were found`);
    const code = /^[a-z][a-z_]*(-[a-z]+)*$/;
    const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
    const wrong = values.filter(
      (value) => !(typeof value === 'string' && [code, id, time].some((form) => form.test(value))),
    );
    assert.deepEqual(wrong, []);
  });
});

/** Everything that the demonstration office knows of its people and companies, and what they wrote into their forms. */
async function personalDataOf(db: Knex): Promise<string[]> {
  const people: { name: string; email: string }[] = await db('users').select('name', 'email');
  const companies: { name: string; address: string; nib: string; npwp_encrypted: Buffer }[] = await db(
    'companies',
  ).select('name', 'address', 'nib', 'npwp_encrypted');
  const niks: Buffer[] = await db('users').whereNotNull('nik_encrypted').pluck('nik_encrypted');
  const forms: unknown[] = await db('license_policies').pluck('example_form');
  const { open } = createPersonalData([PERSONAL_DATA_KEY]);
  const npwps = companies.map((company) => open(company.npwp_encrypted, 'companies.npwp'));
  const numbers = [...npwps, ...niks.map((nik) => open(nik, 'users.nik'))];
  return [
    ...people.flatMap(({ name, email }) => [name, email]),
    ...companies.flatMap(({ name, address, nib }) => [name, address, nib]),
    ...numbers.flatMap((number) => [number, maskNumber(number)]),
    // Shorter ones are codes and numbers, which any history holds.
    ...forms.flatMap(strings).filter((text) => text.length > 5),
  ];
}

function found(wanted: readonly string[], json: unknown): string[] {
  const told = texts(json).join('\n').toLowerCase();
  return [...new Set(wanted)].filter((value) => told.includes(value.toLowerCase()));
}

/** Every text of a history, payloads (base64 of JSON) in clear. */
const texts = (json: unknown): string[] =>
  strings(json).flatMap((text) => [text, Buffer.from(text, 'base64').toString('utf8')]);

function strings(json: unknown): string[] {
  if (typeof json === 'string') return [json];
  return typeof json === 'object' && json !== null ? Object.values(json).flatMap(strings) : [];
}

/** The values of all `indexedFields`, decoded; those that were taken away again (null) left out. */
function searchAttributes(json: unknown): unknown[] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json)
    .flatMap(([key, value]) =>
      key === 'indexedFields' ? strings(Object.values(value).map(dataOf)).map(decoded) : searchAttributes(value),
    )
    .filter((value) => value !== null);
}

const dataOf = (payload: unknown): unknown =>
  typeof payload === 'object' && payload !== null && 'data' in payload ? payload.data : null;

const decoded = (data: string): unknown => JSON.parse(Buffer.from(data, 'base64').toString('utf8') || 'null');
