/** What `POST /v1/checkout/sessions` takes, in mode `payment`; unknown parameters are refused, as Stripe does. */
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { refused } from './refusals.ts';
import { CHANNELS, CURRENCIES, channelsOf, type Session, type WireCurrency } from './sessions.ts';

// Form-encoded: every value is text, and long lists arrive as objects with numbers for names.
const list = <T extends z.ZodType>(item: T, most: number) =>
  z.preprocess(
    (given) => (typeof given === 'object' && given !== null ? Object.values(given) : given),
    z.array(item).min(1).max(most),
  );
const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'Invalid integer')
  .transform(Number);
const metadata = z.record(z.string().max(40), z.string().max(500)).default({});
const webUrl = z.url({ protocol: /^https?$/, error: 'Not a valid URL' });

const lineItem = z.strictObject({
  quantity: whole.refine((quantity) => quantity >= 1, 'must be at least 1'),
  price_data: z.strictObject({
    currency: z.enum(CURRENCIES, { error: 'Invalid currency' }),
    unit_amount: whole,
    product_data: z.strictObject({ name: z.string().min(1).max(250), description: z.string().optional() }),
  }),
});

export const sessionRequest = z.strictObject({
  mode: z.literal('payment'),
  line_items: list(lineItem, 100),
  client_reference_id: z.string().max(200).optional(),
  metadata,
  payment_intent_data: z.strictObject({ metadata }).optional(),
  customer_email: z.email('Invalid email address').optional(),
  locale: z.enum(['id', 'en']).default('en'),
  success_url: webUrl,
  cancel_url: webUrl.optional(),
  expires_at: whole.optional(),
  adaptive_pricing: z.strictObject({ enabled: z.enum(['true', 'false']) }).optional(),
  allowed_payment_method_types: list(z.enum(CHANNELS), CHANNELS.length).optional(),
});
export type SessionRequest = z.infer<typeof sessionRequest>;

const MINUTE = 60_000;
// https://docs.stripe.com/currencies: digits at most, and the least that may be charged.
const BOUNDS: Record<WireCurrency, { most: number; least: number }> = {
  idr: { most: 999_999_999_999, least: 1 },
  myr: { most: 99_999_999, least: 200 },
};

/** The session that was asked for, or why there is none. */
export function newSession(
  given: unknown,
  now: Date,
): { readonly refusal: Reply } | { readonly session: Omit<Session, 'id' | 'status' | 'onFile' | 'payment'> } {
  const parsed = sessionRequest.safeParse(given ?? {});
  if (!parsed.success) return { refusal: invalid(parsed.error) };
  const body = parsed.data;
  const created = Math.floor(now.getTime() / 1000) * 1000;
  const expires = body.expires_at === undefined ? created + 24 * 60 * MINUTE : body.expires_at * 1000;
  const refusal = currencyProblem(body) ?? amountProblem(body) ?? expiryProblem(expires - created);
  if (refusal !== null) return { refusal };
  const currency = currencyOf(body);
  return {
    session: {
      reference: body.client_reference_id ?? null,
      currency,
      amount: total(body),
      items: body.line_items.map(({ quantity, price_data }) => ({
        name: price_data.product_data.name,
        unitAmount: price_data.unit_amount,
        quantity,
      })),
      email: body.customer_email ?? null,
      locale: body.locale,
      successUrl: body.success_url,
      cancelUrl: body.cancel_url ?? null,
      metadata: body.metadata,
      intentMetadata: body.payment_intent_data?.metadata ?? {},
      channels: body.allowed_payment_method_types ?? channelsOf(currency),
      createdAt: now.toISOString(),
      expiresAt: new Date(expires).toISOString(),
    },
  };
}

const currencyOf = ({ line_items }: SessionRequest): WireCurrency => line_items[0]?.price_data.currency ?? 'idr';

const total = ({ line_items }: SessionRequest): number =>
  line_items.reduce((sum, { quantity, price_data }) => sum + quantity * price_data.unit_amount, 0);

function currencyProblem(body: SessionRequest): Reply | null {
  const currency = currencyOf(body);
  if (body.line_items.some(({ price_data }) => price_data.currency !== currency)) {
    return refused(400, 'All line items must have the same currency.', { param: 'line_items' });
  }
  const other = body.allowed_payment_method_types?.find((type) => !channelsOf(currency).includes(type));
  if (other === undefined) return null;
  const message = `The payment method \`${other}\` cannot be used with the currency ${currency}.`;
  return refused(400, message, { param: 'allowed_payment_method_types' });
}

function amountProblem(body: SessionRequest): Reply | null {
  const currency = currencyOf(body);
  const { least, most } = BOUNDS[currency];
  if (total(body) < least) {
    return refused(400, `The Checkout Session's total amount due must add up to at least ${least} ${currency}.`, {
      code: 'amount_too_small',
    });
  }
  if (total(body) <= most) return null;
  return refused(400, `The Checkout Session's total amount due must be no more than ${most} ${currency}.`, {
    code: 'amount_too_large',
  });
}

function expiryProblem(span: number): Reply | null {
  const param = 'expires_at';
  if (span < 30 * MINUTE) {
    return refused(400, 'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.', {
      param,
    });
  }
  if (span <= 24 * 60 * MINUTE) return null;
  return refused(400, 'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.', {
    param,
  });
}

/** Names the first wrong parameter in Stripe's spelling: `line_items[0][quantity]`. */
export function invalid(error: z.ZodError): Reply {
  const [issue] = error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const [head = '', ...rest] = [...(issue?.path ?? []), ...unknown].map(String);
  const param = head + rest.map((name) => `[${name}]`).join('');
  if (unknown.length > 0) {
    return refused(400, `Received unknown parameter: ${param}`, { code: 'parameter_unknown', param });
  }
  return refused(400, `Invalid ${param}: ${issue?.message}`, { param });
}
