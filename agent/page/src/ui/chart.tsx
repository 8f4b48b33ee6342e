// uPlot with our colours: drawn on a canvas, so each chart also says in words what it shows.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { utc } from '../format';

export interface Line {
  label: string;
  values: (number | null)[];
  colour: string;
  dash?: number[];
  fill?: string;
  width?: number;
  show?: (v: number) => string;
  step?: boolean;
  dots?: boolean;
}
export interface Note {
  at: number;
  text: string;
}
export interface ChartSpec {
  label: string;
  x: number[];
  lines: Line[];
  band?: { low: number; high: number; fill: string };
  notes?: Note[];
  levels?: { at: number; text: string; colour: string }[];
  height?: number;
  range?: (min: number, max: number) => [number, number];
  axis: (v: number) => string;
  now?: number;
}

export const colour = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function marks(spec: ChartSpec): uPlot.Plugin {
  return {
    hooks: {
      draw: (u) => {
        const { ctx, bbox } = u;
        const ratio = devicePixelRatio;
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        ctx.font = `${11 * ratio}px system-ui, sans-serif`;
        ctx.lineWidth = ratio;
        for (const level of spec.levels ?? []) {
          const y = Math.round(u.valToPos(level.at, 'y', true)) + 0.5;
          ctx.strokeStyle = ctx.fillStyle = level.colour;
          ctx.setLineDash([5 * ratio, 4 * ratio]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.textAlign = 'left';
          ctx.fillText(
            level.text,
            bbox.left + 6 * ratio,
            y + (y - 16 * ratio < bbox.top ? 13 : -5) * ratio,
          );
        }
        const vertical = (at: number, style: string, dash: number[]) => {
          const x = Math.round(u.valToPos(at, 'x', true)) + 0.5;
          ctx.strokeStyle = style;
          ctx.setLineDash(dash.map((d) => d * ratio));
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          return x;
        };
        if (spec.now) vertical(spec.now, colour('dim'), [2, 3]);
        (spec.notes ?? []).forEach((note, i) => {
          const x = vertical(note.at, colour('accent'), []);
          ctx.setLineDash([]);
          ctx.fillStyle = colour('accent');
          ctx.beginPath();
          ctx.arc(x, bbox.top + 9 * ratio, 8 * ratio, 0, 7);
          ctx.fill();
          ctx.fillStyle = colour('card');
          ctx.textAlign = 'center';
          ctx.fillText(String(i + 1), x, bbox.top + 13 * ratio);
        });
        ctx.restore();
      },
    },
  };
}

function options(spec: ChartSpec, width: number): uPlot.Options {
  const axis = {
    stroke: colour('dim'),
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  const show = (line: Line) => (_: uPlot, v: number | null) =>
    v === null || v === undefined ? '–' : (line.show ?? spec.axis)(v);
  return {
    width,
    height: spec.height ?? 200,
    padding: [8, 8, 0, 0],
    plugins: [marks(spec)],
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    legend: { live: true },
    scales: {
      y: {
        range: (_u, min, max) =>
          spec.range ? spec.range(min ?? 0, max ?? 1) : [Math.min(0, min ?? 0), (max ?? 1) * 1.08],
      },
    },
    axes: [
      { ...axis, size: 30, space: 70, values: kTicks },
      { ...axis, size: 56, values: (_u, all) => all.map(spec.axis) },
    ],
    series: [
      {
        label: 'time',
        value: (_u, v) => (v ? `${new Date(v * 1000).toLocaleString()} (${utc(v * 1000)})` : '–'),
      },
      ...spec.lines.map((line): uPlot.Series => ({
        label: line.label,
        stroke: line.colour,
        width: line.width ?? 1.8,
        points: { show: line.dots ?? false, size: 5 },
        value: show(line),
        ...(line.dash ? { dash: line.dash } : {}),
        ...(line.fill ? { fill: line.fill } : {}),
        ...(line.step ? { paths: uPlot.paths.bars!({ size: [0.9], align: 1 }) } : {}),
      })),
    ],
    ...(spec.band
      ? {
          bands: [
            { series: [spec.band.high, spec.band.low] as [number, number], fill: spec.band.fill },
          ],
        }
      : {}),
  };
}

const two = (n: number) => String(n).padStart(2, '0');
/** Hours of the viewer; days where they begin. */
const kTicks: uPlot.Axis.Values = (_u, at, _i, _s, step) =>
  at.map((t) => {
    const d = new Date(t * 1000);
    const day = `${d.getDate()} ${d.toLocaleString(undefined, { month: 'short' })}`;
    return step >= 86400 || (d.getHours() === 0 && d.getMinutes() === 0)
      ? day
      : `${two(d.getHours())}:${two(d.getMinutes())}`;
  });

export function Chart({ spec }: { spec: ChartSpec }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current!;
    const data = [spec.x, ...spec.lines.map((l) => l.values)] as uPlot.AlignedData;
    let plot = new uPlot(options(spec, box.clientWidth), data, box);
    const renew = () => {
      plot.destroy();
      plot = new uPlot(options(spec, box.clientWidth), data, box);
    };
    const watch = new ResizeObserver(() => {
      if (plot.width !== box.clientWidth)
        plot.setSize({ width: box.clientWidth, height: spec.height ?? 200 });
    });
    watch.observe(box);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', renew);
    addEventListener('nines-theme', renew);
    return () => {
      watch.disconnect();
      dark.removeEventListener('change', renew);
      removeEventListener('nines-theme', renew);
      plot.destroy();
    };
  }, [spec]);
  return (
    <figure class="chart" aria-label={spec.label}>
      <div
        ref={place}
        class="plot"
        style={{ minHeight: `${(spec.height ?? 200) + 30}px` }}
        aria-hidden="true"
      />
      <figcaption class="hidden">{spec.label}</figcaption>
    </figure>
  );
}
