/** A customer in front of the shop's pages: opens links, reads forms and sends them as a browser without scripts does. */
import { randomUUID } from 'node:crypto';
import { createShopLink, type ShopLinkSubject } from '../../db/shop-links.ts';
import type { UserId } from '../../domain/ids.ts';
import type { TestApi } from './api.ts';

export interface ShopVisit {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface PageFormRead {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export async function visitPage(url: string, init: RequestInit = {}, language = 'id'): Promise<ShopVisit> {
  const answer = await fetch(url, {
    redirect: 'manual',
    ...init,
    headers: { accept: 'text/html', 'accept-language': language },
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** What a letter would carry. */
export const aShopLink = (
  api: Pick<TestApi, 'deps'>,
  subject: ShopLinkSubject,
  userId: UserId,
  createdAt = new Date(),
): Promise<string> => createShopLink(api.deps.db, api.deps.secretKey, { id: randomUUID(), subject, userId, createdAt });

const ENTITIES: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&#x27;': "'",
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
  '&#x3D;': '=',
};
const plain = (text: string): string => text.replace(/&(?:quot|#x27|lt|gt|amp|#x3D);/g, (one) => ENTITIES[one] ?? one);

/** The form that leads there, with what it would send as it stands; null = the page has none. */
export function formTo({ text }: Pick<ShopVisit, 'text'>, path: string): PageFormRead | null {
  for (const [, action = '', inner = ''] of text.matchAll(
    /<form method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g,
  )) {
    if (new URL(plain(action), 'http://page').pathname.endsWith(path))
      return { action: plain(action), fields: fieldsOf(inner) };
  }
  return null;
}

function fieldsOf(form: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, rest = ''] of form.matchAll(/<input([^>]*)>/g)) {
    const [name, value, type] = ['name', 'value', 'type'].map((key) => new RegExp(` ${key}="([^"]*)"`).exec(rest)?.[1]);
    if (name === undefined || type === 'file' || (type === 'radio' && !/ checked/.test(rest))) continue;
    fields[name] = plain(value ?? '');
  }
  for (const [, name = '', inner = ''] of form.matchAll(/<select name="([^"]*)">([\s\S]*?)<\/select>/g)) {
    const options = [...inner.matchAll(/<option value="([^"]*)"( selected)?>/g)];
    fields[name] = plain((options.find(([, , selected]) => selected) ?? options[0])?.[1] ?? '');
  }
  for (const [, name = '', value = ''] of form.matchAll(/<textarea name="([^"]*)"[^>]*>([\s\S]*?)<\/textarea>/g)) {
    fields[name] = plain(value);
  }
  return fields;
}

/** Sends a form as it stands, but for what the customer typed. */
export function sendForm(
  api: Pick<TestApi, 'url'>,
  form: PageFormRead | null,
  typed: Readonly<Record<string, string>> = {},
  language = 'id',
): Promise<ShopVisit> {
  if (!form) throw new Error('the page has no such form');
  const body = new URLSearchParams({ ...form.fields, ...typed });
  return visitPage(`${api.url}${form.action}`, { method: 'POST', body }, language);
}
