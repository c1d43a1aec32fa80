// The line one writes in: text, pictures, samples, commands, the message one answers.

import { element, pictureOf, summary } from "./messages.js";
import { sampleAddress } from "./server.js";

const MOST = 10;
const byId = (id) => document.getElementById(id);

export class Composer {
  // `onSend({text, files, samples, replyTo})` gives a promise; on success the line is emptied.
  constructor(onSend, onTrouble, inline) {
    this.onSend = onSend;
    this.inline = inline;
    this.onTrouble = onTrouble;
    this.pictures = []; // {file} or {sample}, each with its address
    this.commands = [];
    this.replyTo = null;
    this.chosen = 0;
    this.text = byId("text");
    this.connect();
  }

  connect() {
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.text.addEventListener("input", () => {
      this.fit();
      this.showCommands();
      this.inline.typed(this.text.value);
    });
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length) {
        event.preventDefault();
        this.add(files);
      }
    });
    byId("attach").addEventListener("click", () => byId("files").click());
    byId("files").addEventListener("change", () => {
      this.add([...byId("files").files]);
      byId("files").value = "";
    });
    byId("samples").addEventListener("click", () => this.showTray(byId("tray").hidden));
    byId("reply-cancel").addEventListener("click", () => this.answer(null));
    this.acceptDrops(byId("chat"), byId("drop"));
  }

  acceptDrops(area, cover) {
    let depth = 0;
    const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");
    area.addEventListener("dragenter", (event) => {
      if (!hasFiles(event)) return;
      depth += 1;
      cover.hidden = false;
    });
    area.addEventListener("dragleave", () => {
      depth = Math.max(0, depth - 1);
      cover.hidden = depth === 0;
    });
    area.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      cover.hidden = true;
      this.add([...event.dataTransfer.files]);
    });
  }

  add(files) {
    for (const file of files) this.pictures.push({ file, address: URL.createObjectURL(file) });
    this.afterAdding();
  }

  afterAdding() {
    if (this.pictures.length > MOST) {
      this.onTrouble(`At most ${MOST} pictures go into one album.`);
      this.pictures.splice(MOST);
    }
    this.showPictures();
    this.text.focus();
  }

  showPictures() {
    const list = byId("attached");
    list.replaceChildren(...this.pictures.map((picture, index) => {
      const item = element("li");
      const image = element("img");
      image.src = picture.address;
      image.alt = picture.file?.name || picture.sample;
      const remove = element("button", "remove", "×");
      remove.type = "button";
      remove.setAttribute("aria-label", `Do not send ${image.alt}`);
      remove.addEventListener("click", () => {
        this.pictures.splice(index, 1);
        this.showPictures();
      });
      item.append(image, remove);
      return item;
    }));
    list.hidden = !this.pictures.length;
    this.text.placeholder = this.pictures.length ? "Caption" : "Message, or / for commands";
  }

  setSamples(names) {
    byId("samples").hidden = !names.length;
    byId("tray-grid").replaceChildren(...names.map((name) => {
      const made = element("button", "sample");
      made.type = "button";
      made.title = name;
      made.setAttribute("aria-label", `Sample ${name}`);
      const image = element("img");
      image.src = sampleAddress(name);
      image.alt = "";
      image.loading = "lazy";
      made.append(image);
      made.addEventListener("click", () => {
        this.pictures.push({ sample: name, address: image.src });
        this.showTray(false);
        this.afterAdding();
      });
      return made;
    }));
  }

  showTray(isOpen) {
    byId("tray").hidden = !isOpen;
    byId("samples").setAttribute("aria-expanded", String(isOpen));
  }

  setCommands(commands) {
    this.commands = commands;
  }

  showCommands() {
    const menu = byId("menu");
    const fitting = this.offered();
    this.chosen = Math.min(this.chosen, Math.max(0, fitting.length - 1));
    menu.replaceChildren(...fitting.map((command, index) => {
      const item = element("button", "menu-item");
      item.type = "button";
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === this.chosen));
      item.append(element("b", "", command.name), element("span", "", command.description));
      item.addEventListener("click", command.choose);
      return item;
    }));
    menu.hidden = !fitting.length;
    menu.children[this.chosen]?.scrollIntoView({ block: "nearest" });
  }

  // What may follow what is typed: the bot's commands, or its name for inline mode.
  offered() {
    const [, sign, word] = /^([/@])(\w*)$/.exec(this.text.value) || [];
    if (!sign) return [];
    const names = sign === "/"
      ? this.commands.map(({ command, description }) => ({
        name: `/${command}`, description, choose: () => this.say(`/${command}`),
      }))
      : [this.inline.username].filter(Boolean).map((username) => ({
        name: `@${username}`, description: "pictures to send", choose: () => this.write(`@${username} `),
      }));
    return names.filter(({ name }) => name.toLowerCase().startsWith(sign + word.toLowerCase()));
  }

  write(text) {
    this.text.value = text;
    this.text.dispatchEvent(new Event("input"));
    this.text.focus();
  }

  key(event) {
    const items = byId("menu").hidden ? [] : [...byId("menu").children];
    if (event.isComposing) return;
    if (items.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.chosen = (this.chosen + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
      this.showCommands();
    } else if (items.length && event.key === "Tab") {
      event.preventDefault();
      this.write(`${items[this.chosen].querySelector("b").textContent} `);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (items.length) items[this.chosen].click();
      else this.send();
    } else if (event.key === "Escape") {
      byId("menu").hidden = true;
      this.inline.close();
      this.showTray(false);
      this.answer(null);
    }
  }

  say(text) {
    this.text.value = text;
    this.send();
  }

  empty() {
    this.text.value = "";
    this.fit();
    this.inline.close();
    if (matchMedia("(min-width: 701px)").matches) this.text.focus();
  }

  answer(message) {
    this.replyTo = message;
    byId("reply-bar").hidden = !message;
    if (!message) return;
    const words = element("span");
    words.append(
      element("b", "", `Reply to ${message.from.first_name}`),
      element("span", "", pictureOf(message) && !message.caption ? "Picture" : summary(message)),
    );
    byId("reply-quote").replaceChildren(words);
    this.text.focus();
  }

  async send() {
    const text = this.text.value.trim();
    if (!text && !this.pictures.length) return;
    const pictures = this.pictures;
    this.text.value = "";
    this.pictures = [];
    this.showPictures();
    this.fit();
    byId("menu").hidden = true;
    this.inline.close();
    const replyTo = this.replyTo?.message_id || 0;
    this.answer(null);
    try {
      await this.onSend({
        text,
        files: pictures.filter((p) => p.file).map((p) => p.file),
        samples: pictures.filter((p) => p.sample).map((p) => p.sample),
        replyTo,
      });
      for (const picture of pictures) if (picture.file) URL.revokeObjectURL(picture.address);
    } catch (error) {
      this.text.value = this.text.value || text;
      this.pictures = [...pictures, ...this.pictures];
      this.showPictures();
      this.onTrouble(error.message);
    }
  }

  fit() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 160)}px`;
  }
}
