/** Who stands behind a link of the shop. Having the link is what allows it: so no form of these pages needs a cookie. */

import { createShopLink, findShopLink, type ShopLink } from '../db/shop-links.ts';
import { type OrderOnPage, orderOnPage, type ReturnOnPage, returnOnPage } from '../db/shop-page-reads.ts';
import { actsFor } from '../db/shop-readers.ts';
import { findActor } from '../db/staff.ts';
import { namedUuid } from '../db/uuids.ts';
import type { ReturnId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { ApiDeps } from './deps.ts';

/** `unknown`: there never was such a link, or its holder acts for the company no more. */
export type Opened<Thing> =
  | { readonly is: 'open'; readonly link: ShopLink; readonly actor: Actor; readonly thing: Thing }
  | { readonly is: 'ended'; readonly link: ShopLink; readonly thing: Thing }
  | { readonly is: 'unknown' };

const TOKEN = /^[\w-]{43}$/;

export async function openOrderLink(deps: ApiDeps, token: string, now: Date): Promise<Opened<OrderOnPage>> {
  return open(deps, token, now, ({ subject }) => (subject.kind === 'order' ? orderOnPage(deps.db, subject.id) : null));
}

export async function openReturnLink(deps: ApiDeps, token: string, now: Date): Promise<Opened<ReturnOnPage>> {
  return open(deps, token, now, ({ subject }) =>
    subject.kind === 'return' ? returnOnPage(deps.db, subject.id) : null,
  );
}

async function open<Thing extends OrderOnPage | ReturnOnPage>(
  { db }: ApiDeps,
  token: string,
  now: Date,
  read: (link: ShopLink) => Promise<Thing | null> | null,
): Promise<Opened<Thing>> {
  const link = TOKEN.test(token) ? await findShopLink(db, token) : null;
  const thing = link && (await read(link));
  if (!link || !thing || !(await actsFor(db, thing.companyId, link.userId))) return { is: 'unknown' };
  if (link.expiresAt <= now) return { is: 'ended', link, thing };
  const actor = await findActor(db, link.userId);
  return actor ? { is: 'open', link, actor, thing } : { is: 'unknown' };
}

/** The page of a return of the order that a link opened: the same each time, and good for as long as if it came by letter. */
export const returnTokenFor = (
  { db, secretKey }: ApiDeps,
  link: ShopLink,
  returnId: ReturnId,
  now: Date,
): Promise<string> =>
  createShopLink(db, secretKey, {
    id: namedUuid(`return-link/${link.id}/${returnId}`),
    subject: { kind: 'return', id: returnId },
    userId: link.userId,
    createdAt: now,
  });
