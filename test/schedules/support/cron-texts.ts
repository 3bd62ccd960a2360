import * as fc from 'fast-check';

interface FieldShape {
  low: number;
  high: number;
  names?: readonly string[];
}

const shapes = {
  minute: { low: 0, high: 59 },
  hour: { low: 0, high: 23 },
  day: { low: 1, high: 31 },
  month: { low: 1, high: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  weekday: { low: 0, high: 7, names: 'sun mon tue wed thu fri sat'.split(' ') },
} satisfies Record<string, FieldShape>;

/** A value of a field as people write it: with zeros before it, by name, in any case. */
function written(value: number, { low, names }: FieldShape): fc.Arbitrary<string> {
  const name = names?.[value - low];
  const plain = [String(value), String(value), String(value).padStart(2, '0')];
  return fc.constantFrom(...plain, ...(name === undefined ? [] : [name, name.toUpperCase()]));
}

function range(shape: FieldShape): fc.Arbitrary<string> {
  const value = fc.integer({ min: shape.low, max: shape.high });
  return fc.tuple(value, value).chain(([one, other]) => {
    const ends = [Math.min(one, other), Math.max(one, other)].map((end) => written(end, shape));
    return fc.tuple(...ends).map((texts) => texts.join('-'));
  });
}

function restricted(shape: FieldShape): fc.Arbitrary<string> {
  const step = fc.integer({ min: 1, max: shape.high });
  const value = fc.integer({ min: shape.low, max: shape.high }).chain((number) => written(number, shape));
  const part = fc.oneof(
    { weight: 3, arbitrary: value },
    range(shape),
    fc.tuple(range(shape), step).map((parts) => parts.join('/')),
  );
  return fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(','));
}

function field(shape: FieldShape): fc.Arbitrary<string> {
  const step = fc.integer({ min: 1, max: shape.high });
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    step.map((number) => `*/${number}`),
    { weight: 2, arbitrary: restricted(shape) },
  );
}

/** Expressions of all that the grammar has; few of them are impossible dates. */
export const cronTexts = fc
  .tuple(
    ...[shapes.minute, shapes.hour, shapes.day, shapes.month, shapes.weekday].map((shape) => field(shape)),
  )
  .map((fields) => fields.join(' '));

/** Expressions that are due often in the small hours, when clocks change. */
export const nightlyTexts = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('*', '*/30', '*/15', '*/7', '0', '30', '0,30', '0-59/20', '59'),
      field(shapes.minute),
    ),
    fc.oneof(
      fc.constantFrom('*', '*/2', '0-4', '0-23', '0', '1', '2', '3', '1,2', '2,3', '23'),
      field(shapes.hour),
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom('*', '1-31', '*/2') }, field(shapes.day)),
    fc.oneof({ weight: 5, arbitrary: fc.constant('*') }, field(shapes.month)),
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom('*', '0', '6', 'sat,sun') }, field(shapes.weekday)),
  )
  .map((fields) => fields.join(' '));

/**
 * Expressions that croner reads as cron does. Where cron decides about days, a star with a step is none to croner, and
 * "sun" at the end of a range is its 7, which cron has as 0.
 */
export const commonTexts = fc
  .tuple(
    field(shapes.minute),
    field(shapes.hour),
    fc.oneof(fc.constant('*'), restricted(shapes.day)),
    field(shapes.month),
    fc.oneof(fc.constant('*'), restricted({ low: 1, high: 7, names: shapes.weekday.names.slice(1) })),
  )
  .map((fields) => fields.join(' '));

/** Expressions with a typing mistake or two, and texts that never were one. */
export const spoiltTexts = fc.oneof(
  fc
    .tuple(
      cronTexts,
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.nat(2),
          fc.constantFrom(...'*/-,0 9\t@L#?x.é"\\\n', '999', '00000', ',,', '*/0'),
        ),
        {
          minLength: 1,
          maxLength: 2,
        },
      ),
    )
    .map(([text, edits]) =>
      edits.reduce((spoilt, [position, removed, inserted]) => {
        const at = position % (spoilt.length + 1);
        return spoilt.slice(0, at) + inserted + spoilt.slice(at + removed);
      }, text),
    ),
  fc
    .array(fc.constantFrom(...'*/-,0159 \t@', 'mon', 'dec', '31', '2', 'hourly', 'reboot', 'x'.repeat(70)), {
      maxLength: 12,
    })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
);
