import { z } from 'zod';
import { asId, type InvitationId } from '../../domain/ids.ts';
import { timeSchema } from '../wire.ts';
import { email } from './people.ts';

export const invitationIdSchema = z.guid().transform((id) => asId<InvitationId>(id));

const maskedEmail = z.string().describe('Masked: `s•••@warung-sari.id`.');

export const invitation = z
  .object({
    id: z.uuid(),
    email: maskedEmail,
    invitedBy: z.uuid(),
    createdAt: timeSchema,
    expiresAt: timeSchema,
  })
  .meta({ id: 'CompanyInvitation' });

export const members = z
  .object({
    items: z.array(z.object({ userId: z.uuid(), name: z.string(), email: maskedEmail, joinedAt: timeSchema })),
    invitations: z.array(invitation).describe('Those that can still be accepted.'),
    nextCursor: z.null(),
  })
  .meta({ id: 'CompanyMembers' });

export const newInvitation = z.strictObject({ email });
export const joiningCompany = z.strictObject({ token: z.string().min(1).max(200) });
export const joinedCompany = z.object({ companyId: z.uuid(), companyName: z.string() }).meta({ id: 'JoinedCompany' });
