import assert from 'node:assert/strict';
import { hash, randomUUID } from 'node:crypto';
import {
  addDevice,
  devicesOf,
  findDevice,
  hasHadDevice,
  knowsNetwork,
  MAX_DEVICES,
  noteDevice,
  revokeDevice,
  trustDevice,
  untrustDevices,
} from '../../db/devices.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = new Date('2026-03-02T02:00:00Z');
const DAY = 86_400_000;
const later = (ms: number) => new Date(AT.getTime() + ms);

describe('devices in the database', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const newPerson = async () => {
    const id = asId<UserId>(randomUUID());
    await database.db('users').insert({ id, email: `${id}@example.id`, name: 'Sari', roles: ['owner'] });
    return id;
  };
  const sighting = (at: Date) => ({ name: 'Chrome on Android', address: '203.0.113.7', network: '203.0.113.0/24', at });
  const newDevice = async (userId: UserId, at = AT) => {
    const id = randomUUID();
    const tokenHash = hash('sha256', id);
    await addDevice(database.db, { ...sighting(at), id, userId, tokenHash });
    return { id, find: (who = userId, when = at) => findDevice(database.db, who, tokenHash, when) };
  };

  it('are known by their token, to their own person, for 180 days from when they were last seen', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const { id, find } = await newDevice(person);
    assert.equal((await find())?.id, id);
    assert.equal(await find(other), null);
    assert.equal(await find(person, later(180 * DAY)), null);
    await noteDevice(database.db, id, { ...sighting(later(DAY)), network: '198.51.100.0/24' });
    const found = await find(person, later(180 * DAY));
    assert.deepEqual([found?.network, found?.lastSeenAt], ['198.51.100.0/24', later(DAY)]);
  });

  it('make their network known, to their own person', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const { id } = await newDevice(person);
    const knows = (who: UserId, network = '203.0.113.0/24') => knowsNetwork(database.db, who, network, AT);
    assert.deepEqual(
      [await knows(person), await knows(other), await knows(person, '8.8.8.0/24')],
      [true, false, false],
    );
    await revokeDevice(database.db, person, id, AT);
    assert.equal(await knows(person), false);
  });

  it('are trusted for 30 days, until all are asked again', async () => {
    const person = await newPerson();
    const { id, find } = await newDevice(person);
    assert.equal((await find())?.trustedUntil, null);
    await trustDevice(database.db, id, AT);
    assert.deepEqual((await find())?.trustedUntil, later(30 * DAY));
    await untrustDevices(database.db, person);
    assert.equal((await find())?.trustedUntil, null);
  });

  it('are revoked by their own person only, once, and were there all the same', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const { id, find } = await newDevice(person);
    assert.equal(await revokeDevice(database.db, other, id, AT), false);
    assert.equal(await revokeDevice(database.db, person, id, AT), true);
    assert.equal(await revokeDevice(database.db, person, id, AT), false);
    assert.equal(await find(), null);
    assert.deepEqual([await hasHadDevice(database.db, person), await hasHadDevice(database.db, other)], [true, false]);
  });

  it('beyond the twentieth take the place of the one seen longest ago', async () => {
    const person = await newPerson();
    for (let number = 0; number <= MAX_DEVICES; number += 1) await newDevice(person, later(number));
    const devices = await devicesOf(database.db, person, later(DAY));
    assert.equal(devices.length, MAX_DEVICES);
    assert.deepEqual([devices.at(0)?.lastSeenAt, devices.at(-1)?.lastSeenAt], [later(MAX_DEVICES), later(1)]);
  });
});
