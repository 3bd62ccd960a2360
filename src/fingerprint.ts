/**
 * A short name for `value`, which changes when the value does. For comparing what one wrote oneself, not for
 * protection: it is cyrb53, 53 bits. Not SHA-256, since loading node:crypto is a tenth of an idle tick.
 */
export function fingerprint(value: unknown): string {
  const text = JSON.stringify(value);
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (0x1_0000_0000 * (low & 0x1f_ffff) + (high >>> 0)).toString(16).padStart(14, '0');
}
