// What is left of an error budget: a bar that empties to the left, and the number.
import { percent } from '../format';
import type { Tone } from './marks';

export function toneOfBudget(left: number | null): Tone {
  return left === null
    ? 'none'
    : left <= 0
      ? 'bad'
      : left < 0.25
        ? 'warn'
        : left < 0.5
          ? 'watch'
          : 'ok';
}

export function Budget({ left }: { left: number | null }) {
  const width = left === null ? 0 : Math.min(1, Math.max(0, left)) * 100;
  const overspent = left !== null && left <= 0;
  return (
    <span class="budget">
      <span class={`bar tone-${toneOfBudget(left)}${overspent ? ' spent' : ''}`} aria-hidden="true">
        <span style={{ width: `${overspent ? 100 : width}%` }} />
      </span>
      <span class="num">
        {left === null
          ? 'no data'
          : left < -9.99
            ? '<−999 %'
            : percent(left, Math.abs(left) >= 1 ? 0 : 1)}
      </span>
    </span>
  );
}
