/**
 * The registries of one machine. Every well-formed number is known there under whatever name is asked, until
 * `/_sandbox/registries` says otherwise of it, or takes a registry down.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Response, Router } from 'express';
import { z } from 'zod';
import { parseNib, parseNik, parseNpwp } from '../../domain/identity-numbers.ts';
import { REGISTRIES, type Registry } from '../../domain/licensing.ts';
import { COMPARED_FIELDS } from '../../domain/registries.ts';

const PARSERS = { nib: parseNib, npwp: parseNpwp, nik: parseNik } as const;

const question = z.strictObject({ number: z.string().min(1).max(40), name: z.string().min(1).max(300) });
const entry = z.union([
  z.strictObject({ found: z.literal(false) }),
  z.strictObject({ found: z.literal(true), differences: z.array(z.enum(COMPARED_FIELDS)).default([]) }),
]);
const MODES = ['up', 'down', 'silent', 'garbled'] as const;
const mode = z.strictObject({ mode: z.enum(MODES) });
const isRegistry = (value: string): value is Registry => REGISTRIES.some((registry) => registry === value);

export function createRegistrySandbox({ token }: { readonly token: string }): Router {
  const modes = new Map<Registry, (typeof MODES)[number]>();
  const entries = new Map<string, z.infer<typeof entry>>();
  const asked: { registry: Registry; at: string }[] = [];
  const router = Router();
  router.use(express.json());

  router.post('/registries/:registry/verify', (req, res) => {
    const { registry } = req.params;
    if (!sameToken(req.headers.authorization, token)) return problem(res, 401, 'The token is wrong.');
    if (!isRegistry(registry))
      return problem(res, 404, `There is no such registry; there are ${REGISTRIES.join(', ')}.`);
    asked.push({ registry, at: new Date().toISOString() });
    const now = modes.get(registry) ?? 'up';
    if (now === 'down') return problem(res, 503, 'The registry is down.');
    if (now === 'garbled') return void res.type('json').send('{"found": tru');
    // Keeps the connection and says nothing, as a registry does behind a firewall that drops packets.
    if (now === 'silent') return;
    const read = question.safeParse(req.body);
    if (!read.success) return problem(res, 422, z.prettifyError(read.error));
    const known = entries.get(`${registry}/${read.data.number}`);
    res.json(known ?? { found: PARSERS[registry](read.data.number).ok, differences: [] });
  });
  router.put('/_sandbox/registries/:registry', (req, res) => {
    const read = mode.safeParse(req.body);
    if (!isRegistry(req.params.registry) || !read.success)
      return problem(res, 422, `The mode is one of ${MODES.join(', ')}.`);
    modes.set(req.params.registry, read.data.mode);
    res.json(read.data);
  });
  router.put('/_sandbox/registries/:registry/:number', (req, res) => {
    const read = entry.safeParse(req.body);
    if (!isRegistry(req.params.registry) || !read.success)
      return problem(res, 422, 'Send {"found": true|false, "differences"?: ["name"]}.');
    entries.set(`${req.params.registry}/${req.params.number}`, read.data);
    res.json(read.data);
  });
  router.get('/_sandbox/registries', (_req, res) => {
    res.json({
      modes: Object.fromEntries(REGISTRIES.map((registry) => [registry, modes.get(registry) ?? 'up'])),
      asked,
    });
  });
  return router;
}

function sameToken(header: string | undefined, token: string): boolean {
  const hashed = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hashed(header ?? ''), hashed(`Bearer ${token}`));
}

function problem(res: Response, status: number, detail: string): void {
  res
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', status, detail }));
}
