/** The customer's page of an order, and the form by which a return of it is asked for. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { writeOrderLetter } from '../../db/order-letters.ts';
import { listProducts } from '../../db/products.ts';
import { type AskedBack, openReturn } from '../../db/returns.ts';
import { answerShopMessage, recordShopMessage } from '../../db/shop-messages.ts';
import type { OrderOnPage } from '../../db/shop-page-reads.ts';
import { returnPolicy } from '../../db/shop-policies.ts';
import type { Origin } from '../../domain/events.ts';
import { asId, type OrderId, type ReturnId, type Sku } from '../../domain/ids.ts';
import { refuseUnit } from '../../domain/return-eligibility.ts';
import { CONDITIONS, RESOLUTIONS, RETURN_REASONS, type ReturnPolicy } from '../../domain/returns.ts';
import type { ApiDeps } from '../deps.ts';
import { loggable } from '../logging.ts';
import { askOrder } from '../order-process.ts';
import { type PageTrouble, troubleOf, wordsOf } from '../page-trouble.ts';
import { PAGE_HEADERS, type Words } from '../pages/layout.ts';
import { ORDER_ACTS, type OrderPageInput, orderPage, REVIEW_MAX, returnableOf } from '../pages/order-page.ts';
import { fieldOf, returnStartPage } from '../pages/return-start.ts';
import type { ShopOption } from '../pages/shop-layout.ts';
import { endedLinkPage, newLinkSentPage, unknownLinkPage } from '../pages/shop-links.ts';
import type { HtmlReply } from '../reply.ts';
import type { Locale } from '../request.ts';
import { idFromKey, requestKeyOf } from '../request-key.ts';
import { startReturn } from '../return-process.ts';
import { defineRoute, html } from '../route.ts';
import { type Opened, openOrderLink, returnTokenFor } from '../shop-links.ts';

const tags = ['Public'];
const page = { contentType: 'text/html' };
const params = z.object({ token: z.string().max(200) });
const query = z.object({
  lang: z.string().max(10).default(''),
  done: z.string().max(20).default(''),
  item: z.string().max(40).default(''),
});
/** Three fields an item, named after it; no others than these. */
const FIELD = /^(?:key|wanted|exchangeSku|(?:quantity|reason|condition)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const typedFields = z
  .preprocess(
    (sent, { issues }) => {
      // Before the record is read, which leaves out some names without a word.
      const input: Record<string, unknown> = { ...Object(sent) };
      const keys = Object.keys(input).filter((name) => !FIELD.test(name));
      if (keys.length > 0) issues.push({ code: 'unrecognized_keys', keys, input });
      return sent;
    },
    z.record(z.string(), z.string().max(100)),
  )
  .meta({ id: 'ReturnForm', description: '`quantity.<order item>`, `reason.<…>`, `condition.<…>` for each item.' });
const OWN_FORM = { formTargets: ["'self'"] };

export const SHOP_PAGE_ANSWERS = {
  404: { description: 'The link opens nothing', ...page },
  410: { description: 'The link has ended; the page sends a new one', ...page },
};
const acts = {
  303: { description: 'Done; on to the page that shows it', ...page },
  ...SHOP_PAGE_ANSWERS,
  409: { description: 'It cannot be done now; the page says why', ...page },
  422: { description: 'The page says what to mend, with what was typed', ...page },
  503: { description: 'The page says when to try again', ...page },
};

/** The address says which; else what the browser asks for. */
export const languageOf = (lang: string, locale: Locale): Locale => (lang === 'id' || lang === 'en' ? lang : locale);

export const goOn = (location: string): HtmlReply => html(303, '', { ...PAGE_HEADERS, Location: location });

/** Of a link that opens nothing now. */
export function closedDoor({ is }: Exclude<Opened<unknown>, { is: 'open' }>, path: string, locale: Locale): HtmlReply {
  return is === 'ended'
    ? html(410, endedLinkPage(path, locale), PAGE_HEADERS, OWN_FORM)
    : html(404, unknownLinkPage(path, locale), PAGE_HEADERS);
}

const showOrder = defineRoute({
  method: 'get',
  base: 'root',
  path: '/orders/:token',
  summary: 'The page of an order: where letters about it lead to',
  description: 'Whoever has the link sees it, for 90 days. Opening it changes nothing.',
  tags,
  permission: 'public',
  params,
  query,
  responses: { 200: { description: 'The order and its state', ...page }, ...SHOP_PAGE_ANSWERS },
  async handler({ params: { token }, query, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openOrderLink(deps, token, now);
    if (opened.is !== 'open') return closedDoor(opened, `/orders/${token}`, locale);
    const done = ORDER_ACTS.find((act) => act === query.done);
    return html(200, await shown(deps, opened.thing, { token, now, done }, locale), PAGE_HEADERS, OWN_FORM);
  },
});

async function shown(
  { db }: ApiDeps,
  order: OrderOnPage,
  more: Pick<OrderPageInput, 'token' | 'now'> & Partial<Pick<OrderPageInput, 'done' | 'problems' | 'key'>>,
  locale: Locale,
): Promise<string> {
  return orderPage({ order, policy: await returnPolicy(db, more.now), key: randomUUID(), ...more }, locale);
}

const startForm = defineRoute({
  method: 'get',
  base: 'root',
  path: '/orders/:token/return',
  summary: 'The form by which a return is asked for',
  tags,
  permission: 'public',
  params,
  query,
  responses: { 200: { description: 'The form, or why there is none', ...page }, ...SHOP_PAGE_ANSWERS },
  async handler({ params: { token }, query, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openOrderLink(deps, token, now);
    if (opened.is !== 'open') return closedDoor(opened, `/orders/${token}`, locale);
    const policy = await returnPolicy(deps.db, now);
    const form = { order: opened.thing, token, policy, now, key: randomUUID(), typed: {}, item: query.item };
    const products = await exchangeable(deps, locale);
    return html(200, returnStartPage({ ...form, products }, locale), PAGE_HEADERS, OWN_FORM);
  },
});

const start = defineRoute({
  method: 'post',
  base: 'root',
  path: '/orders/:token/return',
  summary: 'Asks for the return',
  description: 'The hidden field `key` names the form: sent twice, it is one return.',
  tags,
  permission: 'public',
  limit: 'pay',
  idempotent: false,
  form: true,
  params,
  query,
  body: typedFields,
  responses: acts,
  async handler({ params: { token }, query, body: typed, origin, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openOrderLink(deps, token, now);
    if (opened.is !== 'open') return closedDoor(opened, `/orders/${token}`, locale);
    const { thing: order, link } = opened;
    const policy = await returnPolicy(deps.db, now);
    const products = await exchangeable(deps, locale);
    const key = typed['key'] ?? '';
    const again = ({ status, problems, headers }: PageTrouble) =>
      html(
        status,
        returnStartPage(
          // What the system did not answer is the same request when it is sent again.
          { order, token, policy, now, products, typed, problems, key: status === 503 ? key : randomUUID() },
          locale,
        ),
        { ...PAGE_HEADERS, ...headers },
        OWN_FORM,
      );
    const requestKey = requestKeyOf({ caller: link.userId, method: 'POST', path: `/orders/${order.id}/return`, key });
    const returnId = asId<ReturnId>(idFromKey(requestKey, 'return'));
    try {
      // Of a repeat the units are claimed by now, by this very return.
      if (!(await isThere(deps, returnId))) {
        const { problems, ...wish } = readWish(order, policy, typed, now, locale);
        if (problems.length > 0) return again({ status: 422, problems, headers: {} });
        await openIt(deps, { ...wish, returnId, order, by: link.userId, policy, at: now.toISOString(), origin });
      }
    } catch (error) {
      return again(troubleOf(error, locale));
    }
    await startIfPossible(deps, returnId);
    const returnToken = await returnTokenFor(deps, link, returnId, now);
    return goOn(`/returns/${returnToken}?lang=${locale}&done=start`);
  },
});

const isThere = async ({ db }: ApiDeps, id: ReturnId): Promise<boolean> =>
  (await db('returns').where({ id }).first('id')) !== undefined;

/** It is on record: when its process cannot be started now, the sweep of returns does it within minutes. */
async function startIfPossible(deps: ApiDeps, id: ReturnId): Promise<void> {
  try {
    await startReturn(deps, id);
  } catch (error) {
    deps.logger.warn(
      { returnId: id, err: loggable(error) },
      'a return is on record and its process could not be started',
    );
  }
}

interface Wish {
  readonly items: readonly AskedBack[];
  readonly wanted: (typeof RESOLUTIONS)[number];
  readonly exchangeSku: Sku | null;
}

const openIt = (
  { db }: ApiDeps,
  {
    order,
    ...wish
  }: Wish & {
    readonly returnId: ReturnId;
    readonly order: OrderOnPage;
    readonly by: Parameters<typeof openReturn>[1]['by'];
    readonly policy: ReturnPolicy;
    readonly at: string;
    readonly origin: Origin;
  },
) => db.transaction((tx) => openReturn(tx, { ...wish, orderId: order.id, companyId: order.companyId }));

const CHOOSE_ITEMS: Words = { id: 'Pilih sedikitnya satu barang.', en: 'Choose at least one item.' };
const CHOOSE_REASON: Words = { id: 'pilih alasannya.', en: 'choose why.' };
const CHOOSE_EXCHANGE: Words = {
  id: 'Pilih barang yang Anda inginkan sebagai penukar.',
  en: 'Choose what you want in exchange.',
};

function readWish(
  order: OrderOnPage,
  policy: ReturnPolicy,
  typed: Readonly<Record<string, string>>,
  now: Date,
  locale: Locale,
): Wish & { readonly problems: string[] } {
  const problems: string[] = [];
  const items: AskedBack[] = [];
  for (const item of order.items) {
    const quantity = Number(typed[fieldOf('quantity', item)] ?? '0');
    if (!Number.isSafeInteger(quantity) || quantity <= 0) continue;
    const reason = RETURN_REASONS.find((one) => one === typed[fieldOf('reason', item)]);
    if (!reason) {
      problems.push(`${item.name[locale]}: ${CHOOSE_REASON[locale]}`);
      continue;
    }
    const condition = CONDITIONS.find((one) => one === typed[fieldOf('condition', item)]);
    const unit = returnableOf(item, policy, now.getTime())?.units[0];
    const refusal = refuseUnit(
      {
        state: unit?.state ?? item.units[0]?.state ?? 'cancelled',
        deliveredAt: (unit ?? item.units[0])?.deliveredAt?.getTime() ?? null,
        isClaimed: (unit ?? item.units[0])?.isClaimed ?? false,
        returnDays: item.returnDays,
        isFinalSale: item.isFinalSale,
        isHygiene: item.isHygiene,
        reason,
        condition: condition ?? null,
      },
      policy,
      now.getTime(),
    );
    if (refusal) {
      const why = refusal.facts['reason'];
      problems.push(
        `${item.name[locale]}: ${wordsOf(refusal.code, typeof why === 'string' ? why : undefined, locale)}`,
      );
    }
    items.push({ orderItemId: item.id, quantity, reason, ...(condition ? { condition } : {}) });
  }
  if (items.length === 0 && problems.length === 0) problems.push(CHOOSE_ITEMS[locale]);
  const wanted = RESOLUTIONS.find((one) => one === typed['wanted']) ?? 'refund';
  const sku = typed['exchangeSku'] ?? '';
  if (wanted === 'exchange' && sku === '') problems.push(CHOOSE_EXCHANGE[locale]);
  return { items, wanted, exchangeSku: wanted === 'exchange' && sku !== '' ? asId<Sku>(sku) : null, problems };
}

/** What may be had in exchange, by name. */
export async function exchangeable({ db }: ApiDeps, locale: Locale): Promise<ShopOption[]> {
  const products = await listProducts(db, { offeredOnly: true, after: null, limit: 100 });
  return products.map(({ sku, name }) => ({ value: sku, label: `${name[locale]} (${sku})` }));
}

const toReturn = defineRoute({
  method: 'get',
  base: 'root',
  path: '/orders/:token/returns/:returnId',
  summary: 'Leads on to the page of a return of the order',
  tags,
  permission: 'public',
  params: z.object({ token: z.string().max(200), returnId: z.string().max(40) }),
  query,
  responses: { 303: { description: 'To the page of the return', ...page }, ...SHOP_PAGE_ANSWERS },
  async handler({ params: { token, returnId }, query, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openOrderLink(deps, token, now);
    if (opened.is !== 'open') return closedDoor(opened, `/orders/${token}`, locale);
    const found = opened.thing.returns.find(({ id }) => id === returnId);
    if (!found) return closedDoor({ is: 'unknown' }, `/orders/${token}`, locale);
    return goOn(`/returns/${await returnTokenFor(deps, opened.link, found.id, now)}?lang=${locale}`);
  },
});

const review = defineRoute({
  method: 'post',
  base: 'root',
  path: '/orders/:token/review',
  summary: 'Says how the order was; once',
  tags,
  permission: 'public',
  limit: 'pay',
  idempotent: false,
  form: true,
  params,
  query,
  body: z.strictObject({
    key: z.string().max(100),
    mark: z.enum(['1', '2', '3', '4', '5']),
    text: z.string().max(REVIEW_MAX).default(''),
  }),
  responses: acts,
  async handler({ params: { token }, query, body: { mark, text }, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openOrderLink(deps, token, now);
    if (opened.is !== 'open') return closedDoor(opened, `/orders/${token}`, locale);
    const { thing: order, link } = opened;
    if (order.state !== 'delivered' && order.state !== 'returned') return goOn(`/orders/${token}?lang=${locale}`);
    await deps.db.transaction(async (tx) => {
      const subject = `order/${order.id}` as const;
      const content = { mark: Number(mark), text: text.trim() };
      // One of a person: what comes later changes nothing.
      const said = { subject, kind: 'review', by: link.userId, content, requestKey: 'once', at: now };
      await answerShopMessage(tx, await recordShopMessage(tx, said), null, now.toISOString());
    });
    return goOn(`/orders/${token}?lang=${locale}&done=review`);
  },
});

const cancel = defineRoute({
  method: 'post',
  base: 'root',
  path: '/orders/:token/cancel',
  summary: 'Cancels what was not sent yet',
  description: 'Says the same to the process of the order as POST /orders/:id/cancel without items.',
  tags,
  permission: 'public',
  limit: 'pay',
  idempotent: false,
  form: true,
  params,
  query,
  body: z.strictObject({ key: z.string().max(100) }),
  responses: acts,
  async handler({ params: { token }, query, body: { key }, origin, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openOrderLink(deps, token, now);
    if (opened.is !== 'open') return closedDoor(opened, `/orders/${token}`, locale);
    const { thing: order, link, actor } = opened;
    const requestKey = requestKeyOf({ caller: link.userId, method: 'POST', path: `/orders/${order.id}/cancel`, key });
    try {
      await askOrder(deps, { id: order.id, actor, requestKey, origin }, { kind: 'cancel', byPayer: true });
    } catch (error) {
      const { status, problems, headers } = troubleOf(error, locale, 'order_not_open');
      // As it is by now: what stood in the way may be that it has been sent.
      const after = await openOrderLink(deps, token, now);
      const shownNow = after.is === 'open' ? after.thing : order;
      const more = { token, now, problems, ...(status === 503 ? { key } : {}) };
      return html(status, await shown(deps, shownNow, more, locale), { ...PAGE_HEADERS, ...headers }, OWN_FORM);
    }
    return goOn(`/orders/${token}?lang=${locale}&done=cancel`);
  },
});

const newLink = defineRoute({
  method: 'post',
  base: 'root',
  path: '/orders/:token/link',
  summary: 'Sends a new link to whom an ended one was sent',
  tags,
  permission: 'public',
  limit: 'reset',
  idempotent: false,
  form: true,
  params,
  query,
  responses: { 200: { description: 'The same page, whether there is somebody to write to or not', ...page } },
  async handler({ params: { token }, query, deps, locale: asked }) {
    const [now, locale] = [new Date(), languageOf(query.lang, asked)];
    const opened = await openOrderLink(deps, token, now);
    if (opened.is !== 'unknown') await sendOrderLink(deps, opened.thing.id, now);
    return html(200, newLinkSentPage(`/orders/${token}`, locale), PAGE_HEADERS);
  },
});

const HOUR = 3_600_000;

/** One an hour: the letter's ID is made of the hour. */
export const hourOf = (now: Date): Date => new Date(Math.floor(now.getTime() / HOUR) * HOUR);

const sendOrderLink = ({ db }: ApiDeps, orderId: OrderId, now: Date): Promise<void> =>
  db.transaction((tx) => writeOrderLetter(tx, 'order_link', { orderId, at: hourOf(now) }));

export const orderPageRoutes = [showOrder, startForm, start, toReturn, review, cancel, newLink];
