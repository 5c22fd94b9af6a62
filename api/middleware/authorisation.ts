/** What the caller may do: the only place that asks the table of rights. Whose case it is, the route asks afterwards. */
import { Failure } from '../../domain/failures.ts';
import type { Actor } from '../../domain/licensing.ts';
import { may, type Permission } from '../../domain/roles.ts';

/** @throws Failure `unauthenticated` without a caller, `forbidden` when none of the caller's roles has the right. */
export function authorise(actor: Actor | undefined, permission: Permission | 'public'): void {
  if (permission === 'public') return;
  if (!actor) throw new Failure('unauthenticated', 'Log in and send Authorization: Bearer <access token>.');
  if (may(actor.roles, permission)) return;
  throw new Failure(
    'forbidden',
    `Your role does not have the right ${permission}. Ask an administrator of the office.`,
  );
}
