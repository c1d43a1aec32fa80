// The page: who is there, which chat is open, and everything that happens in it.

import { Composer } from "./composer.js";
import { InlineStrip } from "./inline.js";
import { blockElement, blocksOf, dayOf, element, pictureOf, rich, summary } from "./messages.js";
import { fileAddress, listen, loadState, post } from "./server.js";

const byId = (id) => document.getElementById(id);
const ACTIONS = {
  typing: "typing…", upload_photo: "sending a photo…", upload_document: "sending a file…",
  choose_sticker: "choosing a sticker…", find_location: "searching…",
};
const ACTION_MS = 5000;
const AT_END_PX = 80;

const state = { bot: null, people: [], chats: new Map(), open: null, unread: new Map() };
const shown = new Map(); // block key -> {element, signature}
let actionTimer = 0;

const inline = new InlineStrip({
  ask: (asked) => post("inline", { ...here(), ...asked }),
  choose: (chosen) => post("choose", { ...here(), ...chosen }),
  start: startBot,
  onChosen: () => composer.empty(),
  onTrouble: toast,
});
const composer = new Composer(
  ({ text, files, samples, replyTo }) =>
    post("send", { ...here(), text, samples, reply_to: replyTo }, files),
  toast,
  inline,
);

function here() {
  return { user: state.open.user, chat: state.open.chat };
}

// What a link to the bot, or the button above inline results, does: `/start` in the private chat.
function startBot(parameter) {
  const { user } = state.open;
  if (state.open.chat !== user && state.chats.has(user)) openChat(user, user);
  composer.say(`/start ${parameter}`);
}

// --- loading and events

async function load() {
  try {
    const loaded = await loadState();
    byId("offline").hidden = true;
    state.bot = loaded.bot;
    state.people = loaded.people;
    state.chats = new Map(loaded.chats.map((chat) => [chat.id, withMessages(chat)]));
    composer.setSamples(loaded.samples);
    inline.username = loaded.bot.username;
    document.title = `${loaded.bot.first_name} · Playground`;
    if (!state.open || !state.chats.has(state.open.chat)) {
      const first = conversations()[0];
      state.open = first ? { user: first.person.id, chat: first.chat.id } : null;
    }
    forgetShown();
    showAll();
    listen(loaded.event, happened, () => setTimeout(load, 1000));
  } catch {
    byId("offline").hidden = false;
    setTimeout(load, 2000);
  }
}

const withMessages = (chat) => ({
  ...chat,
  messages: new Map(chat.messages.map((message) => [message.message_id, message])),
});

function happened({ kind, chat: chatId, content }) {
  const chat = state.chats.get(chatId);
  if (!chat) {
    refresh();
    return;
  }
  if (kind === "message") {
    chat.messages.set(content.message_id, content);
    if (content.from.is_bot) chat.action = "";
    if (content.from.is_bot && state.open?.chat !== chatId) {
      state.unread.set(chatId, (state.unread.get(chatId) || 0) + 1);
    }
  } else if (kind === "edited") chat.messages.set(content.message_id, content);
  else if (kind === "deleted") chat.messages.delete(content.message_id);
  else if (kind === "reaction") chat.reactions[content.message_id] = content.emoji;
  else if (kind === "membership") chat.is_blocked = content.is_blocked;
  else if (kind === "commands") refresh();
  else if (kind === "action") {
    chat.action = content.action;
    clearTimeout(actionTimer);
    actionTimer = setTimeout(() => {
      for (const one of state.chats.values()) one.action = "";
      showHeader();
    }, ACTION_MS);
  }
  scheduleShow();
}

let refreshing = 0;
function refresh() {
  clearTimeout(refreshing);
  refreshing = setTimeout(async () => {
    const loaded = await loadState().catch(() => null);
    if (!loaded) return;
    state.people = loaded.people;
    for (const chat of loaded.chats) {
      const known = state.chats.get(chat.id);
      if (known) known.menus = chat.menus;
      else state.chats.set(chat.id, withMessages(chat));
    }
    if (!state.open && loaded.chats.length) {
      const first = conversations()[0];
      state.open = { user: first.person.id, chat: first.chat.id };
    }
    showAll();
  }, 50);
}

let isScheduled = false;
function scheduleShow() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    showAll();
  });
}

// --- the people

function conversations() {
  const list = [];
  for (const chat of state.chats.values()) {
    for (const id of chat.members) {
      const person = state.people.find((p) => p.id === id);
      if (person) list.push({ chat, person });
    }
  }
  return list;
}

function showConversations() {
  byId("conversations").replaceChildren(...conversations().map(({ chat, person }) => {
    const isOpen = state.open?.chat === chat.id && state.open?.user === person.id;
    const item = element("li");
    const entry = element("button", "conversation");
    entry.type = "button";
    if (isOpen) entry.setAttribute("aria-current", "true");
    const words = element("span", "conversation-words");
    const name = element("span", "conversation-name", person.first_name);
    if (chat.type !== "private") name.append(` · ${chat.title}`);
    if (person.is_admin) name.append(element("span", "tag", "admin"));
    if (person.language_code) name.append(element("span", "tag plain", person.language_code));
    const last = [...chat.messages.values()].pop();
    words.append(name, element("span", "conversation-last", last ? summary(last) : "No messages yet"));
    entry.append(avatar(person.first_name, person.id), words);
    const unread = state.unread.get(chat.id);
    if (unread && !isOpen) entry.append(element("span", "unread", String(unread)));
    entry.addEventListener("click", () => openChat(person.id, chat.id));
    item.append(entry);
    return item;
  }));
}

function avatar(name, id) {
  const made = element("span", `avatar hue-${Math.abs(id) % 6}`, name.slice(0, 1).toUpperCase());
  made.setAttribute("aria-hidden", "true");
  return made;
}

function openChat(user, chat) {
  inline.close();
  state.open = { user, chat };
  state.unread.delete(chat);
  byId("frame").classList.add("in-chat");
  composer.answer(null);
  forgetShown();
  showAll();
  toEnd();
  if (matchMedia("(min-width: 701px)").matches) byId("text").focus();
}

// --- the open chat

function showAll() {
  showConversations();
  showHeader();
  showMessages();
}

function showHeader() {
  const chat = state.chats.get(state.open?.chat);
  byId("composer").inert = !chat;
  if (!chat) return;
  const person = state.people.find((p) => p.id === state.open.user);
  byId("bot-avatar").textContent = state.bot.first_name.slice(0, 1);
  byId("chat-name").textContent = chat.type === "private" ? state.bot.first_name : chat.title;
  const status = byId("chat-status");
  const action = ACTIONS[chat.action];
  status.textContent = action ? `${state.bot.first_name} is ${action}` : `you are ${person?.first_name} · @${state.bot.username}`;
  status.classList.toggle("busy", Boolean(action));
  byId("block").textContent = chat.is_blocked ? "Unblock" : "Block";
  byId("block").hidden = chat.type !== "private";
  byId("chat").classList.toggle("blocked", chat.is_blocked);
  composer.setCommands(chat.menus[state.open.user] || []);
}

function forgetShown() {
  shown.clear();
  byId("messages").replaceChildren();
}

// Only what changed is made anew, so that pictures do not flicker and one's place is kept.
function showMessages() {
  const list = byId("messages");
  const chat = state.chats.get(state.open?.chat);
  if (!chat) return;
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < AT_END_PX;
  const messages = [...chat.messages.values()].sort((a, b) => a.message_id - b.message_id);
  const wanted = [];
  let day = "";
  for (const block of blocksOf(messages)) {
    const itsDay = dayOf(block.messages[0]);
    if (itsDay !== day) wanted.push(kept(`day ${itsDay}`, itsDay, () => element("li", "day", itsDay)));
    day = itsDay;
    const reactions = block.messages.map((m) => chat.reactions[m.message_id] || "");
    const signature = JSON.stringify([block.messages, reactions]);
    wanted.push(kept(block.key, signature, () => blockElement(block, hooks(chat))));
  }
  if (!wanted.length) wanted.push(kept("empty", "", emptyNote));
  const present = new Set(wanted);
  for (const child of [...list.children]) if (!present.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] || null);
  });
  for (const [key, one] of shown) if (!present.has(one.element)) shown.delete(key);
  if (isAtEnd) toEnd();
}

function kept(key, signature, make) {
  const known = shown.get(key);
  if (known?.signature === signature) return known.element;
  const made = make();
  shown.set(key, { element: made, signature });
  return made;
}

function emptyNote() {
  const made = element("li", "empty");
  made.append(
    element("b", "", `This is the start of a chat with ${state.bot.first_name}.`),
    element("span", "", state.bot.description || "Send a photo, or drop one here."),
  );
  const start = element("button", "text-button", "Start");
  start.type = "button";
  start.addEventListener("click", () => composer.say("/start"));
  made.append(start);
  return made;
}

function toEnd() {
  const list = byId("messages");
  list.scrollTop = list.scrollHeight;
}

function hooks(chat) {
  return {
    userId: state.open.user,
    isGroup: chat.type !== "private",
    reactions: chat.reactions,
    onOpen: openLightbox,
    onPress: press,
    onReply: (message) => composer.answer(message),
    onForward: (message) =>
      post("forward", { ...here(), message_id: message.message_id }).catch((e) => toast(e.message)),
    onDelete: (messages) => messages.forEach((message) =>
      post("delete", { ...here(), message_id: message.message_id }).catch((e) => toast(e.message))),
    onCommand: (command) => composer.say(command),
    onJump: jump,
  };
}

function jump(messageId) {
  const chat = state.chats.get(state.open.chat);
  const messages = [...chat.messages.values()].sort((a, b) => a.message_id - b.message_id);
  const block = blocksOf(messages).find((b) => b.messages.some((m) => m.message_id === messageId));
  const target = block && byId(block.key);
  if (!target) {
    toast("That message is gone.");
    return;
  }
  target.scrollIntoView({ block: "center", behavior: "smooth" });
  target.classList.add("found");
  setTimeout(() => target.classList.remove("found"), 1500);
}

async function press(message, row, column, key) {
  key.classList.add("waiting");
  try {
    const { answer } = await post("press", { ...here(), message_id: message.message_id, row, column });
    if (!answer) toast("The bot did not answer the button.");
    else if (answer.text && answer.show_alert) {
      byId("alert-text").textContent = answer.text;
      byId("alert").showModal();
    } else if (answer.text) toast(answer.text);
  } catch (error) {
    toast(error.message);
  } finally {
    key.classList.remove("waiting");
  }
}

function toast(text) {
  const made = element("p", "toast", text);
  byId("toasts").append(made);
  setTimeout(() => made.remove(), 4000);
}

// --- the lightbox

let pictures = [];
let current = 0;

function openLightbox(messages, index) {
  pictures = messages;
  current = index;
  showPicture();
  byId("lightbox").showModal();
}

function showPicture() {
  const message = pictures[current];
  const image = byId("lightbox-image");
  image.src = fileAddress(pictureOf(message).file_id);
  image.alt = message.caption || "Picture";
  byId("lightbox-caption").replaceChildren(
    rich(message.caption || "", message.caption_entities, null),
  );
  byId("lightbox-previous").hidden = current === 0;
  byId("lightbox-next").hidden = current === pictures.length - 1;
}

function step(by) {
  const next = current + by;
  if (next < 0 || next >= pictures.length) return;
  current = next;
  showPicture();
}

// --- wiring

byId("back").addEventListener("click", () => byId("frame").classList.remove("in-chat"));
byId("block").addEventListener("click", () => {
  const chat = state.chats.get(state.open.chat);
  post("block", { ...here(), blocked: !chat.is_blocked }).catch((error) => toast(error.message));
});
// Links into the bot lead nowhere outside Telegram; here they do what they would do there.
byId("messages").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const start = link && /^https:\/\/t\.me\/(\w+)\?start=([\w-]{1,64})$/.exec(link.href);
  if (!start || start[1].toLowerCase() !== state.bot.username.toLowerCase()) return;
  event.preventDefault();
  startBot(start[2]);
});
byId("to-end").addEventListener("click", toEnd);
byId("messages").addEventListener("scroll", () => {
  const list = byId("messages");
  byId("to-end").hidden = list.scrollHeight - list.scrollTop - list.clientHeight < 3 * AT_END_PX;
});
// Pictures that arrive late make the list longer; whoever was at its end stays there.
new ResizeObserver(() => {
  const list = byId("messages");
  if (byId("to-end").hidden) list.scrollTop = list.scrollHeight;
}).observe(byId("messages"));
byId("lightbox-close").addEventListener("click", () => byId("lightbox").close());
byId("lightbox-previous").addEventListener("click", () => step(-1));
byId("lightbox-next").addEventListener("click", () => step(1));
byId("lightbox").addEventListener("click", (event) => {
  if (event.target === byId("lightbox") || event.target.tagName === "FIGURE") byId("lightbox").close();
});
byId("lightbox").addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});

load();
