/** Letters that nobody needs: whether they are wanted, and the page on which they end without a log-in. */
import { z } from 'zod';
import {
  refusesAdvertising,
  STOP_ADVERTISING_PAGE,
  setAdvertising,
  stopAdvertisingToken,
  userOfStopToken,
} from '../../db/advertising.ts';
import { askToStopPage, noSuchStopPage, stoppedPage } from '../pages/advertising.ts';
import { PAGE_HEADERS } from '../pages/layout.ts';
import { defineRoute, html, json } from '../route.ts';

const preferences = z
  .object({ advertising: z.boolean().describe('Reminders of carts, requests for a review.') })
  .meta({ id: 'Preferences' });
const responses = { 200: { description: 'As they are now', schema: preferences } } as const;
const own = { tags: ['Users'], permission: 'profile.use', path: '/users/preferences', responses } as const;

const read = defineRoute({
  ...own,
  method: 'get',
  summary: 'Which letters the caller wants',
  handler: async ({ actor, deps }) => json(200, { advertising: !(await refusesAdvertising(deps.db, actor.userId)) }),
});

const change = defineRoute({
  ...own,
  method: 'put',
  summary: 'Refuse or allow letters that are not needed',
  body: z.strictObject({ advertising: z.boolean() }),
  async handler({ body: { advertising }, actor, origin, deps }) {
    const wish = { userId: actor.userId, wanted: advertising, origin, at: new Date().toISOString() };
    await deps.db.transaction((tx) => setAdvertising(tx, wish));
    return json(200, { advertising });
  },
});

const token = z.string().max(200);
const page = { contentType: 'text/html' };
const open = { base: 'root', path: STOP_ADVERTISING_PAGE, tags: ['Public'], permission: 'public' } as const;
const OWN_FORM = { formTargets: ["'self'"] };

const ask = defineRoute({
  ...open,
  method: 'get',
  summary: 'The page on which letters that nobody needs are refused',
  description: 'Opening it changes nothing: mail servers open links too.',
  // Whatever else stands in the address, mail programs put there.
  query: z.object({ token: token.default('') }),
  responses: {
    200: { description: 'The page with the button', ...page },
    404: { description: 'The link is not valid; the page says so', ...page },
  },
  async handler({ query, deps, locale }) {
    const userId = userOfStopToken(deps.secretKey, query.token);
    if (!userId) return html(404, noSuchStopPage(locale), PAGE_HEADERS);
    const shown = stopAdvertisingToken(deps.secretKey, userId);
    return html(200, askToStopPage(shown, locale), PAGE_HEADERS, OWN_FORM);
  },
});

const stop = defineRoute({
  ...open,
  method: 'post',
  summary: 'Refuses such letters',
  limit: 'reset',
  idempotent: false,
  form: true,
  body: z.strictObject({ token }),
  responses: {
    200: { description: 'Refused from now on', ...page },
    422: { description: 'The link is not valid; the page says so', ...page },
  },
  async handler({ body, deps, origin, locale }) {
    const userId = userOfStopToken(deps.secretKey, body.token);
    if (!userId) return html(422, noSuchStopPage(locale), PAGE_HEADERS);
    const wish = { userId, wanted: false, origin, at: new Date().toISOString() };
    await deps.db.transaction((tx) => setAdvertising(tx, wish));
    return html(200, stoppedPage(locale), PAGE_HEADERS);
  },
});

export const advertisingRoutes = [read, change, ask, stop];
