// A line chart of training: a thin line for the values, a bold line for their moving average.

export interface ChartOptions {
  readonly low: number;
  readonly high: number;
  /** Formats the labels of the vertical axis. */
  readonly format: (value: number) => string;
}

type Series = 'training' | 'test';
const margin = { left: 46, right: 12, top: 10, bottom: 22 };
/** Weight of a new value in the moving average. */
const smoothing = 0.08;

export class Chart {
  readonly #canvas: HTMLCanvasElement;
  readonly #options: ChartOptions;
  readonly #points: Record<Series, [step: number, value: number, average: number][]> = { training: [], test: [] };
  #span = 1;
  #drawing = false;

  constructor(canvas: HTMLCanvasElement, options: ChartOptions) {
    this.#canvas = canvas;
    this.#options = options;
    new ResizeObserver(() => this.#draw()).observe(canvas);
  }

  /** Steps on the horizontal axis. */
  get span(): number {
    return this.#span;
  }

  set span(steps: number) {
    this.#span = steps;
    this.#draw();
  }

  /** The moving average of a series; undefined without values. */
  smoothed(series: Series): number | undefined {
    return this.#points[series].at(-1)?.[2];
  }

  add(series: Series, step: number, value: number): void {
    const average = this.smoothed(series) ?? value;
    this.#points[series].push([step, value, average + smoothing * (value - average)]);
    this.#draw();
  }

  /** Draws at most once per frame. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#paint();
    });
  }

  #paint(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = devicePixelRatio;
    [this.#canvas.width, this.#canvas.height] = [width * ratio, height * ratio];
    const pen = this.#canvas.getContext('2d') as CanvasRenderingContext2D;
    const color = (name: string): string => getComputedStyle(this.#canvas).getPropertyValue(name);
    const { low, high, format } = this.#options;
    const x = (step: number): number => margin.left + (step / this.#span) * (width - margin.left - margin.right);
    const y = (value: number): number =>
      height - margin.bottom - ((value - low) / (high - low)) * (height - margin.top - margin.bottom);
    pen.scale(ratio, ratio);
    pen.font = '12px system-ui, sans-serif';
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    for (let tick = 0; tick <= 4; tick++) {
      const value = low + (tick / 4) * (high - low);
      pen.fillStyle = color('--quiet');
      pen.fillText(format(value), margin.left - 8, y(value));
      pen.strokeStyle = color('--line');
      stroke(pen, 1, [
        [margin.left, y(value)],
        [width - margin.right, y(value)],
      ]);
    }
    pen.textAlign = 'center';
    for (const step of [0, this.#span])
      pen.fillText(step === 0 ? '0' : `${step} steps`, Math.min(x(step), width - 34), height - 8);
    const clampedY = (value: number): number => y(Math.min(Math.max(value, low), high));
    pen.strokeStyle = color('--faint');
    stroke(
      pen,
      1,
      this.#points.training.map(([step, value]) => [x(step), clampedY(value)]),
    );
    pen.strokeStyle = color('--ink');
    stroke(
      pen,
      2,
      this.#points.training.map(([step, , average]) => [x(step), clampedY(average)]),
    );
    pen.strokeStyle = pen.fillStyle = color('--test');
    const tests = this.#points.test.map(([step, value]): [number, number] => [x(step), clampedY(value)]);
    stroke(pen, 2, tests);
    for (const [at, level] of tests) {
      pen.beginPath();
      pen.arc(at, level, 3.5, 0, 2 * Math.PI);
      pen.fill();
    }
  }
}

function stroke(
  pen: CanvasRenderingContext2D,
  width: number,
  points: readonly (readonly [number, number])[] | number[][],
): void {
  pen.lineWidth = width;
  pen.lineJoin = 'round';
  pen.beginPath();
  for (const [x = 0, y = 0] of points) pen.lineTo(x, y);
  pen.stroke();
}
