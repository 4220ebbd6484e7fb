// How smoothly a page draws: its long tasks and the times between its frames.
import type { Page } from 'playwright-core';

export interface Smoothness {
  frames: number;
  /** Milliseconds between two frames: in the middle, at the 95th percentile, the longest. */
  middle: number;
  p95: number;
  longest: number;
  /** Tasks of more than 50 ms, and the longest of them. */
  longTasks: number;
  longestTask: number;
  /** Of the page's main thread: its own milliseconds, whatever else the machine does; and those of them for style. */
  cpu: number;
  style: number;
}

interface Watching {
  frames: number[];
  tasks: number[];
  stop: boolean;
}

/** Begins to watch; what it returns ends it and tells. */
export async function watchFrames(page: Page): Promise<() => Promise<Smoothness>> {
  const wire = await page.context().newCDPSession(page);
  await wire.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spent = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await wire.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value * 1000]));
  const before = await spent();
  await page.evaluate(() => {
    const seen: Watching = { frames: [], tasks: [], stop: false };
    (globalThis as unknown as { smoothness: Watching }).smoothness = seen;
    new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
    let last = performance.now();
    const frame = (now: number): void => {
      seen.frames.push(now - last);
      last = now;
      if (!seen.stop) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  return async () => {
    const { frames, tasks } = await page.evaluate(() => {
      const seen = (globalThis as unknown as { smoothness: Watching }).smoothness;
      seen.stop = true;
      return seen;
    });
    const after = await spent();
    await wire.detach();
    const took = (name: string): number => Math.round((after[name] ?? 0) - (before[name] ?? 0));
    const sorted = frames.slice(1).sort((a, b) => a - b);
    const at = (share: number): number => Math.round(sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0);
    return { frames: sorted.length, middle: at(0.5), p95: at(0.95), longest: at(1), longTasks: tasks.length, longestTask: Math.round(Math.max(0, ...tasks)),
      cpu: took('TaskDuration'), style: took('RecalcStyleDuration') };
  };
}
