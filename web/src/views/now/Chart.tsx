import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { onDarkChange } from '@/app/prefs';

export interface Line {
  label: string;
  /** Of tokens.css' --chart-*. */
  colour: 1 | 2 | 3;
}

interface Props {
  /** What a reader hears in place of the picture. */
  description: string;
  data: [number[], ...(number | null)[][]];
  lines: Line[];
  /** How values of the axis are written. */
  value: (value: number) => string;
  time: (seconds: number) => string;
  /** Charts of one key show the same moment under the pointer. */
  sync: string;
  onPoint: (index: number | null) => void;
}

const HEIGHT = 190;
const GAP_X = 90; // pixels between two times on the axis

function colours(): (name: string) => string {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
}

function options({ lines, value, time, sync, onPoint }: Props, width: number): uPlot.Options {
  const colour = colours();
  const axis: uPlot.Axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: sync }, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, space: GAP_X, values: (_, at) => at.map(time) },
      { ...axis, size: 64, space: 36, values: (_, at) => at.map(value) },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: i }): uPlot.Series => ({
        label,
        stroke: colour(`--chart-${i}`),
        width: 2,
        dash: i === 1 ? undefined : [6, 4],
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** uPlot draws on a canvas: made once for a size and a set of colours, then given data. */
export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
    plot.current?.setData(props.data);
  });

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(options({ ...latest.current, onPoint: (i) => latest.current.onPoint(i) }, element.clientWidth), latest.current.data, element);
    };
    make();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    const off = onDarkChange(() => requestAnimationFrame(make));
    return () => {
      off();
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [props.lines, props.sync]);

  return <div className="chart__plot" ref={box} role="img" aria-label={props.description} />;
}
