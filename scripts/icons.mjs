// Draws every icon file from the SVGs in icons/. Needs rsvg-convert (Debian: librsvg2-bin). The results are committed.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'icons');
const png = (svg, size) =>
  execFileSync('rsvg-convert', ['--width', size, '--height', size, join(folder, `${svg}.svg`)].map(String));
const write = (name, bytes) => writeFileSync(join(folder, name), bytes);

for (const [name, size] of [
  ['32x32.png', 32],
  ['64x64.png', 64],
  ['128x128.png', 128],
  ['128x128@2x.png', 256],
  ['icon.png', 512],
]) write(name, png('sightline', size));

write('tray.png', png('sightline', 64));
write('tray-attention.png', png('tray-attention', 64));
write('tray-template.png', png('tray-template', 44));
write('icon.ico', ico([16, 24, 32, 48, 64, 256].map((size) => ({ size, bytes: png('sightline', size) }))));
write('icon.icns', icns({ icp4: 16, icp5: 32, icp6: 64, ic07: 128, ic08: 256, ic09: 512, ic10: 1024 }));

/** Windows icon: a directory of 16-byte entries, then PNG images. A size of 256 is written as 0. */
function ico(images) {
  const header = Buffer.alloc(6 + 16 * images.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(images.length, 4);
  let offset = header.length;
  images.forEach(({ size, bytes }, index) => {
    const entry = 6 + 16 * index;
    header.writeUInt8(size % 256, entry);
    header.writeUInt8(size % 256, entry + 1);
    header.writeUInt16LE(1, entry + 4);
    header.writeUInt16LE(32, entry + 6);
    header.writeUInt32LE(bytes.length, entry + 8);
    header.writeUInt32LE(offset, entry + 12);
    offset += bytes.length;
  });
  return Buffer.concat([header, ...images.map(({ bytes }) => bytes)]);
}

/** Apple icon: four-letter types, each followed by its length (itself included) and a PNG image. */
function icns(sizes) {
  const chunk = (type, body) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(body.length + 8, 4);
    return Buffer.concat([head, body]);
  };
  const images = Object.entries(sizes).map(([type, size]) => chunk(type, png('sightline', size)));
  return chunk('icns', Buffer.concat(images));
}
