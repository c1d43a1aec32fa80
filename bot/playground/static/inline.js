// Inline mode: `@bot words` in the line shows what the bot offers, to be sent at a tap.

import { element } from "./messages.js";
import { fileAddress } from "./server.js";

const PAUSE_MS = 250; // while one types nobody is asked
const NEAR_END_PX = 240;
const byId = (id) => document.getElementById(id);

export class InlineStrip {
  // `ask({query, offset})` gives {query, answer}, `choose({query, result})` sends, `start(parameter)`
  // follows the button; `onChosen` empties the line.
  constructor({ ask, choose, start, onChosen, onTrouble }) {
    Object.assign(this, { ask, choose, start, onChosen, onTrouble });
    this.username = "";
    this.words = null; // what is shown, null for nothing
    this.nextOffset = "";
    this.asking = 0; // number of the newest request: answers to older ones are let go
    this.timer = 0;
    this.list = byId("inline-grid");
    byId("inline").addEventListener("scroll", () => this.scrolled());
    byId("inline-button").addEventListener("click", () => {
      this.onChosen();
      this.start(this.parameter);
    });
  }

  // The words after `@bot `, or null where the text is no inline query.
  wordsIn(text) {
    const typed = /^@(\w+)\s(.*)$/s.exec(text);
    const isBot = typed && typed[1].toLowerCase() === this.username.toLowerCase();
    return isBot ? typed[2].trim() : null;
  }

  typed(text) {
    const words = this.username ? this.wordsIn(text) : null;
    if (words === this.words) return;
    this.words = words;
    this.asking += 1;
    clearTimeout(this.timer);
    if (words === null) {
      byId("inline").hidden = true;
      return;
    }
    this.timer = setTimeout(() => this.load(""), PAUSE_MS);
  }

  get isOpen() {
    return !byId("inline").hidden;
  }

  close() {
    this.typed("");
  }

  async load(offset) {
    this.asking += 1;
    const mine = this.asking;
    byId("inline").setAttribute("aria-busy", "true");
    try {
      const { query, answer } = await this.ask({ query: this.words, offset });
      if (mine !== this.asking) return;
      if (answer) this.show(query, answer, !offset);
      else if (!offset) this.onTrouble("The bot did not answer the inline query.");
    } catch (error) {
      if (mine === this.asking) this.onTrouble(error.message);
    } finally {
      if (mine === this.asking) byId("inline").removeAttribute("aria-busy");
    }
  }

  show(query, answer, isFirst) {
    this.nextOffset = answer.next_offset;
    const tiles = answer.results.filter((result) => result.content?.photo).map((result) => this.tile(query, result));
    if (isFirst) {
      this.list.replaceChildren(...tiles);
      this.parameter = answer.button?.start_parameter || "";
      byId("inline-button").textContent = answer.button?.text || "";
      byId("inline-button").hidden = !this.parameter;
      byId("inline-none").hidden = tiles.length > 0;
      byId("inline").hidden = false;
      byId("inline").scrollTop = 0;
    } else this.list.append(...tiles);
    this.list.hidden = !this.list.children.length;
    this.scrolled();
  }

  tile(query, result) {
    const sizes = result.content.photo;
    const made = element("button", "inline-tile");
    made.type = "button";
    const said = result.content.caption?.split("\n")[0] || result.title || "Picture";
    made.setAttribute("aria-label", `Send ${said}`);
    made.title = said;
    const image = element("img");
    image.src = fileAddress((sizes.find((size) => size.width >= 200) || sizes[sizes.length - 1]).file_id);
    image.alt = "";
    image.loading = "lazy";
    made.append(image);
    made.addEventListener("click", async () => {
      this.onChosen();
      await this.choose({ query, result: result.id }).catch((error) => this.onTrouble(error.message));
    });
    return made;
  }

  scrolled() {
    const panel = byId("inline");
    const left = panel.scrollHeight - panel.scrollTop - panel.clientHeight;
    if (panel.hidden || !this.nextOffset || left > NEAR_END_PX) return;
    const offset = this.nextOffset;
    this.nextOffset = "";
    this.load(offset);
  }
}
