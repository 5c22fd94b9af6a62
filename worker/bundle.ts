import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
export const WORKFLOWS_PATH = fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url));

/** Where the build leaves the bundle, so that a worker in production starts without a compiler. */
export const BUILT_BUNDLE = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

/** The workflows as one script. Takes seconds: once per process, or once per build. */
export async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('WARN') });
  return code;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(BUILT_BUNDLE, await bundleWorkflows());
}
