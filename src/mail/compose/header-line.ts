import * as v from 'valibot';

/** Text that stands in a header: nothing may end its line. */
export const headerLine = v.pipe(
  v.string('a string was expected'),
  v.check((text) => !/[\r\n]/.test(text), 'a line break is not allowed here'),
);

/** The same, and there is something. */
export const filledLine = v.pipe(headerLine, v.nonEmpty('an empty string is not allowed'));
