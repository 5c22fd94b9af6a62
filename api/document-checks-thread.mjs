/**
 * The thread that looks into uploaded files; see document-checks.ts, which ends it when it takes too much time or memory.
 * Plain JavaScript, because a thread does not inherit what runs TypeScript from its sources.
 */
import { parentPort } from 'node:worker_threads';
import { imageSize } from 'image-size';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';

parentPort.on('message', async (task) => parentPort.postMessage(await resultOf(task)));
parentPort.postMessage('ready');

/** @param {import('./document-checks.ts').CheckTask} task @returns {Promise<import('./document-checks.ts').CheckResult>} */
async function resultOf({ content, contentType }) {
  try {
    return contentType === 'application/pdf'
      ? { pdf: await lookIntoPdf(content) }
      : { picture: lookAtPicture(content) };
  } catch (error) {
    return { unreadable: error?.name === 'PasswordException' ? 'locked' : 'damaged' };
  }
}

function lookAtPicture(content) {
  const { width, height } = imageSize(content);
  if (!(width > 0 && height > 0)) throw new Error('a picture without pixels');
  return { width, height };
}

/** More pages than a reviewer is warned of are not looked into one by one. */
const PAGES = 200;
/** PDF 32000-1, 12.5.6.15. */
const FILE_ATTACHMENT = 17;

async function lookIntoPdf(content) {
  const names = Buffer.from(content).toString('latin1');
  const task = getDocument({
    data: content,
    verbosity: 0,
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    useWorkerFetch: false,
    enableXfa: false,
  });
  try {
    const pdf = await task.promise;
    const { info } = await pdf.getMetadata();
    const carried = await lookAtPages(pdf);
    return {
      pages: pdf.numPages,
      encrypted: info.EncryptFilterName !== null,
      scripts:
        carried.scripts || names.includes('/JavaScript') || names.includes('/Launch') || (await pdf.hasJSActions()),
      attachments: carried.attachments || names.includes('/EmbeddedFile') || (await pdf.getAttachments()) !== null,
    };
  } finally {
    await task.destroy();
  }
}

/** @throws when the first page cannot be read: then nobody can */
async function lookAtPages(pdf) {
  const carried = { scripts: false, attachments: false };
  for (let number = 1; number <= Math.min(pdf.numPages, PAGES); number += 1) {
    const page = await pageOf(pdf, number);
    if (!page) continue;
    const annotations = await page.getAnnotations();
    carried.scripts ||= (await page.getJSActions()) !== null || annotations.some(({ actions }) => actions);
    carried.attachments ||= annotations.some(({ annotationType }) => annotationType === FILE_ATTACHMENT);
    page.cleanup();
  }
  return carried;
}

async function pageOf(pdf, number) {
  try {
    return await pdf.getPage(number);
  } catch (error) {
    if (number === 1) throw error;
    return null;
  }
}
