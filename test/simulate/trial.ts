import { writeFileSync } from 'node:fs';
import { stopAll } from '../support/registry.ts';
import { simulate } from './simulate.ts';
const t0 = Date.now();
let last = '';
try {
  const done = await simulate({ cases: Number(process.argv[2]), seed: '1', year: 2026, days: Number(process.argv[3]) }, (p) => {
    const line = `${p.drafts} ${p.at && new Date(p.at).toISOString().slice(0, 10)} ${p.submitted} ${p.over}`;
    if (line !== last) console.log(((Date.now() - t0) / 1000).toFixed(1), line);
    last = line;
  });
  writeFileSync(process.argv[4]!, done.report);
  console.log(done.problems.join('\n'));
} catch (e) { console.error(e); } finally { await stopAll(); }
