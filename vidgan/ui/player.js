// A clip as the page holds it: one picture with all frames side by side, cut out again when it is drawn.

function decodeStrip(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("The picture could not be read."));
    image.src = url;
  });
}

// One clock for everything that moves on a tab, so that its player and its small clips stay in step.
class Clock {
  constructor() {
    this.fps = 12;
    this.speed = 1;
    this.time = 0; // in frames
    this.painters = new Set();
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.last = null;
    const tick = (now) => {
      if (this.playing && this.last !== null) {
        const before = Math.floor(this.time);
        this.time += (Math.min(now - this.last, 250) / 1000) * this.fps * this.speed;
        if (Math.floor(this.time) !== before) this.paint();
      }
      this.last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }
  get tick() {
    return Math.floor(this.time);
  }
  seek(frame) {
    this.time = frame;
    this.paint();
  }
  paint() {
    for (const painter of this.painters) painter(this.tick);
  }
}

class Player {
  constructor(canvas, film, clock) {
    Object.assign(this, { canvas, film, clock, strip: null, frames: 1, hold: 1, width: 64, height: 64 });
    this.context = canvas.getContext("2d");
    clock.painters.add(() => this.paint());
    canvas.addEventListener("click", () => canvas.classList.toggle("vg-smooth"));
    const pick = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = film.getBoundingClientRect();
      const at = Math.floor(((event.clientX - box.left) / box.width) * this.frames);
      clock.playing = false;
      clock.seek(this.hold * Math.max(0, Math.min(this.frames - 1, at)));
      this.onpause?.();
    };
    film.addEventListener("pointerdown", pick);
    film.addEventListener("pointermove", pick);
    film.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      clock.playing = false;
      clock.seek(this.hold * ((this.frame + step + this.frames) % this.frames));
      this.onpause?.();
    });
    new ResizeObserver(() => this.paintFilm()).observe(film);
  }
  get frame() {
    return Math.floor(this.clock.tick / this.hold) % this.frames;
  }
  // Called with a decoded picture: the old clip stays until the very moment that the new one is painted. Each frame is
  // there for `hold` ticks of the clock.
  show(strip, frames, [width, height], hold = 1) {
    Object.assign(this, { strip, frames, width, height, hold });
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.paint();
    this.paintFilm();
  }
  paint() {
    if (!this.strip) return;
    const { width, height } = this;
    this.context.drawImage(this.strip, this.frame * width, 0, width, height, 0, 0, width, height);
    this.canvas.dataset.frame = this.frame;
    const ratio = 100 / this.frames;
    this.film.style.setProperty("--at", `${this.frame * ratio}%`);
    this.film.parentElement.style.setProperty("--at", `${this.frame * ratio}%`);
    this.film.parentElement.style.setProperty("--cell", `${ratio}%`);
    this.film.setAttribute("aria-valuenow", this.frame + 1);
  }
  // Every frame, or as many as can still be told apart; each shows its middle.
  paintFilm() {
    if (!this.strip) return;
    const box = this.film.getBoundingClientRect();
    if (!box.width) return;
    const dense = Math.min(2, window.devicePixelRatio || 1);
    const wide = Math.round(box.width * dense), high = Math.round(box.height * dense);
    if (this.film.width !== wide || this.film.height !== high) Object.assign(this.film, { width: wide, height: high });
    const context = this.film.getContext("2d");
    const every = Math.ceil((this.frames * 20 * dense) / wide);
    const shown = Math.ceil(this.frames / every);
    const cell = (wide * every) / this.frames;
    const cut = Math.min(this.width, (this.height * cell) / high), left = (this.width - cut) / 2;
    for (let i = 0; i < shown; i++)
      context.drawImage(this.strip, i * every * this.width + left, 0, cut, this.height, i * cell, 0, cell, high);
    this.film.setAttribute("aria-valuemax", this.frames);
  }
}
