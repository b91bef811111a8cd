// What a relay may relay to where everything runs on one machine, whose addresses none reaches unless they are named.
import { networkInterfaces } from 'node:os';

/** Every address of this machine as the server's setting takes it. */
export const everyAddress = () =>
  Object.values(networkInterfaces())
    .flat()
    .filter(({ address }) => !address.startsWith('fe80'))
    .map(({ address, family }) => `${address}/${family === 'IPv4' ? 32 : 128}`)
    .join(' ');
