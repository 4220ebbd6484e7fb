// The first load over a slow network and a slow machine, nothing cached: what a phone on a bad day has.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newPost } from './support/stack';
import { PHONE, useBrowser, visit } from './support/browser';

useBrowser();

const RTT_MS = 150;
const BYTES_S = 1_600_000 / 8;
const CPU = 4;
const RUNS = 5;
const FIRST_PAINT_MS = 1000;
/** Share of the time in which something on this machine waited for a processor; above it, the wall's clock tells of others' work. */
const BUSY = 0.6;

/** Microseconds so far in which something waited for a processor (Linux, pressure stall information); 0 where nobody counts. */
function waited(): number {
  try {
    return Number(/some .*total=(\d+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

interface Load {
  first: number;
  largest: number;
  /** Of what has to be here before anything can be drawn: how many, and compressed bytes. */
  blocking: number;
  blockingBytes: number;
  scripts: number;
  scriptBytes: number;
}

async function load(): Promise<Load> {
  const page = await visit('about:blank', { viewport: PHONE });
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  await wire.send('Network.setCacheDisabled', { cacheDisabled: true });
  await wire.send('Network.emulateNetworkConditions', { offline: false, latency: RTT_MS, downloadThroughput: BYTES_S, uploadThroughput: BYTES_S });
  await wire.send('Emulation.setCPUThrottlingRate', { rate: CPU });
  await page.goto(process.env.FRONT_URL ?? '');
  await page.getByRole('article').first().waitFor();
  return page.evaluate(async () => {
    type Resource = PerformanceResourceTiming & { renderBlockingStatus?: string };
    const largest = await new Promise<number>((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries().at(-1)?.startTime ?? 0)).observe({ type: 'largest-contentful-paint', buffered: true });
    });
    const all = performance.getEntriesByType('resource') as Resource[];
    const [html] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    const blocking = all.filter((one) => one.renderBlockingStatus === 'blocking');
    const scripts = all.filter((one) => one.name.endsWith('.js'));
    const bytes = (of: PerformanceResourceTiming[]): number => of.reduce((sum, one) => sum + one.encodedBodySize, 0);
    return {
      first: Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity),
      largest: Math.round(largest),
      blocking: blocking.length + 1,
      blockingBytes: bytes(blocking) + (html?.encodedBodySize ?? 0),
      scripts: scripts.length,
      scriptBytes: bytes(scripts),
    };
  });
}

it('draws within a second on a slow phone', async ({ skip }) => {
  await newPost('O primeiro que se vê', 'Um texto curto.');
  const [began, waitedBefore] = [performance.now(), waited()];
  const loads: Load[] = [];
  for (let i = 0; i < RUNS; i++) loads.push(await load());
  const busy = (waited() - waitedBefore) / 1000 / (performance.now() - began);
  const sorted = (of: (one: Load) => number): number[] => loads.map(of).sort((a, b) => a - b);
  const firsts = sorted((one) => one.first);
  const [one] = loads;
  console.log(`first contentful paint at 1.6 Mbit/s, ${RTT_MS} ms, CPU / ${CPU}: ${firsts.join(', ')} ms (median ${firsts[2]}; processors wanted ${Math.round(busy * 100)} % of the time); largest ${sorted((it) => it.largest).join(', ')} ms\n  ${JSON.stringify(one)}`);
  // A page, a style sheet and the colours chosen by hand: two round trips, and little to carry.
  expect(one?.blocking).toBeLessThanOrEqual(3);
  expect(one?.blockingBytes).toBeLessThan(20_000);
  expect(one?.scriptBytes).toBeLessThan(160_000);
  // The median of the five. Beside two processes that never sleep, on two cores with other work, it was 1.9 s and the
  // quickest 1.4 s: of a machine like that the wall's clock says nothing about the page, and the report says so.
  const median = firsts[Math.floor(RUNS / 2)] ?? Infinity;
  if (median >= FIRST_PAINT_MS && busy > BUSY) skip(`median ${median} ms, but something waited for a processor ${Math.round(busy * 100)} % of the time`);
  expect(median).toBeLessThan(FIRST_PAINT_MS);
}, 180_000);
