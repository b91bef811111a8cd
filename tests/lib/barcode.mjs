// The time barcode that both the synthetic camera and the customer's test camera draw.
//
// Top eighth of the picture, two rows of 24 cells across the whole width, white = 1, black = 0, row by row, most
// significant bit first: 1010, 32 bits of Unix time in ms modulo 2^32, 8 bits of checksum (the four time bytes and
// 0x5A combined by XOR), 0101.

export const columns = 24;
export const rows = 2;
/** A row's share of the picture's height. */
export const rowHeight = 1 / 16;

/** The 48 bits of a point in time. */
export function encode(ms) {
  const time = Math.floor(ms) % 2 ** 32;
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(time / 2 ** shift) & 0xff);
  const check = bytes.reduce((sum, byte) => sum ^ byte, 0x5a);
  const bits = [...bytes, check].flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (byte >> bit) & 1));
  return [1, 0, 1, 0, ...bits, 0, 1, 0, 1];
}

/**
 * The time in a picture, or null when there is none. `brightness(x, y)` answers for x and y from 0 to 1 across the
 * picture, on any scale.
 */
export function decode(brightness) {
  const levels = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      levels.push(brightness((column + 0.5) / columns, (row + 0.5) * rowHeight));
    }
  }
  const low = Math.min(...levels);
  const high = Math.max(...levels);
  if (high - low < 60) return null;
  const bits = levels.map((level) => (level > (low + high) / 2 ? 1 : 0));
  if (bits.slice(0, 4).join('') !== '1010' || bits.slice(44).join('') !== '0101') return null;
  const byte = (index) => bits.slice(4 + 8 * index, 12 + 8 * index).reduce((value, bit) => value * 2 + bit, 0);
  const bytes = [0, 1, 2, 3].map(byte);
  if (bytes.reduce((sum, value) => sum ^ value, 0x5a) !== byte(4)) return null;
  return bytes.reduce((value, next) => value * 256 + next, 0);
}

/** How long ago a decoded time was, across the wrap at 2^32 ms. */
export function age(decoded, now) {
  const difference = (((Math.floor(now) % 2 ** 32) - decoded) % 2 ** 32 + 2 ** 32) % 2 ** 32;
  return difference > 2 ** 31 ? difference - 2 ** 32 : difference;
}
