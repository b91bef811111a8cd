// What the pages share: devices as the product asks for them, and when the first remote frame was on the screen.

export const wanted = {
  video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};

/** Read by the benchmark. */
export const diary = (window.diary = { ready: false, accept_at: null, first_frame_at: null, frames: 0, error: null });

window.addEventListener('error', ({ message }) => (diary.error ??= message));
window.addEventListener('unhandledrejection', ({ reason }) => (diary.error ??= String(reason)));

const remote = document.querySelector('#remote');
const arrived = (_now, { presentationTime }) => {
  diary.first_frame_at ??= performance.timeOrigin + presentationTime;
  diary.frames += 1;
  remote.requestVideoFrameCallback(arrived);
};
remote.requestVideoFrameCallback(arrived);

export function showRemote(track) {
  remote.srcObject ??= new MediaStream();
  remote.srcObject.addTrack(track);
}

export function showOwn(stream) {
  document.querySelector('#own').srcObject = new MediaStream(stream.getVideoTracks());
}

/** Enables the button; resolves with the tap. */
export function tap() {
  const button = document.querySelector('#join');
  button.disabled = false;
  diary.ready = true;
  return new Promise((resolve) =>
    button.addEventListener(
      'click',
      (event) => {
        diary.accept_at = performance.timeOrigin + event.timeStamp;
        button.remove();
        resolve();
      },
      { once: true },
    ),
  );
}

export function socketTo(url, protocol) {
  const socket = new WebSocket(url, protocol);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error('no socket'));
  });
}
