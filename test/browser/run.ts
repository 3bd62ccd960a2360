import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { drawPage } from '../../src/report/html/page.ts';
import { exampleReport } from '../report/support/example-report.ts';
import { type Browser, startBrowser } from './devtools.ts';
import { findBrowser } from './find-browser.ts';

/**
 * Shows the page of `tend status --html` in a real browser: on a phone and on a desk, on light and on dark paper. Nothing may
 * be wider than the page, no text may be paler than 4.5:1 as the browser computes its colours, and nothing may be loaded. With
 * a directory as argument the pictures are left there.
 */
const program = findBrowser(process.env.PATH ?? '');
if (program === undefined) {
  print('No browser was found (chromium, google-chrome): nothing was checked.');
} else {
  const problems = await checkPage(program, process.argv[2]);
  for (const problem of problems) print(problem);
  print(problems.length === 0 ? 'The page is well in all four views.' : `${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function checkPage(browserProgram: string, pictures: string | undefined): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tend-page-'));
  try {
    const path = join(directory, 'status.html');
    await writeFile(path, drawPage(exampleReport()));
    if (pictures !== undefined) await mkdir(pictures, { recursive: true });
    await using browser = await startBrowser(browserProgram);
    const problems: string[] = [];
    for (const width of [360, 1280]) {
      for (const paper of ['light', 'dark']) {
        const view = { url: pathToFileURL(path).href, width, paper };
        problems.push(...(await checkView(browser, view, pictures)));
      }
    }
    return problems;
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function checkView(
  browser: Browser,
  { url, width, paper }: { url: string; width: number; paper: string },
  pictures: string | undefined,
): Promise<string[]> {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method: string, params?: object) => browser.send(method, params, String(sessionId));
  const size = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
  await send('Emulation.setDeviceMetricsOverride', size);
  const features = [{ name: 'prefers-color-scheme', value: paper }];
  await send('Emulation.setEmulatedMedia', { features });
  await send('Page.navigate', { url });
  const found = await untilLoaded(send);
  if (pictures !== undefined) {
    const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true });
    await writeFile(join(pictures, `status-${width}-${paper}.png`), Buffer.from(String(data), 'base64'));
  }
  await browser.send('Target.closeTarget', { targetId });
  return found.map((problem) => `${width} px, ${paper}: ${problem}`);
}

async function untilLoaded(
  send: (method: string, params?: object) => Promise<Record<string, unknown>>,
): Promise<string[]> {
  const expression = `(${inspect.toString()})()`;
  for (;;) {
    const { result } = await send('Runtime.evaluate', { expression, returnByValue: true });
    const { value } = result as { value?: string[] | null }; // what inspect gives
    if (Array.isArray(value)) return value;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Runs in the page: what is wrong with it, or null while it is not there. */
function inspect(): string[] | null {
  const page = globalThis as unknown as PageGlobals; // it runs there and not here
  const { document, performance } = page;
  if (document.readyState !== 'complete' || document.querySelector('footer') === null) return null;
  const problems: string[] = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth)
    problems.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
  for (const { name } of performance.getEntriesByType('resource')) problems.push(`loads ${name}`);
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [red = 0, green = 0, blue = 0] = channels(color).map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const groundOf = (element: PageElement | null): string => {
    if (element === null) return 'rgb(255, 255, 255)';
    const color = page.getComputedStyle(element).backgroundColor;
    return channels(color)[3] === 0 ? groundOf(element.parentElement) : color;
  };
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data?.trim() !== '');
    if (!text || element.closest('title') !== null) continue;
    const { color, fill } = page.getComputedStyle(element);
    const isDrawn = element.tagName === 'text';
    const [one = 0, other = 0] = [isDrawn ? fill : color, groundOf(element)]
      .map(luminance)
      .sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    const shown = element.textContent.slice(0, 30);
    if (ratio < 4.5) problems.push(`"${shown}" has a contrast of ${ratio.toFixed(2)}`);
    const { right } = element.getBoundingClientRect();
    const isCut = right > root.clientWidth + 1 && element.closest('.scroll') === null;
    if (isCut) problems.push(`"${shown}" ends at ${Math.round(right)}, beyond the edge`);
  }
  return problems;
}

interface PageElement {
  tagName: string;
  textContent: string;
  parentElement: PageElement | null;
  childNodes: Iterable<{ nodeType: number; data?: string }>;
  scrollWidth: number;
  clientWidth: number;
  closest(selector: string): PageElement | null;
  getBoundingClientRect(): { right: number };
}

interface PageGlobals {
  document: {
    readyState: string;
    documentElement: PageElement;
    querySelector(selector: string): PageElement | null;
    querySelectorAll(selector: string): Iterable<PageElement>;
  };
  performance: { getEntriesByType(type: string): { name: string }[] };
  getComputedStyle(element: PageElement): { color: string; fill: string; backgroundColor: string };
}
