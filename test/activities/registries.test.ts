import assert from 'node:assert/strict';
import { MockActivityEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { createRegistries, type Registries, RegistryUnavailable } from '../../activities/registries/client.ts';
import { createRegistryActivities, type RegistriesAnswered } from '../../activities/registries.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { registryChecksOf } from '../../db/registry-checks.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { Registry } from '../../domain/licensing.ts';
import type { GatewaySandboxes } from '../../local/gateways/server.ts';
import { startGatewaySandboxes } from '../../local/gateways/server.ts';
import { aCompany, aLicenseType, anApplication, aUser, type LicenseTypeRow, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { registrySettings } from '../support/gateway-settings.ts';

const SERVER_KEY = 'local-only-registry-test';
const NIB = '9120001234567';
const NPWP = '0012345678901000';
const GIVE_UP_AT = '2026-03-02T03:00:00.000Z';

describe('asking the registries', () => {
  let database: TestDatabase;
  let sandbox: GatewaySandboxes;
  let registries: Registries;
  let owner: UserId;
  let type: LicenseTypeRow;
  const personalData = createPersonalData([PERSONAL_DATA_KEY]);

  before(async () => {
    database = await createTestDatabase();
    sandbox = await startGatewaySandboxes({
      port: 0,
      webhookBaseUrl: 'http://127.0.0.1:1',
      midtransServerKey: SERVER_KEY,
      stateDir: null,
    });
    registries = createRegistries({ ...registrySettings(SERVER_KEY, sandbox.url), timeoutMs: 300 });
    owner = await aUser(database.db, 'owner');
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await sandbox?.close();
    await database?.drop();
  });
  beforeEach(() => Promise.all((['nib', 'npwp', 'nik'] as const).map((registry) => control(registry, { mode: 'up' }))));

  const control = async (path: string, body: unknown) => {
    const answer = await fetch(`${sandbox.url}/_sandbox/registries/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, await answer.text());
  };
  const timesAsked = async (): Promise<number> => {
    const answer = await fetch(`${sandbox.url}/_sandbox/registries`);
    return z.object({ asked: z.array(z.unknown()) }).parse(await answer.json()).asked.length;
  };

  const aCase = async (): Promise<{ applicationId: ApplicationId; companyId: CompanyId }> => {
    const { db } = database;
    const companyId = await aCompany(db, owner);
    await db('companies')
      .where({ id: companyId })
      .update({ nib: NIB, npwp_encrypted: personalData.seal(NPWP, 'companies.npwp') });
    return {
      companyId,
      applicationId: await anApplication(db, { companyId, type, applicantId: owner, state: 'approval' }),
    };
  };
  const ask = (
    about: { applicationId: ApplicationId; companyId: CompanyId },
    which: readonly Registry[],
    given: { at?: string; office?: Registries | null } = {},
  ) => {
    const { office = registries, at = MONDAY } = given;
    const { askRegistries } = createRegistryActivities({ db: database.db, personalData, registries: office });
    const inActivity: Promise<RegistriesAnswered> = new MockActivityEnvironment().run(askRegistries, {
      ...about,
      round: 1,
      ask: which,
      giveUpAt: GIVE_UP_AT,
      at,
    });
    return inActivity;
  };
  const eventsOf = (applicationId: ApplicationId) =>
    database.db('events').where({ application_id: applicationId }).orderBy('id').select('type', 'data');

  it('puts each verdict on record, with an event that holds neither number nor name', async () => {
    const about = await aCase();
    await control(`npwp/${NPWP}`, { found: true, differences: ['name'] });
    const answered = await ask(about, ['nib', 'npwp', 'nik']);
    assert.deepEqual(answered, {
      settled: true,
      results: [
        { registry: 'nib', state: 'match', differences: [] },
        { registry: 'npwp', state: 'mismatch', differences: ['name'] },
        { registry: 'nik', state: 'not_applicable', differences: [] },
      ],
    });
    const told = JSON.stringify(await eventsOf(about.applicationId));
    assert.match(told, /registry\.answered/);
    assert.doesNotMatch(told, new RegExp(`${NIB}|${NPWP}|CV Uji`));
    await control(`npwp/${NPWP}`, { found: true });
  });

  it('asks each only once, however often the activity is repeated', async () => {
    const about = await aCase();
    await ask(about, ['nib', 'npwp']);
    const before = await timesAsked();
    const again = await ask(about, ['nib', 'npwp']);
    assert.equal(again.settled, true);
    assert.equal(await timesAsked(), before);
    assert.equal((await eventsOf(about.applicationId)).length, 2);
  });

  for (const mode of ['down', 'silent', 'garbled'] as const) {
    it(`leaves open what a registry that is ${mode} was asked, and takes the answer when it comes`, async () => {
      const about = await aCase();
      await control('nib', { mode });
      const first = await ask(about, ['nib', 'npwp']);
      assert.equal(first.settled, false);
      assert.deepEqual(
        first.results.map(({ state }) => state),
        ['asking', 'match'],
      );
      await control('nib', { mode: 'up' });
      const second = await ask(about, ['nib', 'npwp']);
      assert.deepEqual([second.settled, second.results[0]?.state], [true, 'match']);
      const [check] = await registryChecksOf(database.db, about.applicationId);
      assert.equal(check?.attempts, 2);
    });
  }

  it('calls it unavailable when the time is over, says so on record, and stays with it', async () => {
    const about = await aCase();
    await control('nib', { mode: 'down' });
    const given = await ask(about, ['nib'], { at: GIVE_UP_AT });
    assert.deepEqual([given.settled, given.results[0]?.state], [true, 'unavailable']);
    await control('nib', { mode: 'up' });
    assert.equal((await ask(about, ['nib'], { at: GIVE_UP_AT })).results[0]?.state, 'unavailable');
    assert.deepEqual(
      (await eventsOf(about.applicationId)).map(({ type }) => type),
      ['registry.unavailable'],
    );
  });

  it('takes an answer that comes at the last moment', async () => {
    const about = await aCase();
    assert.equal((await ask(about, ['nib'], { at: GIVE_UP_AT })).results[0]?.state, 'match');
  });

  it('says that a number is not known there', async () => {
    const about = await aCase();
    await control(`nib/${NIB}`, { found: false });
    assert.equal((await ask(about, ['nib'])).results[0]?.state, 'not_found');
    await control(`nib/${NIB}`, { found: true });
  });

  it('has nobody to ask where the office has no registry: a person decides', async () => {
    const about = await aCase();
    assert.equal((await ask(about, ['nib'], { office: null })).results[0]?.state, 'unavailable');
  });

  it('has a wrong token refused, and tells neither token nor number in its error', async () => {
    const stranger = createRegistries({ ...registrySettings(SERVER_KEY, sandbox.url), token: 'somebody-else' });
    await assert.rejects(stranger.ask({ registry: 'nib', number: NIB, name: 'X' }), (error) => {
      assert.ok(error instanceof RegistryUnavailable);
      assert.equal(error.message, 'The nib registry answered 401.');
      return true;
    });
  });
});
