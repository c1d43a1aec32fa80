// Messages as elements. Nothing a message says ever becomes markup: only text nodes and properties.

import { mosaic } from "./mosaic.js";
import { fileAddress } from "./server.js";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long" });

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function button(className, label, text = "") {
  const made = element("button", className, text);
  made.type = "button";
  if (label) made.setAttribute("aria-label", label);
  return made;
}

// The largest size of what a message shows, or null.
export function pictureOf(message) {
  const sizes = message.photo;
  if (sizes?.length) return sizes[sizes.length - 1];
  if (message.sticker) return message.sticker.thumbnail ? message.sticker : null;
  if (message.animation) {
    return message.animation.mime_type === "image/gif"
      ? message.animation : message.animation.thumbnail || null;
  }
  return message.video?.thumbnail || null;
}

export function summary(message) {
  const said = message.text || message.caption;
  if (said) return said.split("\n")[0];
  if (message.photo) return "Photo";
  if (message.sticker) return "Sticker";
  if (message.animation) return "GIF";
  if (message.video) return "Video";
  return message.document ? message.document.file_name || "File" : "Message";
}

// Text with its entities. Offsets are UTF-16 units, as JavaScript counts too.
export function rich(text, entities, onCommand) {
  const made = document.createDocumentFragment();
  const open = (from, to, list) => {
    const inside = document.createDocumentFragment();
    let at = from;
    for (let i = 0; i < list.length; i += 1) {
      const entity = list[i];
      const start = entity.offset;
      const end = Math.min(start + entity.length, to);
      if (start < at || end <= start) continue;
      const nested = list.slice(i + 1).filter((e) => e.offset < end);
      inside.append(text.slice(at, start));
      const wrapped = wrap(entity, text.slice(start, end), onCommand);
      wrapped.append(open(start, end, nested));
      inside.append(wrapped);
      at = end;
    }
    inside.append(text.slice(at, to));
    return inside;
  };
  made.append(open(0, text.length, entities || []));
  return made;
}

function wrap(entity, said, onCommand) {
  if (entity.type === "url" || entity.type === "text_link") {
    const address = entity.url || said;
    if (!/^https?:\/\//i.test(address)) return element("span");
    const link = element("a");
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    return link;
  }
  if (entity.type === "bot_command" && onCommand) {
    const link = button("command", "");
    link.addEventListener("click", () => onCommand(said));
    return link;
  }
  if (entity.type === "spoiler") {
    const cover = element("span", "spoiler");
    cover.tabIndex = 0;
    cover.addEventListener("click", () => cover.classList.add("seen"));
    return cover;
  }
  if (["mention", "hashtag", "email"].includes(entity.type)) return element("span", "mark");
  return element(TAGS[entity.type] || "span");
}

// Messages in order, albums together: [{key, messages}].
export function blocksOf(messages) {
  const blocks = [];
  for (const message of messages) {
    const last = blocks[blocks.length - 1];
    const group = message.media_group_id;
    if (group && last?.group === group) last.messages.push(message);
    else blocks.push({ key: `m${message.message_id}`, group, messages: [message] });
  }
  return blocks;
}

// `hooks`: {userId, isGroup, reactions, onOpen, onPress, onReply, onForward, onCommand, onJump}.
export function blockElement(block, hooks) {
  const first = block.messages[0];
  const isMine = first.from.id === hooks.userId;
  const item = element("li", `message ${isMine ? "mine" : "theirs"}`);
  item.id = block.key;
  const bubble = element("div", "bubble");
  item.append(bubble);

  if (!isMine && hooks.isGroup) bubble.append(element("p", "sender", first.from.first_name));
  if (first.via_bot) bubble.append(element("p", "forwarded", `via @${first.via_bot.username}`));
  if (first.forward_origin) bubble.append(element("p", "forwarded", "Forwarded from Somebody"));
  if (first.reply_to_message) bubble.append(quote(first.reply_to_message, hooks));
  const pictures = block.messages.filter(pictureOf);
  if (pictures.length) {
    bubble.classList.add("has-pictures");
    if (first.sticker) bubble.classList.add("is-sticker");
    bubble.append(album(pictures, hooks));
  }
  for (const message of block.messages) if (isFile(message)) bubble.append(file(message));
  const captioned = block.messages.filter((m) => m.caption);
  const text = element("div", "text");
  if (first.text) text.append(rich(first.text, first.entities, hooks.onCommand));
  // As in Telegram, captions of single pictures stay with them; one caption speaks for the album.
  else if (captioned.length === 1) {
    text.append(rich(captioned[0].caption, captioned[0].caption_entities, hooks.onCommand));
  }
  // Inside the text, the time stands on its last line where there is room.
  if (text.hasChildNodes()) {
    text.append(foot(block.messages));
    bubble.append(text);
  } else bubble.append(foot(block.messages));
  addReactions(bubble, block.messages, hooks);
  bubble.append(tools(block.messages, pictures, hooks));
  if (first.reply_markup?.inline_keyboard) item.append(keyboard(first, hooks));
  return item;
}

const isFile = (message) => message.document && !message.animation;

function quote(replied, hooks) {
  const made = button("quote", "Show the message this answers");
  const picture = pictureOf(replied);
  if (picture) {
    const small = element("img");
    small.src = fileAddress((replied.photo?.[0] || picture).file_id);
    small.alt = "";
    made.append(small);
  }
  const words = element("span");
  words.append(element("b", "", replied.from.first_name), element("span", "", summary(replied)));
  made.append(words);
  made.addEventListener("click", () => hooks.onJump(replied.message_id));
  return made;
}

function album(messages, hooks) {
  const sizes = messages.map(pictureOf);
  const made = element("div", messages.length > 1 ? "album" : "single");
  for (const row of mosaic(sizes.map((s) => (s.width || 1) / (s.height || 1)))) {
    const line = element("div", "album-row");
    line.style.aspectRatio = String(messages.length > 1 ? row.ratio : ratioOf(sizes[0]));
    for (const { index, ratio } of row.items) {
      const tile = tileOf(messages[index], sizes[index], messages.length > 1);
      tile.style.flexGrow = String(ratio);
      tile.addEventListener("click", () => hooks.onOpen(messages, index));
      line.append(tile);
    }
    made.append(line);
  }
  if (messages.length === 1) made.style.width = `${Math.min(sizes[0].width || 320, widest(sizes[0]))}px`;
  return made;
}

const ratioOf = (size) => Math.min(Math.max((size.width || 1) / (size.height || 1), 0.5), 3);
// A single picture is at most 420 px high.
const widest = (size) => Math.max(160, Math.min(420, 420 * ratioOf(size)));

function tileOf(message, size, isPart) {
  const tile = button("tile", `Open picture${message.caption ? `: ${message.caption}` : ""}`);
  const image = element("img");
  image.src = fileAddress(size.file_id);
  image.alt = message.caption || "Picture";
  image.loading = "lazy";
  image.decoding = "async";
  tile.append(image);
  if (isPart && message.caption) {
    const whole = message.caption.split("\n")[0];
    const caption = element("span", "tile-caption");
    caption.append(element("span", "in-full", whole), element("span", "in-short", inShort(whole)));
    tile.append(caption);
  }
  if (message.animation || message.video) tile.append(element("span", "badge", message.video ? "▶" : "GIF"));
  return tile;
}

// What fits on a small picture: "#3 · apple · 84% similar" becomes "#3 · 84%".
function inShort(caption) {
  const share = caption.match(/\d+\s?%/);
  const start = caption.split(" · ")[0];
  return share && !start.includes(share[0]) ? `${start} · ${share[0]}` : start;
}

function file(message) {
  const made = element("a", "file");
  made.href = fileAddress(message.document.file_id);
  made.download = message.document.file_name || "file";
  if (message.document.thumbnail) {
    const small = element("img");
    small.src = fileAddress(message.document.thumbnail.file_id);
    small.alt = "";
    made.append(small);
  } else made.append(element("span", "file-icon", "↓"));
  const words = element("span");
  const size = `${Math.max(1, Math.round(message.document.file_size / 1024))} KB`;
  words.append(element("b", "", message.document.file_name || "File"), element("span", "", size));
  made.append(words);
  return made;
}

function foot(messages) {
  const last = messages[messages.length - 1];
  const made = element("span", "foot");
  if (messages.some((m) => m.edit_date)) made.append("edited ");
  const time = element("time", "", CLOCK.format(new Date(last.date * 1000)));
  time.dateTime = new Date(last.date * 1000).toISOString();
  made.append(time);
  return made;
}

function addReactions(bubble, messages, hooks) {
  for (const message of messages) {
    const emoji = hooks.reactions[message.message_id];
    if (!emoji) continue;
    const made = element("span", "reaction", emoji);
    made.setAttribute("aria-label", `Reaction ${emoji}`);
    bubble.append(made);
  }
}

function tools(messages, pictures, hooks) {
  const made = element("div", "tools");
  const reply = button("tool", "Reply to this message", "Reply");
  reply.addEventListener("click", () => hooks.onReply(messages[0]));
  made.append(reply);
  if (pictures.length === 1) {
    const forward = button("tool", "Forward this picture to the bot", "Forward");
    forward.addEventListener("click", () => hooks.onForward(messages[0]));
    made.append(forward);
  }
  const remove = button("tool", "Delete this message", "Delete");
  remove.addEventListener("click", () => hooks.onDelete(messages));
  made.append(remove);
  return made;
}

function keyboard(message, hooks) {
  const made = element("div", "keyboard");
  message.reply_markup.inline_keyboard.forEach((buttons, row) => {
    const line = element("div", "keyboard-row");
    buttons.forEach((one, column) => {
      if (one.url) {
        const link = element("a", "key", one.text);
        if (/^https?:\/\//i.test(one.url)) link.href = one.url;
        link.target = "_blank";
        link.rel = "noopener noreferrer";
        link.append(element("span", "key-mark", "↗"));
        line.append(link);
        return;
      }
      const key = button("key", "", one.text);
      key.addEventListener("click", () => hooks.onPress(message, row, column, key));
      line.append(key);
    });
    made.append(line);
  });
  return made;
}

export const dayOf = (message) => DAY.format(new Date(message.date * 1000));
