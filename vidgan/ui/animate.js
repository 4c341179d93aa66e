// The tab Image to video: everything above put together. `element` and `server` are given by the component that holds it.

class Animate extends Stage {
  constructor(element, server) {
    super(element, server, "animate", "va");
    this.crop = new Crop(this);
    this.sources = new Sources(this);
    this.designer = new Designer(this);
    this.motion = new Motion(this);
    this.skips = new Skips(this);
    this.gallery = new Gallery(this);
    this.store.addEventListener("about", ({ detail: about }) => this.build(about));
    this.store.addEventListener("point", ({ detail: point }) => {
      this.motion.show(point);
      this.skips.show(point);
      this.sources.mark(point.image);
      this.find("note").textContent = point.note ?? "";
      this.find("note").hidden = !point.note;
    });
    this.watch();
  }
  build(about) {
    this.crop.forget();
    this.sources.examples(about.examples);
    for (const part of [this.designer, this.motion, this.skips, this.gallery]) part.build(about);
    this.labels = this.motion.labels;
  }
  // The link that the visitor came with is Explore's, unless that says otherwise.
  asked() {
    return SHARED.forAnimation ? SHARED.asked : "";
  }
  empty(complaint) {
    if (this.known?.size) return super.empty(complaint);
    this.root.classList.add("va-nothing");
    this.root.removeAttribute("aria-busy");
    this.find("empty").textContent = complaint;
    this.find("empty").hidden = false;
  }
  redraw() {
    if (this.store.point) this.motion.redraw();
  }
}

new Animate(element, server);
