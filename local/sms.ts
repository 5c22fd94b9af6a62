/**
 * The SMS provider of one machine: takes what `activities/sms/sender.ts` sends and shows it instead of sending it on. Part
 * of the mailbox's server: the page is `/sms`, `GET /sms/api/messages` lists in order of arrival (the newest is the last).
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import express, { type Router } from 'express';
import Handlebars from 'handlebars';
import { z } from 'zod';
import { LOCAL_SECRET_PREFIX } from '../config.ts';

/** The bearer token that it asks for; it is reached from this machine only. */
export const LOCAL_SMS_TOKEN = `${LOCAL_SECRET_PREFIX}sms-token`;

export interface TextMessage {
  readonly id: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  /** E.164. */
  readonly to: string;
  readonly text: string;
}

export interface SmsSandbox {
  readonly router: Router;
  messages(): readonly TextMessage[];
  /** The first that fits, there already or still to come. Rejects when none comes in time. */
  waitForMessage(fits: (message: TextMessage) => boolean, timeoutMs: number): Promise<TextMessage>;
  /** Answers the next so many requests with this status and keeps nothing. */
  failNext(count: number, status: number): void;
}

const outgoing = z.strictObject({ to: z.string().regex(/^\+[1-9]\d{7,14}$/), text: z.string().min(1).max(1600) });

/** Keeps the newest so many, in memory. */
const KEPT = 500;

export function createSmsSandbox(): SmsSandbox {
  const messages: TextMessage[] = [];
  const keys = new Set<string>();
  const faults = { left: 0, status: 503 };

  function take(request: express.Request): number {
    if (request.get('authorization') !== `Bearer ${LOCAL_SMS_TOKEN}`) return 401;
    if (faults.left > 0) {
      faults.left -= 1;
      return faults.status;
    }
    const parsed = outgoing.safeParse(request.body);
    if (!parsed.success) return 422;
    const key = request.get('idempotency-key') ?? randomUUID();
    // As a provider does: the same key is the same message.
    if (!keys.has(key)) messages.push({ id: key, receivedAt: new Date().toISOString(), ...parsed.data });
    keys.add(key);
    messages.splice(0, messages.length - KEPT);
    return 202;
  }

  const router = express.Router();
  router.post('/messages', express.json({ limit: '10kb' }), (request, response) => {
    response.status(take(request)).json({});
  });
  router.get('/api/messages', (_request, response) => void response.json(messages));
  router.get('/', (_request, response) => void response.send(page({ messages: messages.toReversed() })));
  return {
    router,
    messages: () => messages,
    waitForMessage: (fits, timeoutMs) => waitForMessage(messages, fits, timeoutMs),
    failNext: (count, status) => {
      faults.left = count;
      faults.status = status;
    },
  };
}

async function waitForMessage(
  messages: readonly TextMessage[],
  fits: (message: TextMessage) => boolean,
  timeoutMs: number,
): Promise<TextMessage> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = messages.find(fits);
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`No such text message within ${timeoutMs} ms`);
    await delay(20);
  }
}

const page = Handlebars.compile(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Text messages</title><style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 56rem; padding: 1rem; color: #1d2530; background: #fff }
h1 { font-size: 1.4rem } a { color: #0b57a4 } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5rem .5rem .5rem 0; border-bottom: 1px solid #d5dbe3; overflow-wrap: anywhere }
.empty { padding: 3rem 0; color: #55606e }
</style></head><body><p><a href="/">Mailbox</a></p><h1>Text messages</h1>
{{#if messages}}<table><thead><tr><th>Received</th><th>To</th><th>Text</th></tr></thead><tbody>
{{#each messages}}<tr><td><time datetime="{{receivedAt}}">{{receivedAt}}</time></td><td>{{to}}</td><td>{{text}}</td></tr>
{{/each}}</tbody></table>{{else}}<p class="empty">None yet. Codes that Alur sends by SMS on this machine arrive here.</p>{{/if}}
</body></html>`);
