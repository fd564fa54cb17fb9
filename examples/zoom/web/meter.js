let context;

/** One audio context for the page. It may only run after a click or key press, so nobody creates it before. */
async function audioContext() {
  if (!navigator.userActivation?.hasBeenActive) {
    await new Promise((resolve) => {
      for (const event of ["pointerdown", "keydown"]) addEventListener(event, resolve, { once: true, capture: true });
    });
  }
  context ??= new AudioContext();
  if (context.state === "suspended") await context.resume();
  return context;
}

/** How loud a microphone is: calls `show` with 0 to 1 several times a second. Returns a function that ends it. */
export function meter(track, show) {
  let source;
  let timer;
  let ended = false;
  void (async () => {
    const audio = await audioContext();
    if (ended) return;
    source = audio.createMediaStreamSource(new MediaStream([track]));
    const analyser = audio.createAnalyser();
    analyser.fftSize = 512;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      show(Math.min(1, Math.sqrt(power) * 4));
    }, 120);
  })().catch(() => {}); // no sound hardware: no meter
  return () => {
    ended = true;
    clearInterval(timer);
    source?.disconnect();
    show(0);
  };
}
