/** Cards on file of a company: the gateway keeps the number, Alur a token and the last four digits. */
import { z } from 'zod';
import { type Card, cardSetupState, cardsOfCompany, pendingCardSetups, removeCard } from '../../db/payment-methods.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type PaymentMethodId } from '../../domain/ids.ts';
import { seesEveryCase } from '../../domain/roles.ts';
import { lookForCards, openCardPage, startForgetting } from '../card-process.ts';
import { ownCompany } from '../company-members.ts';
import { cardPage } from '../pages/card.ts';
import { PAGE_HEADERS } from '../pages/layout.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, html, json, noContent } from '../route.ts';
import { cardIdSchema, companyIdSchema } from '../schemas/ids.ts';
import { timeJson, timeSchema } from '../wire.ts';

const tags = ['Subscriptions'];
const params = z.object({ id: companyIdSchema });

/** A card is given within minutes; a page that somebody finds in the history of a browser is none any more. */
const PAGE_HOLDS_MS = 3_600_000;

const cardSchema = z
  .object({
    id: z.string(),
    gateway: z.literal('stripe'),
    brand: z.string(),
    last4: z.string(),
    expiresMonth: z.int(),
    expiresYear: z.int(),
    addedAt: timeSchema,
  })
  .meta({ id: 'Card' });

const cardJson = ({ addedAt, ...card }: Card) => ({ ...card, addedAt: timeJson(addedAt) });

const add = defineRoute({
  method: 'post',
  path: '/users/companies/:id/cards',
  summary: 'Get a page on which a card is given to the payment provider',
  description:
    'The number is never seen here. The card is listed once the provider has said that it was given; it is charged for the ' +
    'subscriptions that name it.',
  tags,
  permission: 'subscription.manage',
  params,
  problems: ['not_found', 'gateway_not_available', 'gateway_unavailable'],
  responses: {
    201: { description: 'Where the card is given', schema: z.object({ setupUrl: z.string(), expiresAt: timeSchema }) },
  },
  async handler({ params: { id }, actor, deps, locale, requestKey }) {
    await ownCompany(deps.db, id, actor.userId);
    if (!deps.gateways.stripe)
      throw new Failure(
        'gateway_not_available',
        'No gateway here keeps cards on file. Pay by the links in the letters.',
      );
    const now = Date.now();
    const page = await openCardPage(deps, {
      cardId: asId<PaymentMethodId>(idFromKey(requestKey, 'card')),
      companyId: id,
      by: actor.userId,
      locale,
      startedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + PAGE_HOLDS_MS).toISOString(),
    });
    return json(201, page);
  },
});

const list = defineRoute({
  method: 'get',
  path: '/users/companies/:id/cards',
  summary: 'The cards on file of a company, oldest first',
  description: 'Pages on which a card may have been given meanwhile are asked about first.',
  tags,
  permission: 'subscription.read',
  params,
  problems: ['not_found'],
  responses: {
    200: { description: 'All of them', schema: z.object({ items: z.array(cardSchema), nextCursor: z.null() }) },
  },
  async handler({ params: { id }, actor, deps }) {
    if (!seesEveryCase(actor.roles)) await ownCompany(deps.db, id, actor.userId);
    await lookForCards(deps, await pendingCardSetups(deps.db, id));
    return json(200, { items: (await cardsOfCompany(deps.db, id)).map(cardJson), nextCursor: null });
  },
});

const remove = defineRoute({
  method: 'delete',
  path: '/users/companies/:id/cards/:cardId',
  summary: 'Take a card off; the payment provider forgets it too',
  description: 'Nothing is charged to it from now on. A subscription that it was for is paid by links.',
  tags,
  permission: 'subscription.manage',
  params: params.extend({ cardId: cardIdSchema }),
  problems: ['not_found'],
  responses: { 204: { description: 'It is off' } },
  async handler({ params: { id, cardId }, actor, origin, deps }) {
    await ownCompany(deps.db, id, actor.userId);
    const at = new Date().toISOString();
    await deps.db.transaction(async (tx) => {
      const removed = await removeCard(tx, { id: cardId, companyId: id, by: actor.userId, origin, at });
      if (!removed) throw new Failure('not_found', 'The company has no such card on file.');
      await startForgetting(deps, cardId);
    });
    return noContent();
  },
});

const shown = defineRoute({
  method: 'get',
  base: 'root',
  path: '/card/:cardId',
  summary: 'Where the payment provider leads back to after a card was given',
  tags: ['Public'],
  permission: 'public',
  params: z.object({ cardId: z.string().max(200) }),
  responses: {
    200: { description: 'What has become of it', contentType: 'text/html' },
    404: { description: 'No page for a card has this ID', contentType: 'text/html' },
  },
  async handler({ params, deps, locale }) {
    const id = cardIdSchema.safeParse(params.cardId);
    const state = id.success ? await cardSetupState(deps.db, id.data) : null;
    return html(state === null ? 404 : 200, cardPage(state, locale), PAGE_HEADERS);
  },
});

export const cardRoutes = [add, list, remove, shown];
