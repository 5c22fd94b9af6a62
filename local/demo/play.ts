/** A whole application, from log-in to licence, played through the public API and told as it goes. */
import type { ReadyFile } from '../ready-file.ts';
import { apply } from './applying.ts';
import { createDemoClient } from './client.ts';
import { createNarrator } from './narrator.ts';
import { pay } from './paying.ts';
import { receive } from './receiving.ts';
import { review } from './reviewing.ts';
import type { Story } from './story.ts';

export interface DemoRun {
  readonly ready: ReadyFile;
  /** Takes a line, without its end. */
  readonly write: (line: string) => void;
  /** Where the certificate is put. */
  readonly directory: string;
  /** Code of a licence type; absent = a restaurant, which three people review. */
  readonly typeCode?: string;
  readonly color?: boolean;
  readonly pauseMs?: number;
}

export interface Played {
  readonly applicationId: string;
  /** Path of the downloaded PDF. */
  readonly certificate: string;
  readonly verifyUrl: string;
}

/** Each run tells a new application. @throws DemoFailure when the system answers otherwise than it should */
export async function playDemo({ ready, write, directory, typeCode, color, pauseMs }: DemoRun): Promise<Played> {
  const narrator = createNarrator({ write, color: color ?? false, pauseMs: pauseMs ?? 0 });
  const story: Story = { ready, narrator, client: createDemoClient(ready), since: new Date().toISOString() };

  const applicationId = await apply(story, typeCode ?? 'restaurant');
  await review(story, applicationId);
  await pay(story, applicationId);
  const { certificate, verifyUrl } = await receive(story, applicationId, directory);

  narrator.say('');
  narrator.strong(`Certificate: ${certificate}`);
  narrator.strong(`Verify:      ${verifyUrl}`);
  return { applicationId, certificate, verifyUrl };
}
