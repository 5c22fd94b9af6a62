import type { Request } from 'express';
import { z } from 'zod';
import { applicationStatus } from '../../db/application-status.ts';
import { Failure } from '../../domain/failures.ts';
import type { ApplicationId } from '../../domain/ids.ts';
import { type Actor, isClosed } from '../../domain/licensing.ts';
import { statusJson } from '../application-json.ts';
import type { ApiDeps } from '../deps.ts';
import { etagOf, isFresh } from '../etag.ts';
import { defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { statusSchema } from '../schemas/licenses.ts';
import { afterChange } from '../waiting.ts';

const read = defineRoute({
  method: 'get',
  path: '/licenses/status/:id',
  summary: 'Where a case stands: what owners poll',
  description:
    '`?wait=` holds the answer until the case changes, at most so many seconds. With `If-None-Match` it waits only while ' +
    'that is still the current state; without, for the next change, unless the case is closed.',
  tags: ['Applications'],
  permission: 'application.read',
  limit: 'status',
  params: z.object({ id: applicationIdSchema }),
  query: z.strictObject({ wait: z.coerce.number().int().min(0).max(30).optional().describe('Seconds.') }),
  responses: { 200: { description: 'The status', schema: statusSchema } },
  async handler({ params: { id }, query: { wait }, actor, deps, req }) {
    if (wait === undefined || wait === 0) return json(200, await statusOf(deps, actor, id));
    const { body, etag } = await afterCaseChanged(deps, actor, id, wait * 1000, req);
    return json(200, body, { etag });
  },
});

export const statusRoutes = [read];

async function statusOf(deps: ApiDeps, actor: Actor, id: ApplicationId) {
  const status = await applicationStatus(deps.db, actor, id);
  if (!status) throw new Failure('not_found', 'There is no such application, or none that you may see.');
  return statusJson(status, deps.publicUrl);
}

/** With the tag that the answer will carry: those who wait compare it with what they have. */
async function statusNow(deps: ApiDeps, actor: Actor, id: ApplicationId) {
  const body = await statusOf(deps, actor, id);
  return { body, etag: etagOf(JSON.stringify(body)) };
}

async function afterCaseChanged(deps: ApiDeps, actor: Actor, id: ApplicationId, waitMs: number, req: Request) {
  const gone = new AbortController();
  req.res?.once('close', () => gone.abort());
  try {
    return await afterChange(
      deps.changes,
      { id, waitMs, seen: req.headers['if-none-match'], signal: gone.signal },
      () => statusNow(deps, actor, id),
      { over: ({ body }) => isClosed(body.state), fresh: isFresh },
    );
  } finally {
    gone.abort();
  }
}
