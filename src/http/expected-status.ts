import type { HttpRequest } from './http-request.ts';

/** Whether a status counts as success: 2xx, unless the payload says what does. */
export function isExpected(status: number, expect: HttpRequest['expect'] = ['2xx']): boolean {
  const names = [String(status), `${Math.floor(status / 100)}xx`];
  return expect.some((wanted) => names.includes(String(wanted)));
}
