/** `POST /snap/v1/transactions`: opens a pay page, and refuses what the real Snap refuses. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { CHANNELS, type Channel, type Order, opened } from './orders.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const UNITS = { minute: MINUTE, hour: 60 * MINUTE, day: DAY };

const duration = z.object({
  unit: z
    .string()
    .transform((unit) => unit.replace(/s$/, ''))
    .pipe(z.enum(['minute', 'hour', 'day'], { error: 'unit is invalid' })),
  duration: z.number().int(),
});

const START_TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} [+-]\d{4}$/;

const request = z
  .object({
    transaction_details: z.object({
      order_id: z
        .string({ error: 'is required' })
        .min(1, 'is required')
        .max(50, 'is too long (maximum is 50 characters)')
        .regex(/^[A-Za-z0-9._~-]+$/, 'is invalid'),
      gross_amount: z
        .number({ error: 'is not a number' })
        .int('must be an integer')
        .min(1, 'must be greater than or equal to 0.01'),
    }),
    item_details: z
      .array(
        z.object({
          name: z.string().min(1).max(50, 'is too long (maximum is 50 characters)'),
          price: z.number().int('must be an integer'),
          quantity: z.number().int().min(1, 'must be greater than or equal to 1'),
        }),
      )
      .optional(),
    expiry: duration.extend({ start_time: z.string().regex(START_TIME, 'is invalid').optional() }).optional(),
    page_expiry: duration.optional(),
    enabled_payments: z.array(z.string()).optional(),
    callbacks: z
      .object({ finish: z.url({ protocol: /^https?$/, error: 'is invalid' }) })
      .partial()
      .optional(),
  })
  .superRefine((body, context) => {
    const { transaction_details, item_details } = body;
    const total = item_details?.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
    if (total !== undefined && total !== transaction_details.gross_amount) {
      const message = 'is not equal to the sum of item_details';
      context.addIssue({ code: 'custom', path: ['transaction_details', 'gross_amount'], message });
    }
  });
type SnapRequest = z.infer<typeof request>;

export interface SnapOptions {
  readonly clock: () => Date;
  readonly exists: (orderId: string) => boolean;
  readonly save: (order: Order) => void;
  readonly redirectUrl: (order: Order) => string;
}

export const createTransaction =
  ({ clock, exists, save, redirectUrl }: SnapOptions) =>
  (req: Request): Reply => {
    const parsed = request.safeParse(req.body);
    if (!parsed.success) return refused(parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`));
    if (exists(parsed.data.transaction_details.order_id)) {
      return refused(['transaction_details.order_id has already been taken']);
    }
    const order = newOrder(parsed.data, clock(), req.get('x-payment-locale') === 'en-EN' ? 'en' : 'id');
    const problem = expiryProblem(order, parsed.data, clock());
    if (problem !== null) return refused([problem]);
    save(order);
    return { status: 201, body: { token: order.token, redirect_url: redirectUrl(order) } };
  };

const refused = (messages: string[]): Reply => ({ status: 400, body: { error_messages: messages } });

function newOrder(body: SnapRequest, now: Date, locale: 'id' | 'en'): Order {
  const { expiry, page_expiry, enabled_payments, callbacks } = body;
  const starts = expiry?.start_time === undefined ? now : instant(expiry.start_time);
  const given = {
    orderId: body.transaction_details.order_id,
    grossAmount: body.transaction_details.gross_amount,
    items: body.item_details ?? [],
    locale,
    finishUrl: callbacks?.finish ?? null,
    channels: channels(enabled_payments),
  };
  return opened(given, {
    now,
    pageExpiresAt: new Date(now.getTime() + span(page_expiry)),
    expiresAt: new Date(starts.getTime() + span(expiry)),
  });
}

// 24 hours is Snap's default for both.
const span = (given: z.infer<typeof duration> | undefined): number =>
  given === undefined ? DAY : given.duration * UNITS[given.unit];

function expiryProblem(order: Order, body: SnapRequest, now: Date): string | null {
  for (const name of ['expiry', 'page_expiry'] as const) {
    const length = span(body[name]);
    if (length < 5 * MINUTE) return `${name}.duration must be at least 5 minutes`;
    if (length > 7 * DAY) return `${name}.duration must be at most 7 days`;
  }
  return new Date(order.expiresAt) <= now ? 'expiry.start_time is too far in the past' : null;
}

/** `2025-12-05 14:49:38 +0700` → the instant. */
const instant = (text: string): Date => new Date(`${text.slice(0, 10)}T${text.slice(11, 19)}${text.slice(20)}`);

function channels(enabled: string[] | undefined): Channel[] {
  if (enabled === undefined) return [...CHANNELS];
  const wanted = CHANNELS.filter((channel) => enabled.includes(channel === 'qris' ? 'other_qris' : channel));
  return wanted.length > 0 ? wanted : [...CHANNELS];
}
