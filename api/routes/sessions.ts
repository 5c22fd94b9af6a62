/** Where a person is logged in, and which devices are theirs. */
import { z } from 'zod';
import { devicesOf } from '../../db/devices.ts';
import { sessionsOf } from '../../db/sessions.ts';
import { forgetDevice } from '../devices.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import { deviceList, sessionList } from '../schemas/people.ts';
import { revokeAllSessions, revokeSession } from '../sessions.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const tags = ['Auth'];
const params = z.object({ id: z.guid() });

const listSessions = defineRoute({
  method: 'get',
  path: '/auth/sessions',
  summary: 'Where I am logged in',
  description: 'At most five: the next log-in ends the one used longest ago.',
  tags,
  permission: 'profile.use',
  ownAccount: true,
  responses: { 200: { description: 'The open sessions, the one used last first.', schema: sessionList } },
  handler: async ({ actor, deps }) => {
    const sessions = await sessionsOf(deps.db, actor.userId, new Date());
    const items = sessions.map(({ id, device, address, createdAt, lastUsedAt }) => ({
      id,
      device,
      address,
      createdAt: timeJson(createdAt),
      lastUsedAt: timeJson(lastUsedAt),
      current: id === actor.sessionId,
    }));
    return json(200, { items });
  },
});

const endOne = defineRoute({
  method: 'delete',
  path: '/auth/sessions/:id',
  summary: 'Log out somewhere else',
  description: 'Its access token is refused within moments, by every process.',
  tags,
  permission: 'profile.use',
  ownAccount: true,
  params,
  responses: { 204: { description: 'The session has ended.' } },
  problems: ['not_found'],
  handler: async ({ actor, params: { id }, deps, origin }) => {
    await revokeSession(deps, actor.userId, id, origin);
    return noContent();
  },
});

const endAll = defineRoute({
  method: 'post',
  path: '/auth/logout/all',
  summary: 'Log out everywhere, here too',
  tags,
  permission: 'profile.use',
  ownAccount: true,
  responses: { 204: { description: 'Every session has ended.' } },
  handler: async ({ actor, deps, origin }) => {
    await revokeAllSessions(deps, actor.userId, origin);
    return noContent();
  },
});

const listDevices = defineRoute({
  method: 'get',
  path: '/auth/devices',
  summary: 'My devices',
  description: 'Where I logged in within 180 days. Of clients that keep no device token the newest are there.',
  tags,
  permission: 'profile.use',
  ownAccount: true,
  responses: { 200: { description: 'The devices, the one seen last first.', schema: deviceList } },
  handler: async ({ actor, deps }) => {
    const now = new Date();
    const devices = await devicesOf(deps.db, actor.userId, now);
    const items = devices.map(({ id, name, address, createdAt, lastSeenAt, trustedUntil }) => ({
      id,
      name,
      address,
      createdAt: timeJson(createdAt),
      lastSeenAt: timeJson(lastSeenAt),
      trustedUntil: timeOrNull(trustedUntil && trustedUntil > now ? trustedUntil : null),
    }));
    return json(200, { items });
  },
});

const endTrust = defineRoute({
  method: 'delete',
  path: '/auth/devices/:id',
  summary: 'Forget a device',
  description: 'Its next log-in asks for the second factor and counts as one from a strange device. Sessions go on.',
  tags,
  permission: 'profile.use',
  ownAccount: true,
  params,
  responses: { 204: { description: 'The device is forgotten.' } },
  problems: ['not_found'],
  handler: async ({ actor, params: { id }, deps, origin }) => {
    await forgetDevice(deps, actor.userId, id, origin);
    return noContent();
  },
});

export const sessionRoutes: readonly Route[] = [listSessions, endOne, endAll, listDevices, endTrust];
