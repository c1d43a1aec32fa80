// What the page asks of the server, and what it hears from it.

export async function loadState() {
  const answer = await fetch("/playground/state");
  if (!answer.ok) throw new Error(`the server said ${answer.status}`);
  return answer.json();
}

// `fields` may hold File objects; anything else travels as text.
export async function post(action, fields, files = []) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  files.forEach((file, number) => form.append(`file${number}`, file, file.name || "picture"));
  const answer = await fetch(`/playground/${action}`, { method: "POST", body: form });
  const said = await answer.json().catch(() => ({ error: `the server said ${answer.status}` }));
  if (!answer.ok) throw new Error(said.error || "that did not work");
  return said;
}

// Calls `onEvent` for every event after number `after`. A connection that broke is not resumed:
// the server may have been started anew and count from the beginning, so `onLost` loads it all.
export function listen(after, onEvent, onLost) {
  const source = new EventSource(`/playground/events?after=${after}`);
  source.onmessage = (event) => onEvent(JSON.parse(event.data));
  source.onerror = () => {
    source.close();
    onLost();
  };
}

export const fileAddress = (id) => `/playground/files/${encodeURIComponent(id)}`;

export const sampleAddress = (name) =>
  `/playground/samples/${name.split("/").map(encodeURIComponent).join("/")}`;
