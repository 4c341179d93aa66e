// The tab Image to video: everything above put together. `element` and `server` are given by the component that holds it.

class Animate extends Stage {
  constructor(element, server) {
    super(element, server, "animate", "va", "animated");
    this.crop = new Crop(this);
    this.sources = new Sources(this);
    this.designer = new Designer(this);
    this.motion = new Motion(this);
    this.skips = new Skips(this);
    this.gallery = new Gallery(this);
    this.on("about", (about) => this.build(about));
    this.on("point", (point) => {
      this.motion.show(point);
      this.skips.show(point);
      this.sources.mark(point.image);
    });
    this.on("settled", (point) => this.note(point));
    this.watch();
  }
  build(about) {
    this.crop.forget();
    this.noted = null;
    this.sources.examples(about.examples);
    for (const part of [this.designer, this.motion, this.skips, this.gallery]) part.build(about);
    this.labels = this.motion.labels;
  }
  opened() {
    return this.gallery.show();
  }
  follow() {
    return this.gallery.follow();
  }
  empty(complaint) {
    if (this.store.known?.size) return super.empty(complaint);
    SHARED.active = SHARED.tabs.explore; // whose clip the header still speaks of
    this.root.classList.add("va-nothing");
    this.root.removeAttribute("aria-busy");
    this.find("empty").textContent = complaint;
    this.find("empty").hidden = false;
  }
  // Once the hand rests: whether the picture is far from what the release has learnt from
  async note({ image, query }) {
    if (image === this.noted) return;
    this.noted = image;
    const { note } = await this.store.ask("note", { query }).catch(() => ({ note: null }));
    if (image !== this.noted) return;
    this.find("note").textContent = note ?? "";
    this.find("note").hidden = !note;
  }
  redraw() {
    if (this.store.point) this.motion.redraw();
  }
}

new Animate(element, server);
