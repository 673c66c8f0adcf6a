/** The figures of a run: for every row and contestant one figure a round, and ratios within rounds. */

import { median } from '../rounds.ts';
import type { RowName } from './floors.ts';

/** One contestant's figures in one row, by round or turn; one that it sat out is absent. */
export type RoundFigures = (number | undefined)[];

export class Figures {
  readonly #rows = new Map<string, Map<string, RoundFigures>>();

  note(row: RowName | 'limit', contestant: string, round: number, figure: number): void {
    const contestants = this.#rows.get(row) ?? new Map<string, RoundFigures>();
    this.#rows.set(row, contestants);
    const figures = contestants.get(contestant) ?? [];
    contestants.set(contestant, figures);
    figures[round] = figure;
  }

  /** The contestants of a row, in the order in which they were first noted. */
  contestants(row: RowName | 'limit'): readonly string[] {
    return [...(this.#rows.get(row)?.keys() ?? [])];
  }

  rounds(row: RowName | 'limit', contestant: string): readonly number[] {
    return (this.#rows.get(row)?.get(contestant) ?? []).filter((figure) => figure !== undefined);
  }

  median(row: RowName | 'limit', contestant: string): number | undefined {
    const figures = this.rounds(row, contestant);
    return figures.length === 0 ? undefined : median(figures);
  }

  /** The median of the ratios within rounds. The base may stand in another row: a bare loop's. */
  ratio(row: RowName, contestant: string, base: string): number | undefined {
    const own = this.#rows.get(row)?.get(contestant) ?? [];
    const baseRow = this.#rows.get(row)?.has(base) === true ? row : 'limit';
    const other = this.#rows.get(baseRow)?.get(base) ?? [];
    const ratios = own.flatMap((figure, round) => {
      const against = other[round];
      return figure === undefined || against === undefined ? [] : [figure / against];
    });
    return ratios.length === 0 ? undefined : median(ratios);
  }

  toJSON(): Record<string, Record<string, RoundFigures>> {
    return Object.fromEntries(
      [...this.#rows].map(([row, contestants]) => [row, Object.fromEntries(contestants)]),
    );
  }
}
