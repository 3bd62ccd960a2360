/** Colours by what they say; each has a value for light and one for dark paper. Told apart by the colour-blind as well. */
export type SeriesColor = 'good' | 'bad' | 'warn' | 'calm';

/** Values of one name, one for each label of the chart; null where there is none. */
export interface Series {
  name: string;
  color: SeriesColor;
  values: readonly (number | null)[];
}
